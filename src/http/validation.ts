/** What came in, judged by a schema before a handler sees it; every fault is named by its path. */
import { zValidator } from '@hono/zod-validator';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod/mini';
import { AppError, invalid, type FieldError } from '../errors.ts';
import { findExcess } from '../lib/json-size.ts';
import type { HttpContext, HttpEnv } from './context.ts';

/** Every fault of a schema. An unknown key becomes a fault of its own, named by its path. */
function toFieldErrors(error: z.core.$ZodError, root: string): FieldError[] {
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
const MAX_PATH_CHARACTERS = 100;

function safeName(path: string[]): string {
  const name = path.join('.').replace(/[^\w.[\]-]/g, '?');
  return name.length > MAX_PATH_CHARACTERS ? `${name.slice(0, MAX_PATH_CHARACTERS)}…` : name;
}

function throwFieldErrors(root: string) {
  return (result: { success: true } | { success: false; error: z.core.$ZodError }) => {
    if (!result.success) {
      throw new AppError('INVALID_REQUEST', { errors: toFieldErrors(result.error, root) });
    }
  };
}

/** `c.req.valid('query')` after this. A parameter may be written `ids` or `ids[]`. */
export function validQuery(schema: z.ZodMiniType): MiddlewareHandler {
  return zValidator('query', schema, throwFieldErrors('query'));
}

/** What a body may be. */
export interface BodyRules<Schema extends z.ZodMiniType = z.ZodMiniType> {
  schema: Schema;
  maxBytes: number;
  /** JSON values in all, those inside of others included. */
  maxValues: number;
  /** The array of which the body consists; with more elements it is refused as `fault` says, before it is parsed. */
  list?: { key: string; maxElements: number; fault: string };
}

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/**
 * `c.req.valid('json')` after this. Lets only plain JSON pass: right type, no compression, valid UTF-8, and neither
 * more bytes nor more values than it may have, which is found out before any of it is parsed.
 */
export function validJson(rules: BodyRules): MiddlewareHandler<HttpEnv> {
  const { maxBytes } = rules;
  const withinLimit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      const message = `must be at most ${maxBytes} bytes; send several smaller ones`;
      throw new AppError('PAYLOAD_TOO_LARGE', { errors: [{ field: 'body', message }] });
    },
  });
  return (context, next) => {
    refuseOtherTypes(context);
    return withinLimit(context, async () => {
      // Hono's own readers would keep the bytes and the text for as long as the request lasts.
      const body = readJson(new Uint8Array(await context.req.raw.arrayBuffer()), rules);
      const result = rules.schema.safeParse(body);
      throwFieldErrors('body')(result);
      context.req.addValidatedData('json', result.data as object);
      await next();
    });
  };
}

/** @throws a 400 for too many values, for what is not UTF-8, and for what is not JSON */
function readJson(bytes: Uint8Array, { maxValues, list }: BodyRules): unknown {
  const excess = findExcess(bytes, { maxValues, list });
  if (excess === 'elements' && list !== undefined) throw invalid(list.key, list.fault);
  if (excess !== undefined)
    throw invalid('body', `must hold at most ${maxValues} JSON values; send less at a time`);
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch {
    throw invalid('body', 'must be valid JSON');
  }
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
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw invalid('body', 'must be valid UTF-8');
  }
}
