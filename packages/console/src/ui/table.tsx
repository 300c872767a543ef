/** Tables that scroll inside themselves, and lists that are read page by page. */
import type { ComponentChildren } from 'preact';
import { useStepwise } from './hooks.ts';
import { Empty, ErrorNote } from './parts.tsx';
import type { Pages } from './pages.ts';

export interface Column<Row> {
  name: string;
  /** Numbers are aligned on the right. */
  isNumber?: boolean;
  cell: (row: Row) => ComponentChildren;
}

export function Table<Row>({
  label,
  columns,
  rows,
}: {
  label: string;
  columns: Column<Row>[];
  rows: readonly Row[];
}) {
  const rendered = useStepwise(rows);
  return (
    <div class="table" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead>
          <tr>
            {columns.map(({ name, isNumber }) => (
              <th key={name} scope="col" class={isNumber === true ? 'number' : undefined}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rendered.map((row, at) => (
            <tr key={at}>
              {columns.map(({ name, isNumber, cell }) => (
                <td key={name} class={isNumber === true ? 'number' : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** As high as a few rows, so that nothing jumps when they arrive. */
function Loading({ label }: { label: string }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading {label}</span>
      {[0, 1, 2, 3].map((row) => (
        <span key={row} />
      ))}
    </div>
  );
}

export function List<Row>({
  label,
  columns,
  pages,
  empty,
}: {
  label: string;
  columns: Column<Row>[];
  pages: Pages<Row>;
  empty: { title: string; text: ComponentChildren };
}) {
  const { rows, isBusy, hasMore, error, readOn, reload } = pages;
  if (rows === undefined && error === undefined) return <Loading label={label} />;
  return (
    <>
      <ErrorNote error={error}>
        <button type="button" class="button small" onClick={rows === undefined ? reload : readOn}>
          Try again
        </button>
      </ErrorNote>
      {rows?.length === 0 && <Empty title={empty.title}>{empty.text}</Empty>}
      {rows !== undefined && rows.length > 0 && <Table label={label} columns={columns} rows={rows} />}
      {hasMore && error === undefined && (
        <button type="button" class="button more" disabled={isBusy} onClick={readOn}>
          {isBusy ? 'Loading …' : 'Show more'}
        </button>
      )}
    </>
  );
}
