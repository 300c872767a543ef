/** Connection errors of Node and `fetch`, each explained in a sentence. */
import { describe, expect, it } from 'vitest';
import { ConnectionError, explainConnectionError } from '../../packages/client/src/connection-errors.ts';

const ORIGIN = 'https://api.example.com';
const failed = (code: string) => Object.assign(new Error('low-level message'), { code });
const explain = (cause: unknown) => explainConnectionError(cause, ORIGIN);

describe('explainConnectionError', () => {
  it.each([
    ['ENOTFOUND', /^The host name of .* was not found \(ENOTFOUND\): check the URL/],
    ['EAI_AGAIN', /^The host name of .* was not found \(EAI_AGAIN\): check the URL/],
    ['ECONNREFUSED', /^Nothing accepts connections at .* \(ECONNREFUSED\): check the host and port/],
    ['EPIPE', /^The connection to .* was closed before a response arrived \(EPIPE\): try again/],
    [
      'UND_ERR_SOCKET',
      /^The connection to .* was closed before a response arrived \(UND_ERR_SOCKET\): try again/,
    ],
    ['UND_ERR_HEADERS_TIMEOUT', /^.* did not respond in time \(UND_ERR_HEADERS_TIMEOUT\): check/],
    ['EHOSTUNREACH', /^This machine has no route to .* \(EHOSTUNREACH\): check its network/],
    ['EACCES', /^This machine does not allow connections to .* \(EACCES\): check its firewall/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /does not trust \(SELF_SIGNED_CERT_IN_CHAIN\): .*NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /does not trust \(UNABLE_TO_GET_ISSUER_CERT_LOCALLY\): /],
    ['CERT_HAS_EXPIRED', /has expired or is not valid yet \(CERT_HAS_EXPIRED\): check the clock/],
    ['CERT_REVOKED', /certificate of .* was refused \(CERT_REVOKED\): tell whoever runs the service/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not use TLS.* \(ERR_SSL_WRONG_VERSION_NUMBER\): check the port/],
    ['E_NEW', /^No response arrived from .* \(E_NEW\): check the URL and the network\.$/],
  ])('says what happened, where, and what to do about %s in one sentence', (code, sentence) => {
    for (const error of [failed(code), new TypeError('fetch failed', { cause: failed(code) })]) {
      expect(explain(error)).toMatch(sentence);
      expect(explain(error)).toContain(ORIGIN);
      expect(explain(error)).not.toContain('low-level message');
    }
  });

  it('recognises a timeout, however the abort is wrapped', () => {
    const timeout = new DOMException('The operation timed out.', 'TimeoutError');
    const abort = Object.assign(new Error('aborted', { cause: timeout }), { code: 'ABORT_ERR' });
    for (const error of [timeout, abort])
      expect(explain(error)).toMatch(/did not respond in time \(ETIMEDOUT\): check/);
  });

  it('names the service even if the error has no code, as in browsers', () => {
    expect(explain(new TypeError('Failed to fetch'))).toBe(
      `No response arrived from ${ORIGIN}: check the URL and the network.`,
    );
    expect(explain('not an error')).toContain(ORIGIN);
  });

  it('keeps the message of a ConnectionError', () => {
    expect(explain(new ConnectionError('The proxy requires a password.'))).toBe(
      'The proxy requires a password.',
    );
  });
});
