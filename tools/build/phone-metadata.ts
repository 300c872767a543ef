/**
 * Makes src/lib/phone-metadata.json: what libphonenumber-js knows of every country's numbers, without the
 * patterns for printing them, which nobody here uses: 9 KB of the Worker's gzipped 80. Run it after updating the
 * library (`npm run phone-metadata`); test/lib/phone.test.ts fails if that was forgotten.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/** Where a numbering plan keeps its patterns for printing (libphonenumber-js, metadata version 4). */
const FORMATS = 4;

type Plans = Record<string, unknown[]>;

const source = createRequire(import.meta.url).resolve('libphonenumber-js/metadata.min.json');
const metadata = JSON.parse(readFileSync(source, 'utf8')) as { countries: Plans; nonGeographic: Plans };
for (const plans of [metadata.countries, metadata.nonGeographic]) {
  for (const plan of Object.values(plans)) if (plan.length > FORMATS) plan[FORMATS] = 0;
}
const target = fileURLToPath(new URL('../../src/lib/phone-metadata.json', import.meta.url).href);
writeFileSync(target, `${JSON.stringify(metadata)}\n`);
