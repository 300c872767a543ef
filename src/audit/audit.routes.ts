/** HTTP of the audit log. */
import type { Hono } from 'hono/tiny';
import type { HttpEnv } from '../http/context.ts';
import { mount } from '../http/operation.ts';
import { answerPage } from '../http/link-header.ts';
import { listChanges } from './audit.operations.ts';
import { listChangesOf } from './audit.service.ts';

export function auditRoutes(app: Hono<HttpEnv>): void {
  mount(app, listChanges, async (context, { query }) =>
    answerPage(
      context,
      { subject: query.subject, limit: query.limit },
      await listChangesOf(context.get('deps'), context.get('caller'), query),
    ),
  );
}
