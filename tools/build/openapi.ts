/** `npm run openapi`: makes the OpenAPI document, and has Redocly's linter judge it. A warning counts as an error. */
import { createConfig, formatProblems, getTotals, lint } from '@redocly/openapi-core';
import { buildSite, openApiFile } from './site.ts';

await buildSite();
const config = await createConfig({
  extends: ['recommended-strict'],
  // Until there is a host, the one server that there is is local.
  rules: { 'no-server-example.com': 'off' },
});
const problems = await lint({ ref: openApiFile, config });
const totals = getTotals(problems);
formatProblems(problems, { totals });
console.log(`OpenAPI: ${totals.errors} errors, ${totals.warnings} warnings.`);
if (problems.length > 0) process.exit(1);
