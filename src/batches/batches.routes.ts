/** HTTP of batches. Translates; the rules are in batches.service.ts. */
import type { Hono } from 'hono/tiny';
import { LIMITS } from '../env.ts';
import { AppError } from '../errors.ts';
import { requireKey } from '../http/auth.ts';
import type { HttpEnv } from '../http/context.ts';
import { succeed } from '../http/envelope.ts';
import { jsonBody, validJson } from '../http/input.ts';
import { newBatch } from './batches.schema.ts';
import { acceptBatch } from './batches.service.ts';

const mayWrite = requireKey('customers:write');

export function batchRoutes(app: Hono<HttpEnv>): void {
  app.post(
    '/v1/bank/customers',
    mayWrite,
    jsonBody(LIMITS.batchBodyBytes),
    validJson(newBatch),
    async (context) => {
      const { customers } = context.req.valid('json');
      const { report, refusal } = await acceptBatch(
        context.get('deps'),
        context.get('caller').bankId,
        customers,
      );
      if (refusal !== null) {
        const message = 'holds no row that can become a customer; data.failures says why of each';
        throw new AppError(refusal, { data: report, errors: [{ field: 'customers', message }] });
      }
      return succeed(context, 201, 'Batch processed, customers will reflect shortly', report);
    },
  );
}
