/** Turns customers into the text of an export. */
import { CUSTOMER_FIELDS, type Customer } from '@peere/client';
import { stringify } from 'csv-stringify/sync';
import { escapeFormula } from '../reading/formulas.ts';

export type ExportFormat = 'csv' | 'ndjson';
export type FieldSet = 'standard' | 'extended';

type Field = keyof typeof CUSTOMER_FIELDS;

/** The fields of a set, in the order of the contract. */
export function fieldsOf(set: FieldSet): Field[] {
  const names = Object.keys(CUSTOMER_FIELDS) as Field[];
  return set === 'extended' ? names : names.filter((name) => !CUSTOMER_FIELDS[name].extended);
}

/** The first line of a CSV file. Excel only reads UTF-8 if it begins with a byte order mark. */
export function headerOf(format: ExportFormat, fields: Field[]): string {
  return format === 'csv' ? stringify([fields], { bom: true }) : '';
}

export function rowsOf(format: ExportFormat, fields: Field[], customers: readonly Customer[]): string {
  if (format === 'ndjson') return customers.map((customer) => `${toJson(customer, fields)}\n`).join('');
  return stringify(customers.map((customer) => fields.map((field) => toCell(customer[field]))));
}

function toJson(customer: Customer, fields: Field[]): string {
  return JSON.stringify(Object.fromEntries(fields.map((field) => [field, customer[field] ?? null])));
}

/** A number in E.164 begins with a plus, and a spreadsheet runs nothing for it. */
const E164 = /^\+\d+$/;

/** The text of a cell. A spreadsheet runs nothing that is in it. */
export function toCell(value: string | null | undefined): string {
  const text = value ?? '';
  return E164.test(text) ? text : escapeFormula(text);
}
