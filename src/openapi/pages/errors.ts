/** The page /errors: an index, and a section for each code. The `docs` field of an error links to it. */
import { ERRORS } from '../../errors.ts';
import { ERROR_GUIDE, FAILURE_GUIDE, type Guide } from '../error-guide.ts';
import { escapeHtml, framePage } from './frame.ts';

const toHtml = (text: string) => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

interface Entry {
  code: string;
  /** Undefined for a row of a batch. */
  status?: number;
  message: string;
  guide: Guide;
}

const requestErrors = Object.entries(ERROR_GUIDE).map(([code, guide]): Entry => {
  const { status, message } = ERRORS[code as keyof typeof ERRORS];
  return { code, status, message, guide };
});
const rowFailures = Object.entries(FAILURE_GUIDE).map(([code, guide]): Entry => ({
  code,
  message: 'Row of a batch',
  guide,
}));

const section = ({ code, status, message, guide: { cause, fix } }: Entry) => `<section id="${code}">
        <h3><code>${code}</code></h3>
        <p class="message">${status === undefined ? '' : `<span class="status">${status}</span> `}${toHtml(message)}</p>
        <dl><dt>Why</dt><dd>${toHtml(cause)}</dd><dt>What to do</dt><dd>${toHtml(fix)}</dd></dl>
      </section>`;

const indexOf = (entries: Entry[]) =>
  `<ul>${entries
    .map(
      ({ code, status = '' }) =>
        `<li><a href="#${code}"><span>${code}</span> <span>${status}</span></a></li>`,
    )
    .join('')}</ul>`;

export const errorPage = () =>
  framePage({
    title: 'Errors',
    path: '/errors',
    styles: ['/errors.css'],
    main: `
      <h1>Errors</h1>
      <p class="lead">The cause and fix of each <code>code</code>. <a href="/docs">The reference</a> has everything else.</p>
      <div class="columns">
      <nav aria-label="Codes">
        <h2>Of a request</h2>
        ${indexOf(requestErrors)}
        <h2>Of a row in a batch</h2>
        ${indexOf(rowFailures)}
      </nav>
      <div>
      <h2>Errors of a request</h2>
      ${requestErrors.map(section).join('\n      ')}
      <h2>Failures of a row in a batch</h2>
      <p>They do not affect the other rows of the batch.</p>
      ${rowFailures.map(section).join('\n      ')}
      </div>
      </div>`,
  });
