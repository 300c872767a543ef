/** Every phrase in a document is possible: its words are in the list. */
import { expect, it } from 'vitest';
import cliReadme from '../../packages/cli/README.md?raw';
import clientReadme from '../../packages/client/README.md?raw';
import performancePage from '../../docs/performance.md?raw';
import reliabilityPage from '../../docs/reliability.md?raw';
import scalingPage from '../../docs/scaling.md?raw';
import storagePage from '../../docs/storage.md?raw';
import readme from '../../README.md?raw';
import security from '../../SECURITY.md?raw';
import { normalisePhrase } from '../../src/lib/phrase.ts';
import { buildOpenApi } from '../../src/openapi/openapi.ts';
import { ERROR_GUIDE } from '../../src/openapi/error-guide.ts';
import { MUTANTS } from '../simulation/mutants.ts';

/** Four words that are not part of a URL, a path or the name of a package. */
const FOUR_WORDS = /(?<![\w./-])[a-z]{3,8}(?:-[a-z]{3,8}){3}(?![\w./-])/g;

const TEXTS = {
  'README.md': readme,
  'SECURITY.md': security,
  'packages/cli/README.md': cliReadme,
  'packages/client/README.md': clientReadme,
  'docs/performance.md': performancePage,
  'docs/reliability.md': reliabilityPage,
  'docs/scaling.md': scalingPage,
  'docs/storage.md': storagePage,
  'the OpenAPI document': JSON.stringify(buildOpenApi('0')),
  'the guide to errors': JSON.stringify(ERROR_GUIDE),
};

it.each(Object.entries(TEXTS))('%s shows no impossible phrase', (_, text) => {
  // Names of planted bugs look like phrases.
  const shown = new Set(text.match(FOUR_WORDS)).difference(new Set(Object.keys(MUTANTS)));
  expect([...shown].filter((phrase) => normalisePhrase(phrase) === null)).toEqual([]);
});

it('finds the phrases of the documents', () => {
  const shown = Object.values(TEXTS).flatMap((text) => text.match(FOUR_WORDS) ?? []);
  expect(new Set(shown)).toContain('river-stone-ocean-coral');
});
