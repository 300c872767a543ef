/** The index and the pages: links for programs, pages for people, and nothing that needs an API key. */
import { env } from 'cloudflare:workers';
import { beforeEach, describe, expect, it } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { Service } from '../support/service.ts';

let service: Service;

beforeEach(() => {
  service = new Service();
});

const file = (path: string) => env.ASSETS.fetch(`https://api.example.com${path}`);

describe('the index', () => {
  it('gives programs links, without an API key', async () => {
    const { status, headers, body } = await service.get('/', null);
    expect(status).toBe(200);
    expect(headers.get('Vary')).toBe('Accept');
    expect(body.data).toMatchObject({
      reference: 'https://api.example.com/docs',
      openapi: 'https://api.example.com/openapi.json',
      errors: 'https://api.example.com/errors',
      console: 'https://api.example.com/console',
    });
  });

  it('gives browsers a page', async () => {
    const { status, headers, text } = await service.get('/', null, { Accept: 'text/html,*/*;q=0.8' });
    expect(status).toBe(200);
    expect(headers.get('Content-Type')).toMatch(/^text\/html/);
    expect(text).toContain('Given a phrase, who is this?');
  });
});

describe('the pages', () => {
  it.each(['/docs', '/errors', '/console', '/console-import.js', '/404', '/openapi.json', '/swagger-ui.css'])(
    '%s exists, with a strict Content-Security-Policy',
    async (path) => {
      const answer = await file(path);
      expect(answer.status).toBe(200);
      const policy = answer.headers.get('Content-Security-Policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(answer.headers.get('X-Content-Type-Options')).toBe('nosniff');
      await answer.body?.cancel();
    },
  );

  it('say so where there is none, to browsers with a page and to programs and below /v1 with an error', async () => {
    const html = { Accept: 'text/html,*/*;q=0.8' };
    const page = await service.get('/nothing/here', null, html);
    expect([page.status, page.text.includes('There is no page at this address')]).toEqual([404, true]);
    expect(page.headers.get('Content-Security-Policy')).toContain("default-src 'none'");
    for (const answer of [
      await service.get('/nothing/here', null),
      await service.get('/v1/nothing', null, html),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'ROUTE_NOT_FOUND']);
    }
  });

  it('have a section for every error code, which its errors link to', async () => {
    const page = await (await file('/errors')).text();
    const { body } = await service.get('/v1/bank/customer?phrase=x');
    const { pathname, hash } = new URL(body.docs);
    expect([pathname, page.includes(`id="${hash.slice(1)}"`)]).toEqual(['/errors', true]);
    for (const code of Object.keys(ERRORS)) expect(page).toContain(`id="${code}"`);
  });
});

describe('a first mistake', () => {
  const firstError = (answer: { body: { errors: { field: string; message: string }[] } }) =>
    answer.body.errors[0];

  it.each([
    ['no API key', {}],
    ['an API key in a header of another name', { 'X-API-Key': 'peere_test_lagos_full' }],
    ['an API key without the word Bearer', { Authorization: 'peere_test_lagos_full' }],
  ])('%s: the response names the right header', async (_, headers) => {
    const answer = await service.get('/v1/bank/customers', null, headers);
    expect(firstError(answer)).toEqual({
      field: 'Authorization',
      message: expect.stringContaining('must be `Bearer ` and a key'),
    });
  });

  it('a body of another type: the response names the right type', async () => {
    const answer = await service.request('POST', '/v1/bank/customers', {
      body: 'customers=1',
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    expect(firstError(answer)).toEqual({ field: 'Content-Type', message: 'must be application/json' });
  });
});
