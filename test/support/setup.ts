/** Before each test of a file: an empty database on the real migrations, and the two banks that every test has. */
import { applyD1Migrations, reset } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { beforeEach } from 'vitest';
import { seedBanks } from './banks.ts';

beforeEach(async () => {
  await reset();
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  await seedBanks(env.DB);
});
