/** What kept an answer from coming, as a sentence that names the fault and the fix. */

/** An error on the way to the service whose message is such a sentence already. */
export class ConnectionError extends Error {}

/** What happened, and what to do about it, by codes of Node, libuv (connections, DNS), OpenSSL (TLS) and undici. */
interface Fault {
  codes: RegExp;
  /** `%` stands for the service's origin. */
  what: string;
  fix: string;
}

const FAULTS: readonly Fault[] = [
  {
    codes: /^(ENOTFOUND|EAI_\w+)$/,
    what: 'The host name of % was not found',
    fix: 'check the URL, and the network and DNS of this machine',
  },
  {
    codes: /^ECONNREFUSED$/,
    what: 'Nothing accepts connections at %',
    fix: 'check the host and port of the URL, and that the service runs',
  },
  {
    codes: /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/,
    what: 'The connection to % was closed before an answer came',
    fix: 'try again, and check that the URL begins with https:// and that no firewall is in between',
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_\w+_TIMEOUT)$/,
    what: 'No answer came from % in time',
    fix: 'check the URL, and that neither a firewall nor a proxy is in between',
  },
  {
    codes: /^(EHOSTUNREACH|EHOSTDOWN|ENETUNREACH|ENETDOWN|EADDRNOTAVAIL)$/,
    what: 'This machine has no route to %',
    fix: 'check its network',
  },
  {
    codes: /^(EACCES|EPERM)$/,
    what: 'This machine does not allow connections to %',
    fix: 'check its firewall',
  },
  {
    codes: /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    what: 'The certificate of % is for another host',
    fix: 'check the host name of the URL',
  },
  {
    codes:
      /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_VERIFY_LEAF_SIGNATURE|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|CERT_UNTRUSTED)$/,
    what: 'The certificate of % is signed by an authority that this machine does not trust',
    fix: 'check the URL, or set NODE_EXTRA_CA_CERTS to the file of the authority’s certificate if it is your network’s own',
  },
  {
    codes: /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    what: 'The certificate of % has expired, or is not valid yet',
    fix: 'check the clock of this machine, and if it is right, tell whoever runs the service',
  },
  {
    codes: /CERT|CRL/,
    what: 'The certificate of % was refused',
    fix: 'tell whoever runs the service',
  },
  {
    codes: /^(EPROTO|ERR_SSL_\w+)$/,
    what: 'What answers at % does not speak TLS as this machine does',
    fix: 'check the port of the URL, and whether it is an http:// one',
  },
  {
    codes: /^HPE_/,
    what: 'What answers at % does not speak HTTP',
    fix: 'check the port of the URL, and whether it is an https:// one',
  },
];
const OTHERWISE = { what: 'No answer came from %', fix: 'check the URL and the network' };

/**
 * @param cause what `fetch` threw
 * @param origin of the service
 */
export function explainNoAnswer(cause: unknown, origin: string): string {
  if (cause instanceof ConnectionError) return cause.message;
  const code = codeOf(cause);
  const { what, fix } = FAULTS.find(({ codes }) => codes.test(code)) ?? OTHERWISE;
  return `${what.replace('%', origin)}${code === '' ? '' : ` (${code})`}: ${fix}.`;
}

/** An error's own code, or that of the error it wraps, as `fetch` does. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { name, code, cause } = error as Error & { code?: unknown };
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  // An abort wraps what it was aborted with.
  return typeof code === 'string' && code !== 'ABORT_ERR' ? code : codeOf(cause);
}
