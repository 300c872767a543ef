/** Errors in the words of somebody at a desk, where the service's own words are those of a program. */
import { PeereError } from '@peere/client';
import { faultsInWords } from './labels.ts';

/** What is known of an error: also after it has left a Web Worker, where it is no object of a class any more. */
export interface Fault {
  message: string;
  code?: string | undefined;
  docs?: string | undefined;
  requestId?: string | undefined;
}

const UNKNOWN_KEY =
  'This API key is not known. Check that you have copied all of it, or ask whoever manages your bank’s API keys for a new one.';
const WORDS: Partial<Record<PeereError['code'], string>> = {
  UNAUTHENTICATED: UNKNOWN_KEY,
};

export function toFault(error: unknown): Fault {
  if (!(error instanceof Error)) return { message: 'Something went wrong. Reload the page.' };
  if (!(error instanceof PeereError)) return { message: error.message };
  const { code, errors, docs, requestId } = error;
  const message =
    code === 'INVALID_REQUEST' && errors.length > 0 ? `${faultsInWords(errors)}.` : error.message;
  const words = WORDS[code];
  // Whoever types the API key needs no page about headers.
  return words === undefined ? { message, code, docs, requestId } : { message: words, requestId };
}
