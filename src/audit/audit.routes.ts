/** HTTP of the audit log. */
import type { Hono } from 'hono/tiny';
import * as z from 'zod/mini';
import { requireKey } from '../http/auth.ts';
import type { HttpEnv } from '../http/context.ts';
import { validQuery } from '../http/input.ts';
import { answerPage } from '../http/page.ts';
import { MOST_ID, once, pageParameters } from '../lib/parameters.ts';
import { listChangesOf } from './audit.service.ts';

const auditList = z.strictObject({ ...pageParameters, subject: z.optional(once(MOST_ID)) });

export function auditRoutes(app: Hono<HttpEnv>): void {
  app.get('/v1/bank/audit', requireKey('lookups', 'audit:read'), validQuery(auditList), async (context) =>
    answerPage(
      context,
      await listChangesOf(context.get('deps'), context.get('caller'), context.req.valid('query')),
    ),
  );
}
