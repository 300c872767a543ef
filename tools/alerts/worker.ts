/**
 * A separate tail Worker: it reads the service's log lines and posts those that need somebody at once to the URL in the
 * secret ALERT_URL, in the format of Slack and most pagers. Deploy it once, by hand: docs/operations.md.
 */
import { alertsOf } from './alerts.ts';

interface Env {
  /** URL of a webhook, such as Slack's. */
  ALERT_URL: string;
}

/** An isolate posts an event at most once in this time, so that an outage is not reported a thousand times. */
const MIN_INTERVAL_MS = 60_000;
const postedAt = new Map<string, number>();

export default {
  tail: async (traces, { ALERT_URL }) => {
    const now = Date.now();
    for (const [event, text] of alertsOf(traces)) {
      if (now - (postedAt.get(event) ?? 0) < MIN_INTERVAL_MS) continue;
      postedAt.set(event, now);
      const body = JSON.stringify({ text: `peere-customers: ${text}` });
      await fetch(ALERT_URL, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    }
  },
} satisfies ExportedHandler<Env>;
