/**
 * Which URLs events may be sent to: hosts on the public internet, by https. The host is judged as the URL parser reads it,
 * which turns every spelling of an IP address (decimal, octal, hexadecimal, full-width) into one. A name may still lead
 * to a private address: that the platform's egress reaches no private network keeps it harmless (SECURITY.md).
 */
import type { Deployment } from '../env.ts';

export const MAX_URL_CHARACTERS = 2_048;

const HTTPS_PORT = 443;
/** Lower ports belong to the system's services, such as mail (RFC 6335, 6). */
const MIN_OTHER_PORT = 1_024;

/** Hosts of the developer's own machine. */
const LOCAL_HOSTS = ['127.0.0.1', 'localhost'];

/** Names that the public internet does not resolve (RFC 6761, 6762, 8375, and ICANN's reservation of .internal). */
const PRIVATE_NAME = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home\.arpa)$/;
/** At least two labels, of which the last is no number: so it is no IPv4 address in any spelling. */
const PUBLIC_NAME = /^[a-z0-9_-]+(\.[a-z0-9_-]+)*\.(?!\d+$)[a-z0-9-]+$/;

/**
 * @param text as it was sent
 * @returns what is wrong with it and how to fix it; undefined if nothing is
 */
export function faultOfReceiverUrl(text: string, deployment: Deployment): string | undefined {
  const url = URL.parse(text.trim());
  if (url === null) return 'must be a URL, such as https://example.com/hooks';
  if (url.username !== '' || url.password !== '') return 'must have no user name or password';
  if (!deployment.production && isLocal(url)) return undefined;
  if (url.protocol !== 'https:') return 'must begin with https://';
  const host = url.hostname.replace(/\.+$/, '');
  if (host.startsWith('[') || /^[\d.]+$/.test(host)) return 'must name a host, not an IP address';
  if (!PUBLIC_NAME.test(host) || PRIVATE_NAME.test(host)) return 'must name a host of the public internet';
  if (host === ownHost(deployment)) return 'must not lead to this service itself';
  const port = url.port === '' ? HTTPS_PORT : Number(url.port);
  return port === HTTPS_PORT || port >= MIN_OTHER_PORT
    ? undefined
    : `must have port ${HTTPS_PORT}, or one from ${MIN_OTHER_PORT}`;
}

function isLocal({ protocol, hostname }: URL): boolean {
  return ['http:', 'https:'].includes(protocol) && LOCAL_HOSTS.includes(hostname);
}

function ownHost({ publicUrl }: Deployment): string | undefined {
  return publicUrl === undefined ? undefined : URL.parse(publicUrl)?.hostname;
}

/** Returns the URL as it is stored and fetched, which is the form that was judged. */
export function normaliseReceiverUrl(text: string): string {
  const url = new URL(text.trim());
  url.hash = '';
  return url.href;
}
