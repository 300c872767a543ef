/** Where a bank's data is: what the directory says, and what an isolate remembers of it. */

/** Name of a shard, and of its binding. */
export type ShardName = `SHARD_${number}`;

export interface Home {
  shard: ShardName;
  /** Of the last move that has ended; 0: the bank was never moved. Only who knows it may change the bank's data. */
  moveNumber: number;
}

/** A bank, and where its data is as far as is known. It may be stale: whoever finds that out corrects it in place. */
export interface LocatedBank {
  bankId: string;
  home: Home;
}

/** Of each shard that the directory has; null: none. */
export type Jurisdictions = ReadonlyMap<ShardName, string | null>;

/**
 * May customers of this shard be cached in a data centre, which may lie anywhere? Not if the shard has a jurisdiction, and
 * not if it is too new to be known: it may have one.
 */
export function isCacheable(jurisdictions: Jurisdictions, shard: ShardName): boolean {
  return jurisdictions.get(shard) === null;
}
