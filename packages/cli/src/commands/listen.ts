/** `peere listen`: forwards events to a URL of your own machine, signed like a webhook, to build a receiver. */
import { randomBytes } from 'node:crypto';
import { connectionErrorCode, signWebhook, type Event, type PeereClient } from '@peere/client';
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ExitCode } from './exit-codes.ts';
import type { Session } from './session.ts';

interface ListenOptions {
  forward: string;
  after?: string;
  types?: string[];
  secret?: string;
}

/** As long as the service waits for a receiver. */
const MAX_ANSWER_MS = 10_000;
/** The specification of Standard Webhooks asks for 24 to 64. */
const SECRET_BYTES = 32;

const EVENT_TYPES = [
  'batch.completed',
  'batch.stalled',
  'customer.updated',
  'customer.erased',
  'webhook.disabled',
] as const satisfies Event['type'][];

export function addListen(program: Command, session: Session): void {
  program
    .command('listen')
    .summary('forward events to a URL of your own, as a webhook would')
    .description(
      'Reads the events of your bank as they happen, and sends each to a URL of your own, signed like a webhook. To build and try a receiver: no public URL is needed, and no webhook is created. Needs an API key with the scope events:read.',
    )
    .requiredOption('--forward <url>', 'where to send events, such as http://localhost:3000/hooks', readUrl)
    .option('--after <id>', 'begin after this event; without it, with the next one that happens')
    .option('--types <list>', `only these, separated by commas: ${EVENT_TYPES.join(', ')}`, readTypes)
    .addOption(
      new Option('--secret <secret>', 'sign with this secret; without it, with a new one').env(
        'PEERE_WEBHOOK_SECRET',
      ),
    )
    .addHelpText(
      'after',
      `
An event is sent once, in order, whatever the receiver answers. To send some again, use --after.

Examples:
  peere listen --forward http://localhost:3000/hooks
  peere listen --forward http://localhost:3000/hooks --types batch.completed --after evt_bnk_first_41

Exit codes: 0 is never used, because it ends only by Ctrl-C: 130; 3 if it can’t begin or continue.`,
    )
    .action((options: ListenOptions) => runListen(options, session));
}

async function runListen(options: ListenOptions, session: Session): Promise<void> {
  let last = options.after;
  const work = () =>
    listen(options, session, (id) => {
      last = id;
    });
  await session.run(work, () =>
    last === undefined
      ? undefined
      : `To go on after the last event: peere listen --after ${last} --forward ${options.forward}`,
  );
}

async function listen(
  { forward, after, types, secret: given }: ListenOptions,
  session: Session,
  onSent: (id: string) => void,
): Promise<ExitCode> {
  const client: PeereClient = session.client();
  const secret = given ?? newSecret();
  await signWebhook(secret, { id: 'evt', timestamp: new Date(), body: '' });
  const { name } = await client.getBank({ signal: session.signal });
  session.printError(`Forwarding the events of ${name} to ${forward}. Ctrl-C ends it.`);
  if (given === undefined) session.printError(`The secret of the signatures: ${secret}`);
  const events = client.followEvents(after === undefined ? {} : { after }, { signal: session.signal });
  for await (const event of events) {
    if (types === undefined || types.includes(event.type)) {
      const startedAt = performance.now();
      const answer = await sendEvent(forward, secret, event, session.signal);
      report(session, event, answer, Math.round(performance.now() - startedAt));
    }
    onSent(event.id);
  }
  throw new Error('the event log ended');
}

/** @returns the status, or why there was none */
async function sendEvent(
  url: string,
  secret: string,
  event: Event,
  signal: AbortSignal,
): Promise<number | string> {
  const body = JSON.stringify(event);
  const headers = await signWebhook(secret, { id: event.id, timestamp: new Date(), body });
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(MAX_ANSWER_MS)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    signal.throwIfAborted();
    const isLate = error instanceof DOMException && error.name === 'TimeoutError';
    return isLate ? 'no answer within 10 seconds' : connectionErrorCode(error) || 'no answer';
  }
}

function report(session: Session, event: Event, answer: number | string, milliseconds: number): void {
  if (session.json) {
    session.printJson({ ...event, answer, milliseconds });
    return;
  }
  const subject = Object.values(event.data).find((value) => typeof value === 'string') ?? '';
  session.print(
    `${event.createdAt.slice(11, 19)}  ${event.type.padEnd(16)}  ${event.id}  ${subject}  → ${answer}, ${milliseconds} ms`,
  );
}

function readUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('It must be a URL, such as http://localhost:3000/hooks.');
  }
  return url.href;
}

function readTypes(text: string): string[] {
  const types = text.split(',').map((type) => type.trim());
  const isKnown = (type: string) => EVENT_TYPES.some((known) => known === type);
  if (!types.every(isKnown)) throw new InvalidArgumentError(`Each must be one of ${EVENT_TYPES.join(', ')}.`);
  return types;
}

function newSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}
