import { expect, it } from 'vitest';
import { isSpreadsheetDamage } from '../../src/lib/spreadsheet.ts';

it.each([
  '1.23457E+10',
  '1,23457E+11',
  '1E+10',
  '1.23457e+10',
  '1.2345678901E10',
  '-1.5E-05',
  '="0123456789"',
  '=0123456789',
  '=A1',
  "'0123456789",
  '123456789.0',
  '123456789,00',
  '1,234,567,890',
  '1,234,567.00',
  '#REF!',
  '#N/A',
  '#NAME?',
  '#VALUE!',
  '#DIV/0!',
  '#NUM!',
  '#NULL!',
  '#SPILL!',
  '#WERT!',
  '#BEZUG!',
  '#NV',
  '#¿NOMBRE?',
  '########',
  'Err:502',
  '\u200E1.23457E+10',
  '1.23457E+10\u200B',
])('%s is what a spreadsheet left of a number', (text) => {
  expect(isSpreadsheetDamage(text)).toBe(true);
});

it.each([
  '0123456789',
  'GB29 NWBK 6016 1331 9268 19',
  '1E10',
  '12E4',
  'E+10',
  '12.0',
  '001-1234567-89',
  '12.345.678-9',
  '12,345',
  'r-1',
  '#1',
  '#',
  '#ward-7',
  'A=B',
  "O'Neil",
  'Err: none',
])('%s is a number or a name like others', (text) => {
  expect(isSpreadsheetDamage(text)).toBe(false);
});
