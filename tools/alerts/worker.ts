/**
 * A tail Worker of its own: it reads the service's log lines and posts those that need somebody at once to the address
 * in the secret ALERT_URL, as Slack and most pagers take them. Deployed by hand, once: docs/operations.md.
 */
import { alertsOf } from './alerts.ts';

interface Env {
  /** Such as a webhook of Slack. */
  ALERT_URL: string;
}

/** Milliseconds in which an isolate posts an event once: a database that is away is no news a thousand times. */
const QUIET_MS = 60_000;
const postedAt = new Map<string, number>();

export default {
  tail: async (traces, { ALERT_URL }) => {
    const now = Date.now();
    for (const [event, text] of alertsOf(traces)) {
      if (now - (postedAt.get(event) ?? 0) < QUIET_MS) continue;
      postedAt.set(event, now);
      const body = JSON.stringify({ text: `peere-customers: ${text}` });
      await fetch(ALERT_URL, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    }
  },
} satisfies ExportedHandler<Env>;
