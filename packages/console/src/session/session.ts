/** Who is signed in: the API key, the client that calls the service with it, and the bank. */
import { createClient, type Bank, type PeereClient } from '@peere/client';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';

export type Scope = Bank['scopes'][number];

export interface Session {
  /** In the memory of this tab: it is in no URL, no cookie and no log. */
  key: string;
  client: PeereClient;
  bank: Bank;
}

/** Where the API key stays over a reload if it is to be kept for this tab. The browser clears it with the tab. */
const KEPT = 'peere-api-key';

export const isLocal = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
export const DEMO_API_KEY = 'peere_test_lagos_full';

/** Somebody is waiting for the answer: fewer attempts than a program makes. */
const RETRIES = 2;

/** @throws PeereError */
export async function signIn(key: string, isKept: boolean, signal: AbortSignal): Promise<Session> {
  if (/\s/.test(key)) throw new Error('An API key has no spaces: copy it again, and nothing beside it.');
  const client = createClient({ url: location.origin, key, retries: RETRIES });
  const bank = await client.getBank({ signal });
  if (isKept) sessionStorage.setItem(KEPT, key);
  return { key, client, bank };
}

export const keptKey = () => sessionStorage.getItem(KEPT);

export function forgetKey(): void {
  sessionStorage.removeItem(KEPT);
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session & { may: (...scopes: Scope[]) => boolean } {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('This view is for somebody who has signed in');
  return { ...session, may: (...scopes) => scopes.some((scope) => session.bank.scopes.includes(scope)) };
}
