/**
 * Brings the directory to the state of the file: creates the customers that are missing, and updates fields that differ.
 * It never erases a customer, and an empty cell never clears a field. Interrupted and run again, it ends the same way.
 */
import { PeereError, UPDATE_FIELDS, type ClientOptions, type PeereClient } from '@peere/client';
import { openSource } from '../files/source.ts';
import { BATCH_ROWS, CONCURRENCY } from '../batches/defaults.ts';
import { importFile, type ImportSummary, type Terminal } from '../import/importer.ts';
import { openCsv } from '../reading/csv.ts';
import { unescapeFormula } from '../reading/formulas.ts';
import { Progress } from '../terminal/progress.ts';
import { inDirectory, inFile, reportPath } from './reports.ts';
import { COMPARED_FIELDS, shown, type ComparedField } from './values.ts';

export interface Applied {
  created: number;
  updated: number;
  /** Rows that the service refused, or whose customer is gone. */
  failed: number;
  /** Customers with a difference that no update can remove: a country, a gender, or an empty cell. */
  kept: number;
}

interface Target {
  client: PeereClient;
  connection: Pick<ClientOptions, 'url' | 'key'>;
  stem: string;
  map: string[];
  terminal: Terminal;
  signal: AbortSignal;
}

/** Imports the file of missing rows, as `peere import` would. */
export function createMissing({ connection, stem, map, terminal, signal }: Target): Promise<ImportSummary> {
  const { url, key } = connection;
  const path = reportPath(stem, 'missing');
  const how = { format: 'csv', dryRun: false, batchRows: BATCH_ROWS, concurrency: CONCURRENCY } as const;
  return importFile({ path, url, key, map, ...how }, terminal, signal);
}

/** Customers that are read and updated at the same time. */
const CONCURRENT_UPDATES = 8;
/** Attempts to update a customer that somebody else changes meanwhile. */
const MAX_ATTEMPTS = 3;

/** What the file has in the fields of one customer that can be updated. */
interface WantedChange {
  row: string;
  id: string;
  values: [field: ComparedField, wanted: string, found: string][];
  /** Is there a difference besides? */
  keepsOthers: boolean;
}

/** Reads the file of changed customers and updates each. @param total number of its rows */
export async function updateChanged(target: Target, total: number): Promise<Omit<Applied, 'created'>> {
  const { client, terminal, signal } = target;
  const applied = { updated: 0, failed: 0, kept: 0 };
  const progress = new Progress(terminal.stderr, 0);
  let done = 0;
  const updateAll = async (changes: WantedChange[]) => {
    const outcomes = await Promise.all(changes.map((change) => updateOne(client, change, signal)));
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.isUpdated) applied.updated += 1;
      if (outcome.fault === undefined) continue;
      applied.failed += 1;
      terminal.log(`Row ${changes[index]?.row} was not updated: ${outcome.fault}`);
    }
    done += changes.length;
    progress.show({ done, failed: applied.failed, share: done / total });
  };
  try {
    let waiting: WantedChange[] = [];
    for await (const change of readChanges(target)) {
      if (change.keepsOthers) applied.kept += 1;
      if (change.values.length > 0) waiting.push(change);
      if (waiting.length < CONCURRENT_UPDATES) continue;
      await updateAll(waiting);
      waiting = [];
    }
    await updateAll(waiting);
  } finally {
    progress.end();
  }
  return applied;
}

async function* readChanges({ stem, terminal, signal }: Target): AsyncGenerator<WantedChange> {
  const source = await openSource(reportPath(stem, 'changed'), 'csv', terminal.stdin, signal);
  const { headers, records } = await openCsv(source.name, source.text());
  for await (const record of records) {
    const cell = (name: string) => unescapeFormula(record[headers.indexOf(name)] ?? '');
    const differing = COMPARED_FIELDS.filter((field) => cell('fields').split(' ').includes(field));
    const values = differing
      .filter((field) => isPatchable(field) && cell(inFile(field)) !== '')
      .map((field): WantedChange['values'][number] => [field, cell(inFile(field)), cell(inDirectory(field))]);
    yield { row: cell('row'), id: cell('id'), values, keepsOthers: values.length < differing.length };
  }
}

const isPatchable = (field: string) => (UPDATE_FIELDS as readonly string[]).includes(field);

interface UpdateOutcome {
  /** False if there was nothing to change, or the service refused it. */
  isUpdated: boolean;
  /** Why the customer could not be updated. */
  fault?: string;
}

/** @throws PeereError if the service could not be asked */
async function updateOne(
  client: PeereClient,
  { id, values }: WantedChange,
  signal: AbortSignal,
): Promise<UpdateOutcome> {
  for (let attempt = 1; ; attempt += 1) {
    const customer = await client.getCustomer({ id }, { fresh: true, signal });
    if (customer === null) return { isUpdated: false, fault: 'it has been erased.' };
    const update = values.filter(([field, wanted]) => shown(field, customer) !== wanted);
    if (update.length === 0) return { isUpdated: attempt > 1 };
    if (update.some(([field, , found]) => shown(field, customer) !== found))
      return { isUpdated: false, fault: 'it has been changed since the comparison; compare again.' };
    try {
      await client.updateCustomer(id, Object.fromEntries(update.map(([field, wanted]) => [field, wanted])), {
        ifMatch: customer.etag,
        signal,
      });
      return { isUpdated: true };
    } catch (error) {
      if (!(error instanceof PeereError)) throw error;
      if (error.code === 'INVALID_REQUEST') return { isUpdated: false, fault: error.message };
      // Somebody else changed another field, or the response was lost: what it is now decides.
      const mayHaveChanged = ['PRECONDITION_FAILED', 'NO_RESPONSE', 'UNAVAILABLE'].includes(error.code);
      if (!mayHaveChanged || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}
