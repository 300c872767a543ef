/** A bank's counters in its shard. */
import { eq } from 'drizzle-orm';
import { tenants } from '../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../db/statements.ts';

export interface BankRow {
  customerCount: number;
}

/** Selects a bank's own counter of customers: one row read, however many customers it has. */
export function selectBank(bankId: string): Statement<BankRow> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ customerCount: tenants.customerCount }))
      .from(tenants)
      .where(eq(tenants.bankId, bankId)),
  );
}
