/** Turns an error into lines for a person. */
import { PeereError } from '@peere/client';
import { explainDiskError } from '../files/disk.ts';
import { StoppedError } from '../reading/errors.ts';

interface ConnectionSource {
  url: string | undefined;
  /** Where the API key comes from: an option or an environment variable. */
  keySource: string;
}

export function explain(error: unknown, source: ConnectionSource): string[] {
  if (error instanceof StoppedError) return explain(error.cause, source);
  if (error instanceof PeereError) {
    const message = error.code === 'UNAUTHENTICATED' ? explainWrongKey(source) : error.message;
    return error.docs === undefined ? [message] : [message, error.docs];
  }
  // Messages of an unknown option or a failed disk are fit for people.
  return [explainDiskError(error) ?? (error instanceof Error ? error.message : String(error))];
}

function explainWrongKey({ url = '', keySource }: ConnectionSource): string {
  const { origin } = new URL(url);
  return `The service at ${origin} does not accept the API key in ${keySource}: check that it is complete, belongs to this service, and has not expired or been revoked.`;
}
