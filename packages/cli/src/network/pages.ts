/** Reads every customer of a bank, page by page: the next page is fetched while this one is used. */
import type { CustomerPage, PeereClient } from '@peere/client';

/** @param cursor of the page to begin with; without one, the first page */
export async function* readCustomerPages(
  client: PeereClient,
  signal: AbortSignal,
  cursor?: string,
): AsyncGenerator<CustomerPage> {
  const read = (from: string | undefined) => {
    const page = client.getCustomerPage({ sortBy: 'id', ...(from && { cursor: from }) }, { signal });
    // Whoever stops reading does not care about the page that is under way.
    page.catch(() => undefined);
    return page;
  };
  let reading: Promise<CustomerPage> | undefined = read(cursor);
  while (reading !== undefined) {
    const page: CustomerPage = await reading;
    signal.throwIfAborted();
    reading = page.next === undefined ? undefined : read(page.next);
    yield page;
  }
}
