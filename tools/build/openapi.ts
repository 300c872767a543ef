/** `npm run openapi`: generates the OpenAPI document and lints it with Redocly. A warning counts as an error. */
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';
import { buildSite, openApiFile } from './site.ts';

await buildSite();
const config = await createConfig({
  extends: ['recommended-strict'],
  // Until there is a deployed host, the only server in the document is the local one.
  rules: { 'no-server-example.com': 'off' },
});
const problems = await lint({ ref: openApiFile, config });
const totals = getTotals(problems);
formatProblems(problems, { totals });
console.log(`OpenAPI: ${totals.errors} errors, ${totals.warnings} warnings.`);
if (problems.length > 0) process.exit(1);
