/** Banks in D1. */
import { eq } from 'drizzle-orm';
import { banks } from '../db/schema.ts';
import { columnsAs, queryBuilder, toStatement, type Statement } from '../db/statements.ts';

export interface BankRow {
  name: string;
  customerCount: number;
}

/** Selects a bank with its own counter of customers: one row read, however many customers it has. */
export function selectBank(bankId: string): Statement<BankRow> {
  return toStatement(
    queryBuilder
      .select(columnsAs({ name: banks.name, customerCount: banks.customerCount }))
      .from(banks)
      .where(eq(banks.id, bankId)),
  );
}
