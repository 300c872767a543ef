/**
 * The databases of one event: the directory, and the shards, each by the name of its binding. A request's sessions are
 * opened here, and what they have seen is the bookmark of its response.
 */
import { newerBookmark, PrimarySession, ReadSession } from '../db/session.ts';
import { withDeadlines, type Database } from '../db/statements.ts';
import { unavailable } from '../errors.ts';
import type { Env } from '../env.ts';
import type { Timer } from '../runtime.ts';
import type { LocatedBank, ShardName } from './home.ts';
import { Tenant, type TenantDatabases } from './tenant.ts';

/** A bookmark names the shard that it belongs to: `SHARD_1:…`. Anything else is ignored. */
const BOOKMARK = /^(SHARD_\d{1,2}):(.*)$/;

interface Sessions {
  nearest: ReadSession;
  primary: PrimarySession;
}

export class Databases implements TenantDatabases {
  readonly directory: Database;
  readonly #env: Env;
  readonly #timer: Timer;
  readonly #bookmark: string | undefined;
  readonly #sessions = new Map<ShardName, Sessions>();
  /** The shard that was asked last. */
  #last: Sessions | undefined;
  #lastShard: ShardName | undefined;

  /** @param bookmark as a client sent it */
  constructor(env: Env, timer: Timer, bookmark?: string) {
    this.#env = env;
    this.#timer = timer;
    this.#bookmark = bookmark;
    this.directory = withDeadlines(env.DIRECTORY, timer);
  }

  /** The shards that this Worker is bound to. */
  get shards(): ShardName[] {
    return Object.keys(this.#env).filter((name): name is ShardName => /^SHARD_\d+$/.test(name));
  }

  tenantOf(bank: LocatedBank): Tenant {
    return new Tenant(bank, this);
  }

  /** @throws UNAVAILABLE for a shard that this Worker is not bound to: it is older than the shard */
  nearest(shard: ShardName): ReadSession {
    return this.#of(shard).nearest;
  }

  /** @throws as `nearest` does */
  primary(shard: ShardName): PrimarySession {
    return this.#of(shard).primary;
  }

  /** What this event has seen, of the shard that it asked last; null if it has asked none. */
  get bookmark(): string | null {
    if (this.#last === undefined) return null;
    const newest = newerBookmark(this.#last.nearest.bookmark, this.#last.primary.bookmark);
    return newest === null ? null : `${this.#lastShard}:${newest}`;
  }

  #of(shard: ShardName): Sessions {
    const sessions = this.#sessions.get(shard) ?? this.#open(shard);
    this.#sessions.set(shard, sessions);
    this.#last = sessions;
    this.#lastShard = shard;
    return sessions;
  }

  #open(shard: ShardName): Sessions {
    const binding = this.#env[shard];
    if (binding === undefined) throw unavailable(new Error(`D1_BINDING: there is no ${shard}`));
    return {
      nearest: new ReadSession(binding, this.#sinceIn(shard), this.#timer),
      primary: new PrimarySession(binding, this.#timer),
    };
  }

  /** A bookmark of another shard says nothing about this one, but that the client has seen something: so, the primary. */
  #sinceIn(shard: ShardName): string | undefined {
    const [, of, bookmark] = BOOKMARK.exec(this.#bookmark ?? '') ?? [];
    return of === undefined || of === shard ? bookmark : 'first-primary';
  }
}
