/** What kept an answer from coming, as a sentence that names the fault and the fix. */

/** An error on the way to the service whose message is such a sentence already. */
export class ConnectionError extends Error {}

/**
 * Codes of Node, libuv (connections, DNS), OpenSSL (certificates, TLS) and undici, by what they mean. `%` stands for
 * the service's origin and the code.
 */
const SENTENCES: readonly (readonly [codes: RegExp, sentence: string])[] = [
  [
    /^(ENOTFOUND|EAI_\w+)$/,
    'The host name of % was not found: check the URL, and the network and DNS of this machine.',
  ],
  [
    /^ECONNREFUSED$/,
    'Nothing accepts connections at %: check the host and port of the URL, and that the service runs.',
  ],
  [
    /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/,
    'The connection to % was closed before an answer came: try again, and check that the URL begins with https:// and that no firewall is in between.',
  ],
  [
    /^(ETIMEDOUT|UND_ERR_\w+_TIMEOUT)$/,
    'No answer came from % in time: check the URL, and that neither a firewall nor a proxy is in between.',
  ],
  [
    /^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/,
    'This machine has no route to %: check its network.',
  ],
  [/^(EACCES|EPERM)$/, 'This machine does not allow connections to %: check its firewall.'],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    'The certificate of % is for another host: check the host name of the URL.',
  ],
  [
    /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED)$/,
    'The certificate of % is signed by an authority that this machine does not trust: check the URL, or set NODE_EXTRA_CA_CERTS to the file of the authority’s certificate if it is your network’s own.',
  ],
  [
    /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    'The certificate of % has expired, or is not valid yet: check the clock of this machine, and if it is right, tell whoever runs the service.',
  ],
  [/CERT|CRL/, 'The certificate of % was refused: tell whoever runs the service.'],
  [
    /^(EPROTO|ERR_SSL_\w+)$/,
    'What answers at % does not speak TLS as this machine does: check the port of the URL, and whether it is an http:// one.',
  ],
  [
    /^HPE_/,
    'What answers at % does not speak HTTP: check the port of the URL, and whether it is an https:// one.',
  ],
];

const OTHERWISE = 'No answer came from %: check the URL and the network.';

/**
 * @param cause what `fetch` threw
 * @param origin of the service
 */
export function explainNoAnswer(cause: unknown, origin: string): string {
  if (cause instanceof ConnectionError) return cause.message;
  const code = codeOf(cause);
  const sentence = SENTENCES.find(([codes]) => codes.test(code))?.[1] ?? OTHERWISE;
  return sentence.replace('%', code === '' ? origin : `${origin} (${code})`);
}

/** An error's own code, or that of the error it wraps, as `fetch` does. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { name, code, cause } = error as Error & { code?: unknown };
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  // An abort wraps what it was aborted with.
  return typeof code === 'string' && code !== 'ABORT_ERR' ? code : codeOf(cause);
}
