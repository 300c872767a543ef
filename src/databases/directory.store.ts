/** Banks in the directory. Their API keys are read by api-keys/api-keys.store.ts, together with the bank. */
import { eq } from 'drizzle-orm';
import { banks } from '../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../db/statements.ts';
import type { Home } from './home.ts';

/** Where is a bank? One row read. */
export function selectHome(bankId: string): Statement<Home> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ shard: banks.shard, moveNumber: banks.moveNumber }))
      .from(banks)
      .where(eq(banks.id, bankId)),
  ) as Statement<Home>;
}
