/** The table `customers` as Drizzle sees it. A test compares it with the migrations. Life cycle: docs/storage.md. */
import { primaryKey, sqliteTable } from 'drizzle-orm/sqlite-core';
import { COLUMNS } from './fields.ts';

export const customers = sqliteTable('customers', COLUMNS, (table) => [
  primaryKey({ columns: [table.bankId, table.id] }),
]);
