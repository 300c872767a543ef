/** A modal dialog: the browser keeps the focus inside and closes it with Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Task } from './hooks.ts';
import { FormEnd } from './parts.tsx';

export function Dialog({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

/** Nothing is destroyed before what is destroyed has been typed. */
export function ConfirmByTyping({
  title,
  children,
  wanted,
  what,
  isSame = (typed) => typed.trim() === wanted,
  label,
  busyLabel,
  task,
  onClose,
}: {
  title: string;
  /** What it does. */
  children: ComponentChildren;
  /** What has to be typed. */
  wanted: string;
  /** What that is, in words. */
  what: string;
  isSame?: (typed: string) => boolean;
  /** Of the button that does it. */
  label: string;
  busyLabel: string;
  task: Task<[]>;
  onClose: () => void;
}) {
  const id = useId();
  const [typed, setTyped] = useState('');
  const isConfirmed = isSame(typed);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (isConfirmed) task.run();
        }}
      >
        <div class="field">
          <label for={id}>
            Type {what}, <code>{wanted}</code>, to confirm
          </label>
          <input
            id={id}
            value={typed}
            autocomplete="off"
            spellcheck={false}
            autocapitalize="off"
            onInput={({ currentTarget }) => setTyped(currentTarget.value)}
          />
        </div>
        <FormEnd
          task={task}
          label={label}
          busyLabel={busyLabel}
          isReady={isConfirmed}
          isDanger
          onClose={onClose}
        />
      </form>
    </Dialog>
  );
}
