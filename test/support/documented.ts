/** Holds an answer to what the reference says of it: its status, its shape, its headers. */
import { Validator } from '@cfworker/json-schema';
import { buildOpenApi, templateOf } from '../../src/openapi/openapi.ts';
import { OPERATIONS } from '../../src/openapi/operations.ts';

export const reference = buildOpenApi('0.0.0');

interface Documented {
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: object }>;
}

/** Every answer of every operation, as the reference has it. */
function answersOf(operationId: string): Record<string, Documented> {
  const { path, method } = OPERATIONS[operationId]?.operation ?? { path: '', method: '' };
  const operation = reference.paths[templateOf(path)]?.[method.toLowerCase()];
  return (operation?.['responses'] ?? {}) as Record<string, Documented>;
}

const pathPatterns = Object.entries(OPERATIONS).map(([id, { operation }]) => ({
  id,
  method: operation.method,
  pattern: new RegExp(`^${operation.path.replaceAll(/:\w+/g, '[^/]+')}$`),
}));

/** The operation that a request is for; undefined where there is none, so that nothing is said of its answer. */
export function operationOf(method: string, path: string): string | undefined {
  const pathname = path.split('?')[0] ?? '';
  // `…/batches/x` fits no other pattern: the first that fits is the one.
  return pathPatterns.find((known) => known.method === method && known.pattern.test(pathname))?.id;
}

/** Headers that any server sends, or that say the same of every answer. */
const COMMON = new Set([
  'cache-control',
  'content-length',
  'content-type',
  'strict-transport-security',
  'x-content-type-options',
]);

const validators = new Map<string, Validator>();

function validatorOf(operationId: string, status: number, schema: object): Validator {
  const name = `${operationId} ${status}`;
  const known =
    validators.get(name) ??
    // Without its end, one fault would hide the others.
    new Validator({ ...schema, components: reference.components }, '2020-12', false);
  validators.set(name, known);
  return known;
}

/** @returns what the reference does not say of this answer, or says otherwise; empty where it is right */
export function differences(operationId: string, status: number, headers: Headers, text: string): string[] {
  const documented = answersOf(operationId)[String(status)];
  if (documented === undefined) return [`${operationId} does not answer ${status}`];
  const known = new Set(Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase()));
  const unknown = [...headers.keys()].filter((name) => !COMMON.has(name) && !known.has(name));
  const wrong = unknown.map((name) => `${operationId} ${status} has no header ${name}`);
  const schema = documented.content?.['application/json']?.schema;
  if (schema === undefined) return text === '' ? wrong : [...wrong, `${operationId} ${status} has no body`];
  const { valid, errors } = validatorOf(operationId, status, schema).validate(JSON.parse(text));
  const faults = valid ? [] : errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  return [...wrong, ...faults.map((fault) => `${operationId} ${status} ${fault}`)];
}

/**
 * Every status that the reference names, of every operation.
 * @param header only of answers that have this header
 */
export function documentedAnswers(header?: string): string[] {
  return Object.keys(OPERATIONS).flatMap((id) =>
    Object.entries(answersOf(id))
      .filter(([, { headers = {} }]) => header === undefined || header in headers)
      .map(([status]) => `${id} ${status}`),
  );
}
