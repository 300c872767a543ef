/** Finds or creates the resources that the Worker is bound to. Their location can never be changed. */
import type { CloudflareName } from '../lib/shards.ts';
import { wrangler } from '../lib/wrangler.ts';
import type { Place } from './place.ts';

interface Found {
  id: string;
  jurisdiction?: string | null | undefined;
}

export async function ensureQueue(name: string, { jurisdiction }: Place): Promise<void> {
  const info = await wrangler(['queues', 'info', name]).catch((error: unknown) => {
    if (String(error).includes('does not exist')) return undefined;
    throw error;
  });
  if (info === undefined) {
    await wrangler(['queues', 'create', name, ...option('--jurisdiction', jurisdiction)]);
    console.log(`Queue ${name}: created.`);
  } else {
    const [, place] = /^Jurisdiction: (\S+)$/m.exec(info) ?? [];
    keep('Queue', name, { id: name, jurisdiction: place }, jurisdiction);
  }
}

/**
 * @param inspect called with the name of a database that exists already; throws if it must not be used
 * @returns the id
 */
export async function ensureDatabase(
  name: CloudflareName,
  { jurisdiction, location }: Place,
  inspect?: (name: CloudflareName) => Promise<void>,
): Promise<string> {
  const find = async () => {
    const databases = JSON.parse(await wrangler(['d1', 'list', '--json'])) as ({
      uuid: string;
      name: string;
    } & Omit<Found, 'id'>)[];
    const found = databases.find((database) => database.name === name);
    return found && { id: found.uuid, jurisdiction: found.jurisdiction };
  };
  const present = await find();
  if (present !== undefined) {
    await inspect?.(name);
    return keep('Database', name, present, jurisdiction);
  }
  const place = [...option('--jurisdiction', jurisdiction), ...option('--location', location)];
  await wrangler(['d1', 'create', name, ...place, '--update-config=false']);
  const created = await find();
  if (created === undefined)
    throw new Error(`Database ${name} was created but is not listed: run this again.`);
  console.log(`Database ${name}: created.`);
  return created.id;
}

function keep(kind: string, name: string, found: Found, jurisdiction: Place['jurisdiction']): string {
  if ((found.jurisdiction ?? undefined) !== (jurisdiction ?? undefined)) {
    throw new Error(
      `${kind} ${name} exists in jurisdiction ${found.jurisdiction ?? '(none)'}, not ${jurisdiction ?? '(none)'}, which can’t be changed: use that jurisdiction, or delete it if it is empty.`,
    );
  }
  console.log(`${kind} ${name}: exists already.`);
  return found.id;
}

function option(name: string, value: string | null | undefined): string[] {
  return value == null ? [] : [name, value];
}
