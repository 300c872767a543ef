/**
 * The OpenAPI document: made of the operations that the routes are made of, the schemas that judge requests, the types
 * of the answers and the table of errors. A tool writes it down once (tools/build/site.ts); the Worker never makes it.
 */
import { ERRORS, type ErrorCode } from '../errors.ts';
import type { Operation } from '../http/operation.ts';
import { SCOPES } from '../api-keys/scopes.ts';
import { MAX_ID_CHARACTERS } from '../http/parameters.ts';
import { COMPONENTS } from './components.ts';
import { ERROR_GUIDE } from './error-guide.ts';
import { ANSWER_HEADERS, REQUEST_HEADERS, type AnswerHeader } from './headers.ts';
import { describeComponents, describeFields, toJsonSchema, type JsonSchema } from './json-schema.ts';
import { BOOKMARK, TAGS, type Documented } from './documented.ts';
import { OPERATIONS } from './operations.ts';
import { emailParameter } from './sent.ts';

const EXAMPLE_HOST = 'https://api.example.com';

const ALWAYS: AnswerHeader[] = ['X-Request-Id'];
const WITH_KEY: AnswerHeader[] = ['RateLimit', 'RateLimit-Policy'];

/** Every code that an operation can answer with. */
export function errorCodesOf({ body, errors, rateLimitClass }: Operation): ErrorCode[] {
  const ofBody: ErrorCode[] = body === undefined ? [] : ['PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'];
  const ofKey: ErrorCode[] = rateLimitClass === 'nothing' ? [] : ['UNAUTHENTICATED', 'FORBIDDEN'];
  return [
    'INVALID_REQUEST',
    ...ofKey,
    'URI_TOO_LONG',
    'RATE_LIMITED',
    'INTERNAL',
    'UNAVAILABLE',
    ...ofBody,
    ...errors,
  ];
}

/** `/a/:b`, as Hono writes it, is `/a/{b}`. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

const headerRefs = (names: AnswerHeader[]) =>
  Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));

function parametersOf({ operation, query, headers }: Documented): object[] {
  const inPath = [...operation.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    description: 'Of the answer to the batch.',
    schema: { type: 'string', minLength: 1, maxLength: MAX_ID_CHARACTERS },
    example: COMPONENTS.Batch.example.batchId,
  }));
  const schema = operation.query === undefined ? {} : toJsonSchema(operation.query);
  const words = Object.fromEntries(
    Object.entries(query).map(([name, { description }]) => [name, description]),
  );
  const fields = describeFields(schema.properties, words);
  const inQuery = Object.entries(fields).map(([name, { description, ...made }]) => {
    const { example, schema: text } = query[name] ?? {};
    const sent = text ?? (name === 'email' ? emailParameter(made) : made);
    const required =
      ((schema['required'] as string[] | undefined) ?? []).includes(name) && !('default' in made);
    return {
      name,
      in: 'query',
      ...(required ? { required } : {}),
      description,
      schema: sent,
      example,
    };
  });
  return [...inPath, ...inQuery, ...headers.map((name) => ({ $ref: `#/components/parameters/${name}` }))];
}

function successesOf({ successes, operation }: Documented): Record<string, object> {
  return Object.fromEntries(
    Object.entries(successes).map(([status, { description, headers = [], schema, example }]) => {
      const ofKey = operation.rateLimitClass === 'nothing' ? [] : [...WITH_KEY, BOOKMARK];
      const all = [...ALWAYS, ...ofKey, ...headers];
      const content = schema && { 'application/json': { schema: toJsonSchema(schema), example } };
      return [status, { description, headers: headerRefs(all), ...(content ? { content } : {}) }];
    }),
  );
}

const RETRYABLE: ErrorCode[] = ['RATE_LIMITED', 'UNAVAILABLE', 'IDEMPOTENCY_IN_PROGRESS'];

function errorExample(code: ErrorCode) {
  const { status, message } = ERRORS[code];
  return {
    ...COMPONENTS.ErrorAnswer.example,
    statusCode: status,
    message,
    code,
    docs: `${EXAMPLE_HOST}/errors#${code}`,
    ...(RETRYABLE.includes(code) ? { retryAfter: 5 } : {}),
  };
}

/** One answer for each status: of which codes, and what each is like. */
function failuresOf({ operation, failureHeaders = {} }: Documented): Record<string, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of errorCodesOf(operation)) {
    const { status } = ERRORS[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const description = codes.map((code) => `\`${code}\`: ${ERROR_GUIDE[code].cause}`).join('\n\n');
      const headers: AnswerHeader[] = [...ALWAYS, ...(failureHeaders[status] ?? [])];
      if (operation.rateLimitClass !== 'nothing') headers.push(...WITH_KEY);
      if (status === 401) headers.push('WWW-Authenticate');
      if (codes.some((code) => RETRYABLE.includes(code))) headers.push('Retry-After');
      const examples: Record<string, object> = {};
      for (const code of codes) examples[code] = { value: errorExample(code) };
      const schema = { $ref: '#/components/schemas/ErrorAnswer' };
      const content = { 'application/json': { schema, examples } };
      return [String(status), { description, headers: headerRefs([...new Set(headers)]), content }];
    }),
  );
}

function describeOperation(operationId: string, documented: Documented): object {
  const { operation, tag, summary, description, body } = documented;
  const isOpen = operation.rateLimitClass === 'nothing';
  const scopes = operation.scopes.map((scope) => `\`${scope}\``).join(' or ');
  const access = isOpen
    ? 'No API key is asked for.'
    : `Needs a key with the scope ${scopes}. Counts as one of its ${operation.rateLimitClass}.`;
  const parameters = parametersOf(documented);
  return {
    operationId,
    tags: [tag],
    summary,
    description: `${description}\n\n${access}`,
    ...(isOpen ? { security: [] } : {}),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(operation.body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { 'application/json': bodyOf(operation.body.schema, body) },
          },
        }),
    responses: { ...successesOf(documented), ...failuresOf(documented) },
  };
}

/** The rows of a batch are judged one by one, so its schema leaves them open; what they should be is known. */
function bodyOf(schema: NonNullable<Operation['body']>['schema'], example: unknown): object {
  const made = toJsonSchema(schema);
  const rows = made.properties?.['customers'];
  if (rows !== undefined) {
    rows['items'] = { $ref: '#/components/schemas/NewCustomer' };
    delete made['additionalProperties'];
  }
  return { schema: made, example };
}

const DESCRIPTION = `Banks bring their customers into the network; each customer gets a **phrase**, a human-readable alias. Before a payment: given a phrase, who is this? An API key looks up the customers of its own bank.

Every request carries \`Authorization: Bearer <key>\`. A key belongs to one bank and sees that bank’s customers only; what it may do is a matter of its scopes: ${SCOPES.map((scope) => `\`${scope}\``).join(', ')}.

Paths have no slash at their end. Texts are trimmed; none may hold control characters, text-direction overrides, broken Unicode or more than 30 combining marks in a row, and characters are counted as UTF-16 has them, composed.

Every error has a \`code\` of a closed set, names all faults by their fields, and links to its [cause and cure](/errors).`;

export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, JsonSchema>>;
  components: { schemas: Record<string, JsonSchema> } & Record<string, object>;
}

/** Where `npm start` serves. */
const LOCAL_SERVER = { url: 'http://localhost:8787', description: 'A local server: npm start.' };

/**
 * @param version of the service
 * @param publicUrl of the deployed service, such as `https://api.example.com`; without one, a local server alone
 */
export function buildOpenApi(version: string, publicUrl?: string): OpenApi {
  const paths: OpenApi['paths'] = {};
  for (const [operationId, documented] of Object.entries(OPERATIONS)) {
    const { path, method } = documented.operation;
    const operations = (paths[templateOf(path)] ??= {});
    operations[method.toLowerCase()] = describeOperation(operationId, documented) as JsonSchema;
  }
  const document = {
    openapi: '3.1.1',
    info: {
      title: 'Peere customers',
      version,
      summary: 'Given a phrase, who is this?',
      description: DESCRIPTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [...(publicUrl === undefined ? [] : [{ url: publicUrl }]), LOCAL_SERVER],
    security: [{ key: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key of your bank. On a local server `peere_test_lagos_full` has every scope.',
        },
      },
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, header]) => [name, { name, in: 'header', ...header }]),
      ),
      headers: ANSWER_HEADERS,
      schemas: describeComponents(),
    },
  };
  return document;
}
