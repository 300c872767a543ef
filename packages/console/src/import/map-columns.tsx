/** Shows which column is which field, with the first rows, and lets both be changed. */
import { NEW_CUSTOMER_FIELDS } from '@peere/client';
import { COLUMNS_AFTER, COLUMNS_BEFORE } from '../../../cli/src/reading/failures-file.ts';
import type { Field } from '../../../cli/src/reading/fields.ts';
import type { OpenedFile } from './plan.ts';

/** The field of each column, by position. */
export type Mapping = Map<number, Field>;

const FIELDS = Object.keys(NEW_CUSTOMER_FIELDS) as (keyof typeof NEW_CUSTOMER_FIELDS)[];

export function missingFields(mapping: Mapping): string[] {
  const mapped = new Set<string>(mapping.values());
  return FIELDS.filter((field) => NEW_CUSTOMER_FIELDS[field].required && !mapped.has(field));
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
  mapping: Mapping;
  onChange: (mapping: Mapping) => void;
}

export function MapColumns({ opened, mapping, onChange }: MapProps) {
  const { headers, preview, format } = opened;
  const own = ownPositions(opened);
  const shown = [...headers.keys()].filter((position) => !own.has(position));
  const isFixed = format !== 'csv';
  const choose = (position: number, field: string) => {
    // A field has one column: the new one takes it from the old one.
    const others = [...mapping].filter(([at, known]) => at !== position && known !== field);
    onChange(new Map(field === '' ? others : [...others, [position, field as Field]]));
  };
  return (
    <div class="table mapping" role="region" aria-label="Columns and the first rows" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {shown.map((position) => (
              <th key={position} scope="col">
                <span class="header">{headers[position] || `column ${position + 1}`}</span>
                {!isFixed && (
                  <select
                    aria-label={`Field of ${headers[position] || `column ${position + 1}`}`}
                    class={mapping.has(position) ? 'mapped' : ''}
                    value={mapping.get(position) ?? ''}
                    onChange={({ currentTarget }) => choose(position, currentTarget.value)}
                  >
                    <option value="">not sent</option>
                    {FIELDS.map((field) => (
                      <option key={field} value={field}>
                        {field}
                        {NEW_CUSTOMER_FIELDS[field].required ? ' *' : ''}
                      </option>
                    ))}
                  </select>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {preview.map((row, at) => (
            <tr key={at}>
              {shown.map((position) => (
                <td key={position} class={isFixed || mapping.has(position) ? '' : 'unsent'}>
                  {row[position]}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
