/** Validates a request by its operation's schemas before the handler sees it. Each fault is named by its path. */
import { zValidator } from '@hono/zod-validator';
import type { MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type * as z from 'zod/mini';
import { deploymentOf, type Deployment } from '../env.ts';
import { AppError, ERRORS, invalid, type ErrorCode, type FieldError } from '../errors.ts';
import { findExcess } from '../lib/json-size.ts';
import type { HttpContext, HttpEnv } from './context.ts';

/** Each unknown key becomes a fault of its own. */
function toFieldErrors(error: z.core.$ZodError, root: string): FieldError[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        field: safeName([...path, key]),
        message: 'is not a known field',
      }));
    }
    return [{ field: path.length === 0 ? root : safeName(path), message: issue.message }];
  });
}

/** Longest path that an error repeats: keys are the client's own text. */
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

/** Makes `context.req.valid('query')` available. */
export function validQuery(schema: z.ZodMiniType): MiddlewareHandler {
  return zValidator('query', schema, throwFieldErrors('query'));
}

/**
 * Makes `context.req.valid('param')` available. A path whose parameters do not match names nothing that exists.
 * @param errors of the operation: its own 404 is the answer
 */
export function validParams(schema: z.ZodMiniType, errors: readonly ErrorCode[]): MiddlewareHandler<HttpEnv> {
  const notFound = errors.find((code) => ERRORS[code].status === 404) ?? 'ROUTE_NOT_FOUND';
  return (context, next) => {
    const result = schema.safeParse(context.req.param());
    if (!result.success) throw new AppError(notFound);
    context.req.addValidatedData('param', result.data as object);
    return next();
  };
}

/** Finds faults of a parsed body that depend on the deployment, which a schema cannot know. */
export type BodyFaults = (body: unknown, deployment: Deployment) => FieldError[];

export interface BodyRules<Schema extends z.ZodMiniType = z.ZodMiniType> {
  schema: Schema;
  maxBytes: number;
  /** JSON values in total, nested ones included. */
  maxValues: number;
  /** The array that makes up the body. With more elements it is refused before it is parsed, for the reason `fault`. */
  list?: { key: string; maxElements: number; fault: string };
  /** More faults than those of the schema. */
  faults?: BodyFaults;
}

/** Refuses a body that nothing would read, because whoever sends one expects it to have an effect. */
export const refuseBody: MiddlewareHandler<HttpEnv> = async (context, next) => {
  // Proxies forward a request without a body as one with an empty one, so only its first part tells.
  const reader = context.req.raw.body?.getReader();
  const first = await reader?.read();
  void reader?.cancel();
  if (first?.value !== undefined && first.value.length > 0) {
    throw invalid('body', 'must be absent: this operation takes parameters in the URL only');
  }
  await next();
};

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/**
 * Makes `context.req.valid('json')` available. Accepts plain JSON only: of the right type, uncompressed, in valid UTF-8.
 * The limits on bytes and values are checked before anything is parsed.
 */
export function validJson(rules: BodyRules): MiddlewareHandler<HttpEnv> {
  const { maxBytes } = rules;
  const withinLimit = bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      const message = `must be at most ${maxBytes} bytes; split it into smaller requests`;
      throw new AppError('PAYLOAD_TOO_LARGE', { errors: [{ field: 'body', message }] });
    },
  });
  return (context, next) => {
    refuseOtherTypes(context);
    return withinLimit(context, async () => {
      // Hono's own readers would keep the bytes and the text in memory until the request ends.
      const body = readJson(new Uint8Array(await context.req.raw.arrayBuffer()), rules);
      context.req.addValidatedData('json', parseBody(body, rules, context) as object);
      await next();
    });
  };
}

/** @throws a 400 with every fault, of which each field has one */
function parseBody(body: unknown, { schema, faults }: BodyRules, { env }: HttpContext): unknown {
  const result = schema.safeParse(body);
  const errors = result.success ? [] : toFieldErrors(result.error, 'body');
  const named = new Set(errors.map(({ field }) => field));
  const more = faults?.(body, deploymentOf(env)) ?? [];
  errors.push(...more.filter(({ field }) => !named.has(field)));
  if (errors.length > 0) throw new AppError('INVALID_REQUEST', { errors });
  return result.data;
}

/** @throws a 400 for too many values, invalid UTF-8 or invalid JSON */
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
    errors.push({ field: 'Content-Encoding', message: 'is not supported; send the body uncompressed' });
  }
  if (errors.length > 0) throw new AppError('UNSUPPORTED_MEDIA_TYPE', { errors });
}

/** Lenient decoding would replace invalid bytes by U+FFFD and store a name that nobody sent. */
function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw invalid('body', 'must be valid UTF-8');
  }
}
