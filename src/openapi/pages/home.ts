/** The page /: a first lookup by three means with its answer, and how customers come in. */
import { DEMO_CUSTOMER } from '../examples.ts';
import { escapeHtml, framePage } from './frame.ts';

const { phrase } = DEMO_CUSTOMER;

/** The script of the page replaces both by what is right on its server. */
const ORIGIN = '<span data-origin>https://api.example.com</span>';
const KEY = '<span data-key>peere_live_…</span>';

const WAYS = [
  {
    id: 'curl',
    name: 'cURL',
    code: `curl -H "Authorization: Bearer ${KEY}" \\
  --get "${ORIGIN}/v1/bank/customer" \\
  --data-urlencode "phrase=${phrase}"`,
  },
  {
    id: 'typescript',
    name: 'TypeScript',
    code: `import { createClient } from '@peere/client';

const peere = createClient({
  url: '${ORIGIN}',
  key: '${KEY}',
});
const customer = await peere.getCustomer({
  phrase: '${phrase}',
});`,
  },
  {
    id: 'cli',
    name: 'CLI',
    code: `export PEERE_URL=${ORIGIN}
export PEERE_API_KEY=${KEY}

npx peere lookup ${phrase}`,
  },
];

const copyButton = (target: string) =>
  `<button type="button" class="button small" data-copy="${target}" hidden>Copy</button>`;

const tabs = WAYS.map(
  ({ id, name }, at) =>
    `<button type="button" role="tab" id="tab-${id}" aria-controls="panel-${id}" aria-selected="${at === 0}">${name}</button>`,
).join('');

const panels = WAYS.map(
  ({ id, name, code }) => `<div id="panel-${id}" class="panel" aria-label="${name}">
          <pre tabindex="0"><code id="code-${id}">${code}</code></pre>${copyButton(`code-${id}`)}</div>`,
).join('\n        ');

const answer = JSON.stringify(
  { statusCode: 200, success: true, message: 'Customer retrieved successfully', data: DEMO_CUSTOMER },
  null,
  2,
);

export const homePage = () =>
  framePage({
    title: '',
    path: '/',
    styles: ['/home.css'],
    scripts: ['/home.js'],
    main: `
      <section class="hero">
        <h1>Given a phrase, who is this?</h1>
        <p class="lead">Banks add their customers to the network, and each customer gets a phrase of four words. Before a payment, this service says who is behind it.</p>
        <p class="actions"><a class="button primary" href="/console">Open the console</a> <a class="button" href="/docs">Read the reference</a></p>
      </section>
      <section class="first" aria-labelledby="first">
        <h2 id="first">A first request</h2>
        <div class="pair">
          <div class="ways">
            <div role="tablist" aria-label="Ways to ask" hidden>${tabs}</div>
        ${panels}
          </div>
          <div class="answer">
            <div class="caption"><span>The answer</span><span class="status">200 OK</span></div>
            <pre tabindex="0" aria-label="The answer as JSON"><code>${escapeHtml(answer)}</code></pre>
          </div>
        </div>
        <p class="soft">In Windows PowerShell 5, type <code>curl.exe</code>.</p>
      </section>
      <section class="import" aria-labelledby="import">
        <div>
          <h2 id="import">A file becomes customers</h2>
          <p>Drop an export into <a href="/console#import">the console</a>, or give it to the command line. Columns are recognised, every row is checked, and each customer comes back with a phrase. What was wrong comes back with the reason.</p>
          <p>Interrupted at any moment, the same file goes on, and nobody is there twice.</p>
        </div>
        <img src="/import.svg" width="805" height="332" alt="An import in a terminal: 40,000 rows in 21 seconds, and two files with the phrases and the failures" />
      </section>
      <nav class="more" aria-label="More">
        <a class="card" href="/docs"><strong>Reference</strong>Every operation, to read and to try.</a>
        <a class="card" href="/errors"><strong>Errors</strong>The cause and fix of each code.</a>
        <a class="card" href="/openapi.json"><strong>OpenAPI</strong>The same for programs.</a>
      </nav>`,
  });
