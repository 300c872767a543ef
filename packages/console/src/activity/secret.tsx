/** Shows the secret of a webhook, which the service tells only once. */
import { Dialog } from '../ui/dialog.tsx';
import { Id } from '../ui/parts.tsx';

export function Secret({ url, secret, onClose }: { url: string; secret: string; onClose: () => void }) {
  return (
    <Dialog title="The secret of this webhook" onClose={onClose}>
      <p>
        It verifies the signature of what <code>{new URL(url).host}</code> receives. Store it now: it is not
        shown again.
      </p>
      <p>
        <Id value={secret} what="the secret" />
      </p>
      <button type="button" class="button primary" onClick={onClose}>
        I have stored it
      </button>
    </Dialog>
  );
}
