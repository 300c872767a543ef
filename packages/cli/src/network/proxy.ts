/** The proxy that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` name. Node does the work, from 22.21 and 24.5 on. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { codeOf, ConnectionError, explainNoAnswer } from '../../../client/src/connection-errors.ts';

interface Proxy {
  /** The variable that names it. */
  variable: string;
  /** Undefined where it is no HTTP proxy. */
  url: URL | undefined;
}

const isSupported = process.allowedNodeEnvironmentFlags.has('--use-env-proxy');

/** @param protocol of the service */
export function proxyFor(protocol: string): Proxy | undefined {
  const name = protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY';
  // As curl and Node have it, lower case goes first.
  const variable = [name.toLowerCase(), name].find((known) => process.env[known]);
  if (variable === undefined) return undefined;
  const value = process.env[variable] ?? '';
  const url = value.includes('://') ? value : `http://${value}`;
  const isHttp = /^https?:/i.test(url) && URL.canParse(url);
  return { variable, url: isHttp ? new URL(url) : undefined };
}

const agents = new Map<string, HttpAgent>();

/** @returns what keeps connections, by way of the proxy if there is one; undefined: Node's own */
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
 * @param proxy that is set, whether the request went by it or not
 * @returns the error with a sentence of its own, if the proxy has to do with it
 */
export function explainProxy(error: Error, proxy: Proxy, origin: string): Error {
  const { variable, url } = proxy;
  const say = (sentence: string) => new ConnectionError(sentence, { cause: error });
  if (!isSupported) {
    const direct = explainNoAnswer(error, origin);
    return say(
      `${direct} ${variable} is not honoured by Node ${process.versions.node}: use Node 24.5 or newer for it.`,
    );
  }
  if (url === undefined) {
    return say(
      `${explainNoAnswer(error, origin)} ${variable} was not used, because it is not the URL of an HTTP proxy, as in http://proxy:3128.`,
    );
  }
  const fix = `check ${variable}, or name the service’s host in NO_PROXY`;
  if (codeOf(error) === 'ERR_PROXY_TUNNEL') {
    const { statusCode } = error as Error & { statusCode?: number };
    if (statusCode === 407) {
      return say(
        `The proxy ${url.host} wants a name and a password (407): put them into ${variable}, as in http://name:password@proxy:port.`,
      );
    }
    const why = statusCode === undefined ? 'it gave no answer' : `it answered with ${statusCode}`;
    return say(`The proxy ${url.host} did not connect to ${origin} (${why}): ${fix}.`);
  }
  return isAbout(error, url)
    ? say(`The proxy ${url.host} can’t be reached (${codeOf(error)}): ${fix}.`)
    : error;
}

/** Was it the proxy that could not be reached? Where a host has several addresses, the error holds one for each. */
function isAbout(error: Error, { hostname, port, protocol }: URL): boolean {
  const failed = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  const at = failed as Error & { hostname?: string; port?: number };
  const proxyPort = Number(port || (protocol === 'https:' ? 443 : 80));
  return at.hostname === hostname || at.port === proxyPort;
}
