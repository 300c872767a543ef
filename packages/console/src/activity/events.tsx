/**
 * The event log, newest first, and what happens from now on. The service gives events in order, so the log is read from
 * its oldest event, some thousands at a time; the newest of them stay on the page.
 */
import type { Event } from '@peere/client';
import { useEffect, useState } from 'preact/hooks';
import { useSession } from '../session/session.ts';
import { count, exactly } from '../ui/format.ts';
import { useTask } from '../ui/hooks.ts';
import { labelOf, listed } from '../ui/labels.ts';
import { Badge, Empty, ErrorNote, Time, ViewHead, type Tone } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';

/** Events that are read before somebody says to read on. */
const MAX_READ = 20_000;
/** Events on the page. */
const MAX_SHOWN = 200;

const TONES: Record<Event['type'], Tone> = {
  'batch.completed': 'good',
  'batch.stalled': 'bad',
  'customer.updated': 'plain',
  'customer.erased': 'warn',
  'webhook.disabled': 'bad',
};
const TYPES = Object.keys(TONES) as Event['type'][];

function Details({ event }: { event: Event }) {
  switch (event.type) {
    case 'batch.completed':
      return (
        <>
          <a href={`#batches/${event.data.batchId}`}>
            <code>{event.data.batchId}</code>
          </a>
          : {count(event.data.successful)} customers, {count(event.data.failed)} failed
        </>
      );
    case 'batch.stalled':
      return (
        <>
          <a href={`#batches/${event.data.batchId}`}>
            <code>{event.data.batchId}</code>
          </a>{' '}
          waits for the operator of the service
        </>
      );
    case 'customer.updated':
      return (
        <>
          <a href={`#customers/${event.data.customerId}`}>
            <code>{event.data.customerId}</code>
          </a>
          : {listed(event.data.fields.map(labelOf))}
        </>
      );
    case 'customer.erased':
      return <code>{event.data.customerId}</code>;
    case 'webhook.disabled':
      return (
        <>
          <a href="#webhooks">
            <code>{event.data.webhookId}</code>
          </a>
          : {event.data.reason}
        </>
      );
    default:
      return event satisfies never;
  }
}

const COLUMNS = [
  { name: 'When', cell: ({ createdAt }: Event) => <Time at={createdAt} /> },
  { name: 'Event', cell: ({ type }: Event) => <Badge tone={TONES[type]}>{type}</Badge> },
  { name: 'Of', cell: (event: Event) => <Details event={event} /> },
  { name: 'Id', cell: ({ id }: Event) => <code>{id}</code> },
];

interface Log {
  /** Newest first. */
  shown: Event[];
  read: number;
  /** The end of the log has been reached: what follows is live. */
  isLive: boolean;
}

const BEGINNING: Log = { shown: [], read: 0, isLive: false };

function add(log: Log, events: Event[]): Log {
  const shown = [...events.toReversed(), ...log.shown].slice(0, MAX_SHOWN);
  return { ...log, shown, read: log.read + events.length };
}

export function EventsView() {
  const { may } = useSession();
  const [type, setType] = useState<Event['type']>();
  if (!may('events:read'))
    return <Empty title="This API key may not read events">It needs the scope events:read.</Empty>;
  return (
    <>
      <ViewHead title="Events" lead="What happened to batches, customers and webhooks. Kept for 30 days.">
        <select
          aria-label="Type of event"
          value={type ?? ''}
          onChange={({ currentTarget }) => setType((currentTarget.value || undefined) as typeof type)}
        >
          <option value="">every type</option>
          {TYPES.map((known) => (
            <option key={known} value={known}>
              {known}
            </option>
          ))}
        </select>
      </ViewHead>
      <EventLog key={type ?? ''} type={type} />
    </>
  );
}

function EventLog({ type }: { type: Event['type'] | undefined }) {
  const { client } = useSession();
  const [log, setLog] = useState(BEGINNING);
  const only = type === undefined ? {} : { type };
  const read = useTask(async (signal, begun: Log, from: string | undefined) => {
    let now = begun;
    const show = (events: Event[], isLive: boolean) => {
      now = { ...add(now, events), isLive };
      if (!signal.aborted) setLog(now);
    };
    let last = from;
    if (last !== 'latest') {
      const after = last === undefined ? {} : { after: last };
      const { events, isEnd } = await readUpTo(client.events({ ...only, ...after }, { signal }), MAX_READ);
      last = events.at(-1)?.id ?? last;
      show(events, isEnd);
      if (!isEnd) return;
    } else show([], true);
    // Of a log without such an event, only what is still to come is left.
    const follow = client.followEvents({ ...only, after: last ?? 'latest' }, { signal });
    for await (const event of follow) show([event], true);
  });
  useEffect(() => read.run(BEGINNING, undefined), []);
  const { shown, read: readCount, isLive } = log;
  const [newest] = shown;
  return (
    <>
      <p class="soft live" role="status">
        {isLive ? <Badge tone="busy">Live</Badge> : <Badge tone="plain">Reading</Badge>}{' '}
        {readCount > shown.length && `The newest ${count(shown.length)} of ${count(readCount)} events.`}
      </p>
      <ErrorNote error={read.error}>
        <button type="button" class="button small" onClick={() => read.run(log, newest?.id)}>
          Try again
        </button>
      </ErrorNote>
      {!isLive && !read.isBusy && newest !== undefined && (
        <div class="note">
          <p>Read up to {exactly(newest.createdAt)}. There are newer ones.</p>
          <div class="actions">
            <button type="button" class="button small" onClick={() => read.run(log, newest.id)}>
              Read on
            </button>
            <button type="button" class="button small" onClick={() => read.run(log, 'latest')}>
              Show what happens from now on
            </button>
          </div>
        </div>
      )}
      {shown.length > 0 && <Table label="Events" columns={COLUMNS} rows={shown} />}
      {shown.length === 0 && isLive && (
        <Empty title="No events yet">
          <a href="#import">Import a file</a> or change a customer: it appears here at once.
        </Empty>
      )}
    </>
  );
}

async function readUpTo(
  events: AsyncGenerator<Event>,
  limit: number,
): Promise<{ events: Event[]; isEnd: boolean }> {
  const taken: Event[] = [];
  for await (const event of events) if (taken.push(event) === limit) return { events: taken, isEnd: false };
  return { events: taken, isEnd: true };
}
