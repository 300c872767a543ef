/**
 * Compares the bank's own file with the directory, and applies the differences if it is told to. Promise: it erases
 * nothing; interrupted at any moment and run again, it goes on.
 */
import type { Bank, ClientOptions, PeereClient } from '@peere/client';
import { inspect, type Inspection } from '../files/inspect.ts';
import { acquireLock } from '../files/lock.ts';
import { keepMemorySmall } from '../files/memory.ts';
import type { Source } from '../files/source.ts';
import type { Terminal } from '../import/importer.ts';
import { CommandError, StoppedError } from '../reading/errors.ts';
import { KNOWN_CUSTOMER, NEW_CUSTOMER } from '../reading/fields.ts';
import { readTable } from '../reading/table.ts';
import { createMissing, updateChanged, type Applied } from './apply.ts';
import { compare, type Comparison } from './compare.ts';
import {
  assertReportsFree,
  existingReports,
  publishReports,
  removeReports,
  type ReportName,
} from './reports.ts';
import { readState, removeState, STATE_VERSION, writeState } from './state.ts';

export interface ReconcileOptions {
  source: Source;
  map: string[];
  /** Creates and updates customers. */
  apply: boolean;
  /** Overwrites the files of an earlier comparison. */
  force: boolean;
  connection: Pick<ClientOptions, 'url' | 'key'>;
  /** Origin of the service. */
  origin: string;
  bank: Bank;
}

export interface ReconcileSummary extends Comparison {
  /** Do the file and the directory agree, after the differences were applied? */
  agrees: boolean;
  files: Partial<Record<ReportName, string>>;
  applied: Applied | undefined;
}

/** @throws CommandError, StoppedError, PeereError */
export async function reconcileFile(
  options: ReconcileOptions,
  client: PeereClient,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<ReconcileSummary> {
  const { source, apply, bank } = options;
  keepMemorySmall(true);
  assertScope(bank, 'customers:read:extended', 'to compare emails');
  if (apply) assertScope(bank, 'customers:write', 'for --apply');
  const release = acquireLock(`${source.stem}.reconcile.lock`, 'reconciled');
  try {
    return await reconcileLocked(options, { client, terminal, signal });
  } finally {
    release();
  }
}

interface Context {
  client: PeereClient;
  terminal: Terminal;
  signal: AbortSignal;
}

async function reconcileLocked(options: ReconcileOptions, context: Context): Promise<ReconcileSummary> {
  const { source, apply, map } = options;
  const { terminal } = context;
  const { stem } = source;
  // Before gigabytes are read; an interrupted run may have left files of its own.
  if (!options.force && readState(stem) === undefined) assertReportsFree(stem);
  terminal.log(`Reading ${source.name} …`);
  const inspection = await inspect(source);
  // Customers can only be created from a file with every field of a new one.
  if (apply) await (await readTable(inspection.unchanged, mapOfNewCustomers(map))).rows.return(undefined);
  const comparison = await findOrCompare(options, inspection, context);
  publishReports(stem);
  const applied = apply ? await applyAll(options, comparison, context) : undefined;
  removeState(stem);
  const files = existingReports(stem);
  return { ...comparison, files, applied, agrees: agrees(comparison, applied) };
}

function agrees({ missing, refused, changed, extra }: Comparison, applied: Applied | undefined): boolean {
  if (refused > 0 || extra > 0) return false;
  return applied === undefined ? missing + changed === 0 : applied.failed + applied.kept === 0;
}

/** @returns what an interrupted run of the same command found out, or what is found out now */
async function findOrCompare(
  { source, map, apply, force, bank, origin }: ReconcileOptions,
  { fingerprint, rows, unchanged }: Inspection,
  { client, terminal, signal }: Context,
): Promise<Comparison> {
  const { stem } = source;
  const known = readState(stem);
  const isSame =
    known?.input === fingerprint &&
    known.origin === origin &&
    known.bankId === bank.id &&
    String(known.map) === String(map);
  // What was partly applied since is not what a comparison alone would find.
  if (isSame && (apply || !known.applying)) {
    terminal.log('Continuing with the differences that were found before.');
    return known.comparison;
  }
  // The files of the interrupted run are its own.
  if (!force && !isSame) assertReportsFree(stem);
  await warnOfOpenBatches(client, terminal, signal);
  removeReports(stem);
  removeState(stem);
  try {
    const work = { input: unchanged, rows, map, stem, client, signal, ...terminal };
    const comparison = await compare(work);
    const begun = { input: fingerprint, origin, bankId: bank.id, map, applying: apply };
    writeState(stem, { reconcile: STATE_VERSION, ...begun, comparison });
    return comparison;
  } catch (error) {
    throw new StoppedError('The comparison has stopped.', { cause: error });
  }
}

/** Fields that no batch can bring. */
const LATER_FIELDS = new Set<string>(
  KNOWN_CUSTOMER.names.filter((field) => !NEW_CUSTOMER.names.includes(field)),
);

/** What `--map` says about the other fields: a batch does not know these. */
const mapOfNewCustomers = (map: string[]) =>
  map.filter((entry) => !LATER_FIELDS.has(entry.slice(0, entry.indexOf('='))));

async function applyAll(
  { source, map, connection }: ReconcileOptions,
  { missing, refused, changed, fields }: Comparison,
  { client, terminal, signal }: Context,
): Promise<Applied> {
  const target = { client, connection, stem: source.stem, map: mapOfNewCustomers(map), terminal, signal };
  const applied: Applied = { created: 0, updated: 0, failed: 0, kept: 0 };
  try {
    if (missing > 0) {
      const { created, failed } = await createMissing(target);
      applied.created = created;
      applied.failed += Math.max(failed - refused, 0);
      if (created > 0 && fields.some((field) => LATER_FIELDS.has(field))) {
        terminal.log(
          `${[...LATER_FIELDS].join(' and ')} of new customers can only be set by an update: run the same command again for them.`,
        );
        applied.kept += created;
      }
    }
    if (changed > 0) {
      terminal.log('Updating what differs …');
      const { updated, failed, kept } = await updateChanged(target, changed);
      applied.updated = updated;
      applied.failed += failed;
      applied.kept += kept;
    }
    return applied;
  } catch (error) {
    throw new StoppedError('The differences are not all applied.', { cause: error });
  }
}

function assertScope({ scopes }: Bank, scope: Bank['scopes'][number], why: string): void {
  if (scopes.includes(scope)) return;
  throw new CommandError(
    `The API key does not have the scope ${scope}, which is needed ${why}: use another API key.`,
  );
}

/** Customers of a batch that is in process would be reported as missing. */
async function warnOfOpenBatches(client: PeereClient, { log }: Terminal, signal: AbortSignal): Promise<void> {
  const open = await client.listBatches({ status: 'PROCESSING', limit: 1 }, { signal }).next();
  if (open.done === true) return;
  log(
    `Batch ${open.value.batchId} is still in process: its customers may be reported as missing until it is completed.`,
  );
}
