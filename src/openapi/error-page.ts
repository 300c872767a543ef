/** The page /errors: one section per code. The `docs` field of an error links to it. */
import { ERRORS } from '../errors.ts';
import { ERROR_GUIDE, FAILURE_GUIDE, type Guide } from './error-guide.ts';

function toHtml(text: string): string {
  const safe = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return safe.replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

function section(code: string, heading: string, { cause, fix }: Guide): string {
  return `<section id="${code}">
  <h3><code>${code}</code></h3>
  <p class="message">${toHtml(heading)}</p>
  <dl><dt>Why</dt><dd>${toHtml(cause)}</dd><dt>What to do</dt><dd>${toHtml(fix)}</dd></dl>
</section>`;
}

export function errorPage(): string {
  const errors = Object.entries(ERROR_GUIDE).map(([code, guide]) => {
    const { status, message } = ERRORS[code as keyof typeof ERRORS];
    return section(code, `${status} · ${message}`, guide);
  });
  const failures = Object.entries(FAILURE_GUIDE).map(([code, guide]) =>
    section(code, 'Row of a batch', guide),
  );
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>Errors · Peere customers</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    <link rel="stylesheet" href="/site.css" />
  </head>
  <body>
    <main>
      <h1>Errors</h1>
      <p class="lead">The cause and fix of each <code>code</code>. <a href="/docs">The reference</a> has everything else.</p>
      <h2>Errors of a request</h2>
      ${errors.join('\n')}
      <h2>Failures of a row in a batch</h2>
      <p>They do not affect the other rows of the batch.</p>
      ${failures.join('\n')}
    </main>
  </body>
</html>
`;
}
