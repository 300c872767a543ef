/** Every error of a connection, as Node and `fetch` make them, in a sentence. */
import { describe, expect, it } from 'vitest';
import { ConnectionError, explainNoAnswer } from '../../packages/client/src/connection-errors.ts';

const ORIGIN = 'https://api.example.com';
const failed = (code: string) => Object.assign(new Error('low-level words'), { code });
const explain = (cause: unknown) => explainNoAnswer(cause, ORIGIN);

describe('a connection that failed', () => {
  it.each([
    ['ENOTFOUND', /^The host name of .* was not found \(ENOTFOUND\): check the URL/],
    ['EAI_AGAIN', /^The host name of .* was not found \(EAI_AGAIN\): check the URL/],
    ['ECONNREFUSED', /^Nothing accepts connections at .* \(ECONNREFUSED\): check the host and port/],
    ['EPIPE', /^The connection to .* was closed before an answer came \(EPIPE\): try again/],
    [
      'UND_ERR_SOCKET',
      /^The connection to .* was closed before an answer came \(UND_ERR_SOCKET\): try again/,
    ],
    ['UND_ERR_HEADERS_TIMEOUT', /^No answer came from .* in time \(UND_ERR_HEADERS_TIMEOUT\): check/],
    ['EHOSTUNREACH', /^This machine has no route to .* \(EHOSTUNREACH\): check its network/],
    ['EACCES', /^This machine does not allow connections to .* \(EACCES\): check its firewall/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /does not trust \(SELF_SIGNED_CERT_IN_CHAIN\): .*NODE_EXTRA_CA_CERTS/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /does not trust \(UNABLE_TO_GET_ISSUER_CERT_LOCALLY\): /],
    ['CERT_HAS_EXPIRED', /has expired, or is not valid yet \(CERT_HAS_EXPIRED\): check the clock/],
    ['CERT_REVOKED', /certificate of .* was refused \(CERT_REVOKED\): tell whoever runs the service/],
    [
      'ERR_SSL_WRONG_VERSION_NUMBER',
      /does not speak TLS .* \(ERR_SSL_WRONG_VERSION_NUMBER\): check the port/,
    ],
    ['E_NEW', /^No answer came from .* \(E_NEW\): check the URL and the network\.$/],
  ])('with %s says what happened, where, and what to do, in one sentence', (code, sentence) => {
    for (const error of [failed(code), new TypeError('fetch failed', { cause: failed(code) })]) {
      expect(explain(error)).toMatch(sentence);
      expect(explain(error)).toContain(ORIGIN);
      expect(explain(error)).not.toContain('low-level words');
    }
  });

  it('by its own time limit says so, however the abort is wrapped', () => {
    const timeout = new DOMException('The operation timed out.', 'TimeoutError');
    const abort = Object.assign(new Error('aborted', { cause: timeout }), { code: 'ABORT_ERR' });
    for (const error of [timeout, abort]) expect(explain(error)).toMatch(/in time \(ETIMEDOUT\): check/);
  });

  it('without a code, as browsers have it, still names the service', () => {
    expect(explain(new TypeError('Failed to fetch'))).toBe(
      `No answer came from ${ORIGIN}: check the URL and the network.`,
    );
    expect(explain('what is no error')).toContain(ORIGIN);
  });

  it('whose error is a sentence already keeps it', () => {
    expect(explain(new ConnectionError('The proxy wants a password.'))).toBe('The proxy wants a password.');
  });
});
