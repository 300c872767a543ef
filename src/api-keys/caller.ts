/** Who is calling, and who a change is recorded for. */
import type { Jurisdictions, LocatedBank } from '../databases/home.ts';

export interface Caller extends LocatedBank {
  apiKeyId: string;
  /** Name of the bank for people. */
  bankName: string;
  scopes: ReadonlySet<string>;
  /** The bank's key for the cursors of its lists. */
  cursorKey: string;
  jurisdictions: Jurisdictions;
  /**
   * Set if the primary did not confirm the API key in the last 30 seconds: until it has, the API key opens cached phrases
   * and nothing else.
   * @returns the caller as the primary knows it
   * @throws UNAUTHENTICATED if the API key was revoked, UNAVAILABLE if D1 does not say
   */
  confirm?: () => Promise<Caller>;
}

/** Call before D1 is asked about a customer, and go on with the caller that is returned. Throws what `confirm` throws. */
export async function confirmCaller(caller: Caller): Promise<Caller> {
  return caller.confirm === undefined ? caller : caller.confirm();
}

/** Who a change is recorded for. */
export interface Actor {
  bankId: string;
  /** Null: the service itself makes the change. */
  apiKeyId: string | null;
  requestId: string;
}

/** A caller who changes something of its bank. */
export type ActingCaller = Actor & Pick<Caller, 'home' | 'jurisdictions'>;
