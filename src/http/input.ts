/** What came in, judged by a schema before a handler sees it; every fault is named by its path. */
import { zValidator } from '@hono/zod-validator';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod/mini';
import { AppError, invalid, type FieldError } from '../errors.ts';
import type { HttpContext, HttpEnv } from './context.ts';

/** Every fault of a schema. An unknown key becomes a fault of its own, named by its path. */
function faultsOf(error: z.core.$ZodError, root: string): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: safeName([...path, key]),
        message: 'is not a field that can be given here',
      }));
    }
    return [{ field: path.length === 0 ? root : safeName(path), message: issue.message }];
  });
}

/** Longest path repeated to a client: names of keys are the client's own text. */
const MOST_PATH = 100;

function safeName(path: string[]): string {
  const name = path.join('.').replace(/[^\w.[\]-]/g, '?');
  return name.length > MOST_PATH ? `${name.slice(0, MOST_PATH)}…` : name;
}

function refuseFaults(root: string) {
  return (result: { success: true } | { success: false; error: z.core.$ZodError }) => {
    if (!result.success) {
      throw new AppError('INVALID_REQUEST', { errors: faultsOf(result.error, root) });
    }
  };
}

/** `c.req.valid('query')` after this. A parameter may be written `ids` or `ids[]`. */
export function validQuery(schema: z.ZodMiniType): MiddlewareHandler {
  return zValidator('query', schema, refuseFaults('query'));
}

/** `c.req.valid('json')` after this. Goes behind `jsonBody`. */
export function validJson(schema: z.ZodMiniType): MiddlewareHandler {
  return zValidator('json', schema, refuseFaults('body'));
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** Lets only plain JSON pass: right type, no compression, at most so many bytes, valid UTF-8. */
export function jsonBody(mostBytes: number): MiddlewareHandler<HttpEnv> {
  const withinLimit = bodyLimit({
    maxSize: mostBytes,
    onError: () => {
      const message = `must be at most ${mostBytes} bytes; send several smaller ones`;
      throw new AppError('PAYLOAD_TOO_LARGE', { errors: [{ field: 'body', message }] });
    },
  });
  return (context, next) => {
    refuseOtherTypes(context);
    return withinLimit(context, async () => {
      await refuseBrokenUtf8(context);
      await next();
    });
  };
}

function refuseOtherTypes(context: HttpContext): void {
  const errors: FieldError[] = [];
  if (!JSON_TYPE.test(context.req.header('Content-Type') ?? '')) {
    errors.push({ field: 'Content-Type', message: 'must be application/json' });
  }
  if (context.req.header('Content-Encoding') !== undefined) {
    errors.push({ field: 'Content-Encoding', message: 'is not taken; send the body uncompressed' });
  }
  if (errors.length > 0) throw new AppError('UNSUPPORTED_MEDIA_TYPE', { errors });
}

/** Bytes that are not UTF-8 would be read as U+FFFD, and a name stored that nobody sent. */
async function refuseBrokenUtf8(context: HttpContext): Promise<void> {
  const body = await context.req.arrayBuffer();
  try {
    new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(body);
  } catch {
    throw invalid('body', 'must be valid UTF-8');
  }
}
