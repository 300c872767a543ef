/** Small components that every view uses. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { toFault, type Fault } from './errors.ts';
import { exactly, inWords } from './format.ts';
import type { Task } from './hooks.ts';

/** A time in words, with the exact UTC on hover. */
export function Time({ at }: { at: string }) {
  return (
    <time dateTime={at} title={exactly(at)}>
      {inWords(at)}
    </time>
  );
}

/** How long a button says that it has copied. */
const COPIED_MS = 2_000;

export function Copy({ text, what }: { text: string; what: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return (
    <button type="button" class="copy" aria-label={`Copy ${what}`} onClick={() => void copy()}>
      {isCopied ? 'Copied' : 'Copy'}
    </button>
  );
}

/** An id or a secret in monospace, with a button that copies it. */
export function Id({ value, what = 'the id' }: { value: string; what?: string }) {
  return (
    <span class="id">
      <code>{value}</code>
      <Copy text={value} what={what} />
    </span>
  );
}

export type Tone = 'good' | 'warn' | 'bad' | 'busy' | 'plain';

/** A state as a word and a colour. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>;
}

/** An error in the API's own words, with its link. */
export function ErrorNote({ error, children }: { error: unknown; children?: ComponentChildren }) {
  return error === undefined ? null : <FaultNote fault={toFault(error)}>{children}</FaultNote>;
}

export function FaultNote({
  fault: { message, code, docs, requestId },
  children,
}: {
  fault: Fault;
  children?: ComponentChildren;
}) {
  return (
    <div class="note bad" role="alert">
      <p>{message}</p>
      {(docs ?? requestId) !== undefined && (
        <p class="soft">
          {docs !== undefined && (
            <a href={docs} target="_blank" rel="noreferrer">
              {code}: why, and what to do
            </a>
          )}
          {requestId !== undefined && <span> Request {requestId}</span>}
        </p>
      )}
      {children}
    </div>
  );
}

/** The end of a form: why it failed, the button that submits it, and the one that closes it. */
export function FormEnd({
  task,
  label,
  busyLabel,
  isReady,
  isDanger = false,
  onClose,
}: {
  task: Pick<Task<never>, 'isBusy' | 'error'>;
  label: string;
  busyLabel: string;
  isReady: boolean;
  isDanger?: boolean;
  onClose: () => void;
}) {
  return (
    <>
      <ErrorNote error={task.error} />
      <div class="actions">
        <button
          type="submit"
          class={isDanger ? 'button danger primary' : 'button primary'}
          disabled={!isReady || task.isBusy}
        >
          {task.isBusy ? busyLabel : label}
        </button>
        <button type="button" class="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </>
  );
}

export function Note({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <div class={`note ${tone}`}>{children}</div>;
}

/** What an empty list says: what to do. */
export function Empty({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      <p>{children}</p>
    </div>
  );
}

/** The head of a view: what it is, in a sentence, and its actions. */
export function ViewHead({
  title,
  lead,
  children,
}: {
  title: string;
  lead: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="view-head">
      <div>
        <h1>{title}</h1>
        <p class="soft">{lead}</p>
      </div>
      {children !== undefined && <div class="actions">{children}</div>}
    </header>
  );
}
