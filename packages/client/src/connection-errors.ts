/** Explains why no response arrived, in a sentence that names the fault and the fix. */

/** A connection error whose message is such a sentence already: for a `fetch` of your own. */
export class ConnectionError extends Error {}

/** A fault, recognised by the codes of Node, libuv (connections, DNS), OpenSSL (TLS) and undici. */
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
    fix: 'check the host and port of the URL, and that the service is running',
  },
  {
    codes: /^(ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/,
    what: 'The connection to % was closed before a response arrived',
    fix: 'try again, and check that the URL begins with https:// and that no firewall is in between',
  },
  {
    codes: /^(ETIMEDOUT|UND_ERR_\w+_TIMEOUT)$/,
    what: '% did not respond in time',
    fix: 'check the URL, and that no firewall or proxy is in between',
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
    fix: 'check the URL; if your network has an authority of its own, set NODE_EXTRA_CA_CERTS to the file of its certificate',
  },
  {
    codes: /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID)$/,
    what: 'The certificate of % has expired or is not valid yet',
    fix: 'check the clock of this machine, and if it is right, tell whoever runs the service',
  },
  {
    codes: /CERT|CRL/,
    what: 'The certificate of % was refused',
    fix: 'tell whoever runs the service',
  },
  {
    codes: /^(EPROTO|ERR_SSL_\w+)$/,
    what: 'The server at % does not use TLS, or a version of it that this machine does not support',
    fix: 'check the port of the URL, and whether it should begin with http://',
  },
  {
    codes: /^HPE_/,
    what: 'The server at % does not use HTTP',
    fix: 'check the port of the URL, and whether it should begin with https://',
  },
];
const UNKNOWN = { what: 'No response arrived from %', fix: 'check the URL and the network' };

/**
 * @param cause what `fetch` threw
 * @param origin of the service
 */
export function explainConnectionError(cause: unknown, origin: string): string {
  if (cause instanceof ConnectionError) return cause.message;
  const code = connectionErrorCode(cause);
  const { what, fix } = FAULTS.find(({ codes }) => codes.test(code)) ?? UNKNOWN;
  return `${what.replace('%', origin)}${code === '' ? '' : ` (${code})`}: ${fix}.`;
}

/** The code of an error, or of the error that it wraps, as those of `fetch` do; `''` if there is none. */
export function connectionErrorCode(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const { name, code, cause } = error as Error & { code?: unknown };
  if (name === 'TimeoutError') return 'ETIMEDOUT';
  // An abort wraps the reason that it was aborted for.
  return typeof code === 'string' && code !== 'ABORT_ERR' ? code : connectionErrorCode(cause);
}
