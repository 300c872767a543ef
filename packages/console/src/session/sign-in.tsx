/** The first view: asks for an API key. */
import { useEffect, useState } from 'preact/hooks';
import { useTask } from '../ui/hooks.ts';
import { ErrorNote } from '../ui/parts.tsx';
import { DEMO_API_KEY, forgetKey, isLocal, keptKey, signIn, type Session } from './session.ts';

export function SignIn({ onSignIn }: { onSignIn: (session: Session) => void }) {
  const kept = keptKey();
  const [key, setKey] = useState('');
  const [isKept, setKept] = useState(false);
  const task = useTask(async (signal, given: string, keep: boolean) => {
    onSignIn(await signIn(given.trim(), keep, signal));
  });
  useEffect(() => {
    if (kept !== null) task.run(kept, true);
  }, []);
  const submit = (event: Event) => {
    event.preventDefault();
    forgetKey();
    if (key.trim() !== '') task.run(key, isKept);
  };
  return (
    <div class="sign-in card">
      <h1>Sign in to the console</h1>
      <p class="soft">
        Look up customers, bring in files and see what happened, with an API key of your bank.
      </p>
      <form onSubmit={submit}>
        <div class="field">
          <label for="key">API key</label>
          <input
            id="key"
            type="password"
            value={key}
            onInput={({ currentTarget }) => setKey(currentTarget.value)}
            placeholder="peere_live_…"
            autocomplete="off"
            spellcheck={false}
            required
            autofocus
          />
        </div>
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={({ currentTarget }) => setKept(currentTarget.checked)}
          />
          <span>Keep it for this tab, so that a reload does not ask again</span>
        </label>
        <ErrorNote error={task.error} />
        <button type="submit" class="button primary wide" disabled={task.isBusy}>
          {task.isBusy ? 'Signing in …' : 'Sign in'}
        </button>
      </form>
      {isLocal && (
        <div class="demo">
          <p class="soft">This is a local server, with a demo bank to try everything on.</p>
          <button
            type="button"
            class="button wide"
            disabled={task.isBusy}
            onClick={() => task.run(DEMO_API_KEY, isKept)}
          >
            Use the demo API key
          </button>
        </div>
      )}
      <p class="soft fine">
        The API key stays in the memory of this tab. It is in no URL and is sent to {location.host} only.
      </p>
    </div>
  );
}
