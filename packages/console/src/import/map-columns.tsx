/** Shows which column is which field, with the first rows, and lets both be changed. */
import { COLUMNS_AFTER, COLUMNS_BEFORE } from '../../../cli/src/reading/failures-file.ts';
import { NEW_CUSTOMER, REFERENCES, type Columns, type Field } from '../../../cli/src/reading/fields.ts';
import { useStepwise } from '../ui/hooks.ts';
import { labelOf, listed } from '../ui/labels.ts';
import type { OpenedFile } from './plan.ts';

/** What a column can be: a field, or both references. */
const CHOICES: { fields: Field[]; label: string }[] = [
  ...NEW_CUSTOMER.names.map((field) => ({ fields: [field], label: labelOf(field) })),
  { fields: [...REFERENCES], label: 'Both references' },
];

const isRequired = (field: Field) => NEW_CUSTOMER.required.includes(field);

/** @returns the labels of the required fields that no column has */
export function missingFields(columns: Columns): string[] {
  return NEW_CUSTOMER.required.filter((field) => !columns.has(field)).map(labelOf);
}

export const nameOf = (headers: string[], position: number) => headers[position] || `column ${position + 1}`;

/** @returns a sentence for each field that several columns could be, until one of them is chosen */
export function ambiguities({ ambiguous, headers }: OpenedFile, columns: Columns): string[] {
  return ambiguous
    .filter(([field]) => !columns.has(field))
    .map(([field, positions]) => {
      const names = positions.map((position) => `“${nameOf(headers, position)}” (column ${position + 1})`);
      return `${listed(names)} could each be “${labelOf(field)}”: choose it for one of them.`;
    });
}

/** The columns that the importer itself has added to a file of failures are dropped, and need no field. */
export function ownPositions({ headers, isFailuresFile }: OpenedFile): Set<number> {
  if (!isFailuresFile) return new Set();
  const first = COLUMNS_BEFORE.map((name) => headers.indexOf(name));
  const last = COLUMNS_AFTER.map((name) => headers.lastIndexOf(name));
  return new Set([...first, ...last]);
}

interface MapProps {
  opened: OpenedFile;
  columns: Columns;
  onChange: (columns: Columns) => void;
}

export function MapColumns({ opened, columns, onChange }: MapProps) {
  const { headers, preview, format } = opened;
  const own = ownPositions(opened);
  const shown = [...headers.keys()].filter((position) => !own.has(position));
  const isFixed = format !== 'csv';
  const fieldsAt = (position: number) =>
    NEW_CUSTOMER.names.filter((field) => columns.get(field) === position);
  const choose = (position: number, fields: Field[]) => {
    // A field has one column: the new one takes it from the old one.
    const others = [...columns].filter(([field, at]) => at !== position && !fields.includes(field));
    onChange(new Map([...others, ...fields.map((field) => [field, position] as const)]));
  };
  return (
    <div class="table mapping" role="region" aria-label="Columns and the first rows" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {shown.map((position) => (
              <th key={position} scope="col">
                <span class="header">
                  {isFixed ? labelOf(headers[position] ?? '') : nameOf(headers, position)}
                </span>
                {!isFixed && (
                  <ChooseField
                    label={`Field of ${nameOf(headers, position)}`}
                    fields={fieldsAt(position)}
                    onChoose={(fields) => choose(position, fields)}
                  />
                )}
              </th>
            ))}
          </tr>
        </thead>
        <Preview
          rows={preview}
          positions={shown}
          isSent={(position) => isFixed || fieldsAt(position).length > 0}
        />
      </table>
    </div>
  );
}

function Preview({
  rows,
  positions,
  isSent,
}: {
  rows: string[][];
  positions: number[];
  isSent: (position: number) => boolean;
}) {
  return (
    <tbody>
      {useStepwise(rows).map((row, at) => (
        <tr key={at}>
          {positions.map((position) => (
            <td key={position} class={isSent(position) ? '' : 'unsent'}>
              {row[position]}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  );
}

function ChooseField({
  label,
  fields,
  onChoose,
}: {
  label: string;
  fields: Field[];
  onChoose: (fields: Field[]) => void;
}) {
  return (
    <select
      aria-label={label}
      class={fields.length > 0 ? 'mapped' : ''}
      value={fields.join()}
      onChange={({ currentTarget }) => onChoose(CHOICES[currentTarget.selectedIndex - 1]?.fields ?? [])}
    >
      <option value="">Not sent</option>
      {CHOICES.map((choice) => (
        <option key={choice.label} value={choice.fields.join()}>
          {choice.label}
          {choice.fields.every(isRequired) ? ' *' : ''}
        </option>
      ))}
    </select>
  );
}
