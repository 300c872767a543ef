/**
 * Compares a file with the directory. Neither fits into memory, and neither is sorted by email, so it takes three passes:
 * the file, whose rows each leave a fingerprint; the directory, whose customers are looked up there; and the file
 * again, to write the rows that are missing or differ.
 */
import type { Customer, PeereClient } from '@peere/client';
import { collectGarbage } from '../files/memory.ts';
import { readCustomerPages } from '../network/pages.ts';
import { hashEmail } from '../reading/emails.ts';
import { KNOWN_CUSTOMER } from '../reading/fields.ts';
import type { Customer as FileCustomer, Input, Row, Table } from '../reading/row.ts';
import { readTable } from '../reading/table.ts';
import { Progress } from '../terminal/progress.ts';
import { Reports } from './reports.ts';
import { OUTCOME, RowIndex } from './row-index.ts';
import { Spill } from './spill.ts';
import { COMPARED_FIELDS, emailOf, fingerprint, shown, stored, type ComparedField } from './values.ts';

export interface Comparison {
  /** Of the file. */
  rows: number;
  /** Of the directory. */
  customers: number;
  equal: number;
  changed: number;
  /** Rows that no customer has the email of. */
  missing: number;
  /** Rows that can't be read, have no email, or repeat the email of an earlier row. */
  refused: number;
  /** Customers that no row has the email of. */
  extra: number;
  /** What was compared. */
  fields: ComparedField[];
}

interface Work {
  /** The file, which can be read several times. */
  input: Input;
  rows: number;
  map: string[];
  /** Path of the input without its extension. */
  stem: string;
  client: PeereClient;
  log: (line: string) => void;
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
}

/** Rows and pages between two garbage collections. */
const COLLECT_EVERY_ROWS = 10_000;
const COLLECT_EVERY_PAGES = 10;

/** Writes the reports, without giving them their names. */
export async function compare(work: Work): Promise<Comparison> {
  const { input, rows, map, stem, log } = work;
  const table = await readTable(input, map, KNOWN_CUSTOMER);
  if (table.ignored.size > 0) log(`Not compared: ${[...table.ignored].join(', ')}`);
  const fields = await fieldsIn(table, work);
  const reports = new Reports(stem, table, fields);
  const spill = new Spill(`${stem}.reconcile.tmp`);
  const comparison: Comparison = {
    rows,
    customers: 0,
    equal: 0,
    changed: 0,
    missing: 0,
    refused: 0,
    extra: 0,
    fields,
  };
  try {
    const index = new RowIndex(rows);
    for await (const [row, { customer }] of numbered(table.rows)) {
      if (customer === undefined) index.refuse(row);
      else addRow(index, row, customer, fields);
    }
    log('Reading the directory …');
    await readDirectory(work, { index, spill, reports, comparison });
    log('Writing the differences …');
    const again = await readTable(input, map, KNOWN_CUSTOMER);
    for await (const [row, read] of numbered(again.rows)) {
      writeRow(row, read, { index, spill, reports, comparison });
    }
    return comparison;
  } finally {
    reports.close();
    spill.remove();
  }
}

/** The fields that are compared: those that the file has. In JSON they are known once every row has been read. */
async function fieldsIn(table: Table, { input, map }: Work): Promise<ComparedField[]> {
  if (table.columns !== undefined) return COMPARED_FIELDS.filter((field) => table.columns?.has(field));
  const found = new Set<string>();
  const { rows } = await readTable(input, map, KNOWN_CUSTOMER);
  for await (const [, { customer = {} }] of numbered(rows)) {
    for (const field of Object.keys(customer)) found.add(field);
  }
  return COMPARED_FIELDS.filter((field) => found.has(field));
}

/** Numbers rows from 1. */
async function* numbered(rows: AsyncIterable<Row>): AsyncGenerator<[number, Row]> {
  let number = 0;
  for await (const row of rows) {
    number += 1;
    yield [number, row];
    if (number % COLLECT_EVERY_ROWS === 0) collectGarbage();
  }
}

function addRow(index: RowIndex, row: number, customer: FileCustomer, fields: ComparedField[]): void {
  const email = emailOf(customer);
  const values = fields.map((field) => stored(field, customer));
  if (email === '') index.refuse(row);
  else index.add(row, hashEmail(email), fingerprint(email, values));
}

interface Pass {
  index: RowIndex;
  spill: Spill;
  reports: Reports;
  comparison: Comparison;
}

async function readDirectory({ client, stderr, signal }: Work, pass: Pass): Promise<void> {
  const { comparison } = pass;
  const progress = new Progress(stderr, 0);
  let pages = 0;
  try {
    for await (const { customers, total } of readCustomerPages(client, signal)) {
      for (const customer of customers) findRow(customer, pass);
      comparison.customers += customers.length;
      const share = total === 0 ? 1 : Math.min(comparison.customers / total, 1);
      progress.show({ done: comparison.customers, failed: 0, share });
      pages += 1;
      if (pages % COLLECT_EVERY_PAGES === 0) collectGarbage();
    }
  } finally {
    progress.end();
  }
}

function findRow(customer: Customer, pass: Pass): void {
  const { index, spill, comparison } = pass;
  const { email = '' } = customer;
  const row = index.find(hashEmail(email));
  if (row === undefined) {
    addExtra(customer, pass);
    return;
  }
  const print = fingerprint(
    email,
    comparison.fields.map((field) => shown(field, customer)),
  );
  if (index.isEqual(row, print)) index.settle(row, OUTCOME.equal);
  else index.settle(row, OUTCOME.changed, spill.add(customer));
}

function addExtra(customer: Customer, { reports, comparison }: Pass): void {
  comparison.extra += 1;
  reports.addExtra(customer);
}

function addMissing(row: number, { cells }: Row, { reports, comparison }: Pass): void {
  comparison.missing += 1;
  reports.addMissing({ row, cells, ...MISSING, isRepeat: false });
}

function writeRow(row: number, read: Row, pass: Pass): void {
  const { index, reports, comparison } = pass;
  const outcome = index.outcomeOf(row);
  if (outcome === OUTCOME.equal) comparison.equal += 1;
  else if (outcome === OUTCOME.changed) writeChanged(row, read, pass);
  else if (outcome === OUTCOME.missing) addMissing(row, read, pass);
  else {
    comparison.refused += 1;
    reports.addMissing({ row, cells: read.cells, ...refusalOf(row, read, index.placeOf(row)) });
  }
}

function writeChanged(row: number, read: Row, pass: Pass): void {
  const { index, spill, reports, comparison } = pass;
  const { customer = {} } = read;
  const found = spill.read(index.placeOf(row));
  // Two emails may have the same hash, in one of thousands of files. They are still two people.
  if (found.email !== emailOf(customer)) {
    addExtra(found, pass);
    addMissing(row, read, pass);
    return;
  }
  const differing = comparison.fields.filter(
    (field) => stored(field, customer, found.country) !== shown(field, found),
  );
  // A national phone number may turn out to be the same, now that the customer's country is known.
  if (differing.length === 0) {
    comparison.equal += 1;
    return;
  }
  comparison.changed += 1;
  reports.addChanged(row, customer, found, differing);
}

/** Why a row can't be compared. @param earlier row with the same email, or the row itself */
function refusalOf(row: number, { fault }: Row, earlier: number) {
  if (fault !== undefined) return { ...fault, isRepeat: false };
  if (earlier === row) return { ...NO_EMAIL, isRepeat: false };
  const reason = `email is the same as in row ${earlier}`;
  return { code: 'DUPLICATE_IN_BATCH', reason, isRepeat: true };
}

const MISSING = { code: 'MISSING', reason: 'is not in the directory' };
const NO_EMAIL = { code: 'INVALID_DATA', reason: 'has no email, by which a customer is found' };
