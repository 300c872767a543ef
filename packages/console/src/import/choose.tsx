/** Takes a file, dropped or chosen. */
import { useRef, useState } from 'preact/hooks';
import { NEW_CUSTOMER, REFERENCES } from '../../../cli/src/reading/fields.ts';
import { labelOf, listed } from '../ui/labels.ts';

/** One column may be both references. */
const NEEDED = [
  ...NEW_CUSTOMER.required.filter((field) => !REFERENCES.some((known) => known === field)).map(labelOf),
  'a reference',
];
const ACCEPTED = '.csv,.tsv,.txt,.ndjson,.jsonl,.json,.gz';

export function Choose({ isBusy, onChoose }: { isBusy: boolean; onChoose: (file: File) => void }) {
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null | undefined) => {
    const file = files?.[0];
    if (file !== undefined) onChoose(file);
  };
  return (
    <div
      class={`drop ${isOver ? 'over' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <strong>{isBusy ? 'Reading the file …' : 'Drop a file of customers here'}</strong>
      <p class="soft">
        A table saved as CSV by your spreadsheet or banking system, of any size (or JSON). You see what was
        understood and what is wrong before anything is sent.
      </p>
      <p class="soft">For each customer it needs: {listed(NEEDED)}.</p>
      <label class={`button primary ${isBusy ? 'disabled' : ''}`}>
        Choose a file
        <input
          ref={input}
          class="visually-hidden"
          type="file"
          accept={ACCEPTED}
          disabled={isBusy}
          onChange={({ currentTarget }) => {
            take(currentTarget.files);
            // The same file can be chosen again.
            currentTarget.value = '';
          }}
        />
      </label>
    </div>
  );
}
