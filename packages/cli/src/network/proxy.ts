/** Uses the proxy of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, which Node supports from 22.21 and 24.5 on. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { ConnectionError, connectionErrorCode, explainConnectionError } from '@peere/client';

interface Proxy {
  /** The environment variable that it comes from. */
  variable: string;
  /** Undefined if it is not an HTTP proxy. */
  url: URL | undefined;
}

const isSupported = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');

/** @param protocol of the service, such as `https:` */
export function proxyFor(protocol: string): Proxy | undefined {
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // Lower case takes precedence, as in curl and Node.
  const variable = [name.toLowerCase(), name].find((known) => process.env[known]);
  if (variable === undefined) return undefined;
  const value = process.env[variable] ?? '';
  const url = value.includes('://') ? value : `http://${value}`;
  const isHttp = /^https?:/i.test(url) && URL.canParse(url);
  return { variable, url: isHttp ? new URL(url) : undefined };
}

const agents = new Map<string, HttpAgent>();

/** @returns an agent that connects through the proxy; undefined, for Node's own agent, if there is no proxy */
export function agentFor(protocol: string): HttpAgent | undefined {
  const proxy = proxyFor(protocol);
  if (!isSupported || proxy?.url === undefined) return undefined;
  const known = agents.get(protocol);
  if (known !== undefined) return known;
  const proxyEnv = {
    [protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY']: proxy.url.href,
    NO_PROXY: process.env['no_proxy'] || process.env['NO_PROXY'],
  };
  const Agent = protocol === 'https:' ? HttpsAgent : HttpAgent;
  const agent = new Agent({ keepAlive: true, proxyEnv });
  agents.set(protocol, agent);
  return agent;
}

/**
 * @param error of a request
 * @param proxy that is configured, whether the request used it or not
 * @param origin of the service
 * @returns an error that explains the proxy's part in it; the same error if the proxy has none
 */
export function explainProxyError(error: Error, proxy: Proxy, origin: string): Error {
  const { variable, url } = proxy;
  const explained = (sentence: string) => new ConnectionError(sentence, { cause: error });
  if (!isSupported) {
    const direct = explainConnectionError(error, origin);
    return explained(`${direct} Node ${process.versions.node} ignores ${variable}: use Node 24.5 or newer.`);
  }
  if (url === undefined) {
    return explained(
      `${explainConnectionError(error, origin)} ${variable} was not used, because it is not the URL of an HTTP proxy, as in http://proxy:3128.`,
    );
  }
  const fix = `check ${variable}, or name the service’s host in NO_PROXY`;
  if (connectionErrorCode(error) === 'ERR_PROXY_TUNNEL') {
    const { statusCode } = error as Error & { statusCode?: number };
    if (statusCode === 407) {
      return explained(
        `The proxy ${url.host} requires a username and password (407): put them in ${variable}, as in http://name:password@proxy:port.`,
      );
    }
    const why = statusCode === undefined ? 'it did not respond' : `it returned ${statusCode}`;
    return explained(`The proxy ${url.host} did not connect to ${origin} (${why}): ${fix}.`);
  }
  return isProxyUnreachable(error, url)
    ? explained(`The proxy ${url.host} can’t be reached (${connectionErrorCode(error)}): ${fix}.`)
    : error;
}

/** If a host has several addresses, the error contains one for each. */
function isProxyUnreachable(error: Error, { hostname, port, protocol }: URL): boolean {
  const failed = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const at = failed as Error & { hostname?: string; port?: number };
  const proxyPort = Number(port || (protocol === 'https:' ? 443 : 80));
  return at.hostname === hostname || at.port === proxyPort;
}
