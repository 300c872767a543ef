/** The step between choosing a file and checking it: is every field that a customer needs in a column? */
import { sharedColumns, type Columns } from '../../../cli/src/reading/fields.ts';
import { labelOf, listed } from '../ui/labels.ts';
import { Note } from '../ui/parts.tsx';
import { ambiguities, MapColumns, missingFields, nameOf } from './map-columns.tsx';
import type { OpenedFile, Plan } from './plan.ts';
import type { Import } from './use-import.ts';

interface ChooseColumnsProps {
  state: Import;
  opened: OpenedFile;
  columns: Columns;
  plan: Plan;
  onChange: (columns: Columns) => void;
}

export function ChooseColumns({ state, opened, columns, plan, onChange }: ChooseColumnsProps) {
  const isCsv = opened.format === 'csv';
  const missing = isCsv ? missingFields(columns) : [];
  const isReady = missing.length === 0 && state.counted !== undefined;
  return (
    <>
      <div aria-live="polite">
        {missing.length > 0 ? <Missing labels={missing} /> : <Complete isCsv={isCsv} />}
        {isCsv && <Remarks opened={opened} columns={columns} />}
      </div>
      <div class="actions">
        <button type="button" class="button primary" disabled={!isReady} onClick={() => state.check(plan)}>
          Check the file
        </button>
      </div>
      <h2>Columns and first rows</h2>
      <MapColumns opened={opened} columns={columns} onChange={onChange} />
    </>
  );
}

function Missing({ labels }: { labels: string[] }) {
  const isOne = labels.length === 1;
  return (
    <Note tone="warn">
      <p>
        <strong>
          {isOne
            ? 'One thing that every customer needs has'
            : `${labels.length} things that every customer needs have`}{' '}
          no column yet:
        </strong>
      </p>
      <ul>
        {labels.map((label) => (
          <li key={label}>{label}</li>
        ))}
      </ul>
      <p>
        Below, find the column that holds {isOne ? 'it' : 'each'}, and choose what it is from the list under
        its name. If the file has no such column, add it in your spreadsheet and choose the file again.
      </p>
    </Note>
  );
}

function Complete({ isCsv }: { isCsv: boolean }) {
  return (
    <Note tone="good">
      {isCsv
        ? 'Everything that a customer needs has a column.'
        : 'The names in the file say what each value is.'}{' '}
      Look at the first rows, then check the whole file. Checking stores nothing.
    </Note>
  );
}

/** What was decided for somebody, and what was left to them. */
function Remarks({ opened, columns }: { opened: OpenedFile; columns: Columns }) {
  const open = ambiguities(opened, columns);
  const shared = sharedColumns(columns);
  return (
    <>
      {open.length > 0 && (
        <Note tone="warn">
          {open.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </Note>
      )}
      {shared.map(([position, fields]) => (
        <p key={position} class="soft">
          “{nameOf(opened.headers, position)}” is sent as both {listed(fields.map(labelOf).toSorted())}: the
          file has one reference, and a customer needs both.
        </p>
      ))}
    </>
  );
}
