/** Compares a response with the reference: its status, headers and shape. */
import { Validator } from '@cfworker/json-schema';
import { buildOpenApi, templateOf } from '../../src/openapi/openapi.ts';
import { OPERATIONS } from '../../src/openapi/operations.ts';

export const reference = buildOpenApi('0.0.0');

interface DocumentedResponse {
  headers?: Record<string, unknown>;
  content?: Record<string, { schema: object }>;
}

/** Every response of an operation in the reference, by status. */
function responsesOf(operationId: string): Record<string, DocumentedResponse> {
  const { path, method } = OPERATIONS[operationId]?.operation ?? { path: '', method: '' };
  const operation = reference.paths[templateOf(path)]?.[method.toLowerCase()];
  return (operation?.['responses'] ?? {}) as Record<string, DocumentedResponse>;
}

const pathPatterns = Object.entries(OPERATIONS).map(([id, { operation }]) => ({
  id,
  method: operation.method,
  pattern: new RegExp(`^${operation.path.replaceAll(/:\w+/g, '[^/]+')}$`),
}));

/** The operation that a request is for; undefined for other requests, whose responses are not documented. */
export function operationOf(method: string, path: string): string | undefined {
  const pathname = path.split('?')[0] ?? '';
  // No path matches two patterns: a batch id has no slash.
  return pathPatterns.find((known) => known.method === method && known.pattern.test(pathname))?.id;
}

/** Headers that every response has, which the reference does not repeat. */
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
    // `false`: it reports every fault, not only the first.
    new Validator({ ...schema, components: reference.components }, '2020-12', false);
  validators.set(name, known);
  return known;
}

/** Returns the parts of a response that the reference does not document: empty if it is documented in full. */
export function undocumentedParts(
  operationId: string,
  status: number,
  headers: Headers,
  text: string,
): string[] {
  const documented = responsesOf(operationId)[String(status)];
  if (documented === undefined) return [`${operationId} has no status ${status}`];
  const known = new Set(Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase()));
  const unknown = [...headers.keys()].filter((name) => !COMMON.has(name) && !known.has(name));
  const wrong = unknown.map((name) => `${operationId} ${status} has no header ${name}`);
  const schema = documented.content?.['application/json']?.schema;
  if (schema === undefined) return text === '' ? wrong : [...wrong, `${operationId} ${status} has no body`];
  const { valid, errors } = validatorOf(operationId, status, schema).validate(JSON.parse(text));
  const faults = valid ? [] : errors.map(({ instanceLocation, error }) => `${instanceLocation}: ${error}`);
  return [...wrong, ...faults.map((fault) => `${operationId} ${status} ${fault}`)];
}

/** Every status of every operation in the reference: `getBatch 404`. */
export function documentedStatuses(): string[] {
  return Object.keys(OPERATIONS).flatMap((id) =>
    Object.keys(responsesOf(id)).map((status) => `${id} ${status}`),
  );
}

/** Every header of every response in the reference: `getBatch 404 x-d1-bookmark`. */
export function documentedHeaders(): string[] {
  return Object.keys(OPERATIONS).flatMap((id) =>
    Object.entries(responsesOf(id)).flatMap(([status, { headers = {} }]) =>
      Object.keys(headers).map((name) => `${id} ${status} ${name.toLowerCase()}`),
    ),
  );
}

/** Returns whether the reference leaves this header out because every response has it. */
export function isCommonHeader(name: string): boolean {
  return COMMON.has(name);
}
