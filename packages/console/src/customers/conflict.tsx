/** Both versions of a customer that somebody else changed while it was being edited. */
import { UPDATE_FIELDS, type Customer } from '@peere/client';
import { LABELS } from '../ui/labels.ts';
import { Note } from '../ui/parts.tsx';
import { Table } from '../ui/table.tsx';
import { toDraft, type Draft, type UpdateField } from './fields.ts';

interface ConflictProps {
  /** As it was when the draft was begun. */
  base: Customer;
  mine: Draft;
  theirs: Customer;
  onTakeTheirs: () => void;
  onKeepMine: () => void;
}

const shown = (text: string, isChanged: boolean) => {
  const value = text === '' ? '–' : text;
  return isChanged ? <mark>{value}</mark> : <span>{value}</span>;
};

export function Conflict({ base, mine, theirs, onTakeTheirs, onKeepMine }: ConflictProps) {
  const [before, now] = [toDraft(base), toDraft(theirs)];
  const differing = UPDATE_FIELDS.filter(
    (field) => mine[field].trim() !== before[field] || now[field] !== before[field],
  );
  const columns = [
    { name: 'Field', cell: (field: UpdateField) => LABELS[field] },
    { name: 'When you began', cell: (field: UpdateField) => shown(before[field], false) },
    { name: 'Yours', cell: (field: UpdateField) => shown(mine[field], mine[field].trim() !== before[field]) },
    { name: 'Now stored', cell: (field: UpdateField) => shown(now[field], now[field] !== before[field]) },
  ];
  return (
    <div role="alert">
      <Note tone="warn">
        <p>
          <strong>Somebody else has changed this customer since you began.</strong> Nothing of yours has been
          saved. Compare the two, and decide.
        </p>
      </Note>
      <Table label="Both versions" columns={columns} rows={differing} />
      <div class="actions">
        <button type="button" class="button primary" onClick={onKeepMine}>
          Go on with mine
        </button>
        <button type="button" class="button" onClick={onTakeTheirs}>
          Keep what is stored
        </button>
      </div>
      <p class="soft">
        “Go on with mine” puts your changes on top of what is stored now, for you to look at and save.
      </p>
    </div>
  );
}
