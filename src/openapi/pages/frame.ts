/** What every page has around its content: the head, the header and the footer. */

export interface Page {
  /** Without the name of the service. */
  title: string;
  /** Its URL, which the header marks as the current one. */
  path: string;
  /** Style sheets after the common ones. */
  styles?: string[];
  /** In order, after the content. */
  scripts?: string[];
  /** Left out on a page that is a program of its own. */
  footer?: boolean;
  /** The content brings its own main landmark. */
  hasOwnMain?: boolean;
  /** HTML of the content. */
  main: string;
}

const LINKS = [
  ['/', 'Home'],
  ['/docs', 'Reference'],
  ['/errors', 'Errors'],
  ['/console', 'Console'],
] as const;

const FOOTER = `<footer class="site-footer"><div>
      <span>Given a phrase, who is this?</span>
      <a href="/openapi.json">OpenAPI document</a>
      <a href="/health">Health</a>
    </div></footer>`;

/** Escapes text for HTML. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

export function framePage(page: Page): string {
  const { title, path, styles = [], scripts = [], footer = true, hasOwnMain = false, main } = page;
  // A page does not load itself again: the console would forget who has signed in.
  const links = LINKS.map(([href, name]) =>
    href === path ? `<a href="#" aria-current="page">${name}</a>` : `<a href="${href}">${name}</a>`,
  );
  const sheets = ['/tokens.css', '/site.css', ...styles].map(
    (href) => `<link rel="stylesheet" href="${href}" />`,
  );
  const element = hasOwnMain ? 'div' : 'main';
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <title>${title === '' ? '' : `${title} · `}Peere customers</title>
    <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    ${sheets.join('\n    ')}
  </head>
  <body>
    <a class="skip" href="#main">Skip to content</a>
    <header class="site-header"><div>
      <a class="brand" href="/"><img src="/favicon.svg" alt="" />Peere customers</a>
      <nav aria-label="Pages">${links.join('')}</nav>
    </div></header>
    <${element} id="main">${main}</${element}>
    ${footer ? FOOTER : ''}
    ${scripts.map((src) => `<script src="${src}" defer></script>`).join('\n    ')}
  </body>
</html>
`;
}
