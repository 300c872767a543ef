/**
 * Generates src/lib/phone-metadata.json: the numbering plans of libphonenumber-js without the patterns for printing
 * numbers, which the Worker does not use: 9 KB of its gzipped 80. Run `npm run phone-metadata` after an update of the
 * library; test/lib/lib.test.ts fails if that was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Index of the printing patterns in a numbering plan (libphonenumber-js, metadata version 4). */
const FORMATS = 4;

type Plans = Record<string, unknown[]>;

const source = createRequire(import.meta.url).resolve('libphonenumber-js/metadata.min.json');
const metadata = JSON.parse(readFileSync(source, 'utf8')) as { countries: Plans; nonGeographic: Plans };
for (const plans of [metadata.countries, metadata.nonGeographic]) {
  for (const plan of Object.values(plans)) if (plan.length > FORMATS) plan[FORMATS] = 0;
}
const target = fileURLToPath(new URL('../../src/lib/phone-metadata.json', import.meta.url).href);
writeFileSync(target, `${JSON.stringify(metadata)}\n`);
