/** Every page, by the name of its file. */
import { errorPage } from './errors.ts';
import { framePage } from './frame.ts';
import { homePage } from './home.ts';

const referencePage = () =>
  framePage({
    title: 'Reference',
    path: '/docs',
    styles: ['/swagger-ui.css', '/docs.css'],
    scripts: ['/swagger-ui-bundle.js', '/docs.js'],
    hasOwnMain: true,
    main: `
      <div id="reference"></div>
      <noscript><p>The reference needs JavaScript. <a href="/openapi.json">The OpenAPI document</a> works without it.</p></noscript>`,
  });

const consolePage = () =>
  framePage({
    title: 'Console',
    path: '/console',
    styles: ['/console.css'],
    scripts: ['/console.js'],
    footer: false,
    main: `
      <div id="console"></div>
      <noscript><p>The console needs JavaScript.</p></noscript>`,
  });

const notFoundPage = () =>
  framePage({
    title: 'Not found',
    path: '/404',
    main: `
      <h1>There is no page at this address</h1>
      <p class="lead">Check the spelling, or go on from one of the pages above. Programs find every path of the API in <a href="/docs">the reference</a>.</p>`,
  });

export const PAGES: Record<string, () => string> = {
  'index.html': homePage,
  'docs.html': referencePage,
  'errors.html': errorPage,
  'console.html': consolePage,
  '404.html': notFoundPage,
};
