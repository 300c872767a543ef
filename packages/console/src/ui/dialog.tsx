/** A modal dialog: the browser keeps the focus inside and closes it with Escape. */
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

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
export function TypeToConfirm({
  wanted,
  what,
  isSame = (typed) => typed.trim() === wanted,
  value,
  onInput,
}: {
  wanted: string;
  what: string;
  isSame?: (typed: string) => boolean;
  value: string;
  onInput: (typed: string, isConfirmed: boolean) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        Type {what}, <code>{wanted}</code>, to confirm
      </label>
      <input
        id={id}
        value={value}
        autocomplete="off"
        spellcheck={false}
        autocapitalize="off"
        onInput={({ currentTarget }) => onInput(currentTarget.value, isSame(currentTarget.value))}
      />
    </div>
  );
}
