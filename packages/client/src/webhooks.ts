/** The calls about webhooks. Their API key needs the scope `webhooks:manage`. */
import type { Transport } from './transport.ts';
import type { Event, Webhook, WebhookTest, WebhookWithSecret } from './types.ts';

interface WebhookCallOptions {
  /** Ends the call early; it then throws the signal's reason. */
  signal?: AbortSignal | undefined;
}

interface Settings {
  /** An https URL. On a local server also `http://localhost:…` and `http://127.0.0.1:…`. */
  url: string;
  types: readonly Event['type'][];
}

const ROOT = '/v1/bank/webhooks';
const pathOf = (id: string) => `${ROOT}/${encodeURIComponent(id)}`;

export class Webhooks {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Lists all webhooks of your bank, at most 20. */
  list(options: WebhookCallOptions = {}): Promise<Webhook[]> {
    return this.#send('GET', ROOT, options, {}, true);
  }

  /** Returns the status of a webhook: its position, how far it is behind, and its last attempt. */
  get(id: string, options: WebhookCallOptions = {}): Promise<Webhook> {
    return this.#send('GET', pathOf(id), options, {}, true);
  }

  /**
   * Creates a webhook. It gets the events from now on. The `secret` is in this response only. The call is not sent again
   * after a lost response, because that could create a second one: list the webhooks to find out.
   */
  create(settings: Settings, options: WebhookCallOptions = {}): Promise<WebhookWithSecret> {
    return this.#send('POST', ROOT, options, { body: settings }, false);
  }

  update(id: string, settings: Partial<Settings>, options: WebhookCallOptions = {}): Promise<Webhook> {
    return this.#send('PATCH', pathOf(id), options, { body: settings }, true);
  }

  /** Deletes a webhook: nothing is sent to it any more. */
  async delete(id: string, options: WebhookCallOptions = {}): Promise<void> {
    await this.#send('DELETE', pathOf(id), options, {}, true);
  }

  /**
   * Enables a webhook, or has one that is failing tried at once.
   * @param after id of an event to go on after, to skip one that the receiver cannot digest
   */
  enable(
    id: string,
    { after, signal }: WebhookCallOptions & { after?: string | undefined } = {},
  ): Promise<Webhook> {
    return this.#send('POST', `${pathOf(id)}/enable`, { signal }, { query: { after } }, true);
  }

  /** Returns a new secret, which is in this response only. For 24 hours the previous one signs too. */
  rotateSecret(id: string, options: WebhookCallOptions = {}): Promise<WebhookWithSecret> {
    return this.#send('POST', `${pathOf(id)}/rotate-secret`, options, {}, false);
  }

  /** Sends a `ping` now, and returns what the receiver answered. */
  test(id: string, options: WebhookCallOptions = {}): Promise<WebhookTest> {
    return this.#send('POST', `${pathOf(id)}/test`, options, {}, false);
  }

  async #send<Data>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    { signal }: WebhookCallOptions,
    input: { body?: unknown; query?: object },
    repeatable: boolean,
  ): Promise<Data> {
    const { body } = await this.#transport.send<{ data: Data }>({
      method,
      path,
      ...input,
      repeatable,
      signal,
    });
    return body.data;
  }
}
