/**
 * The OpenAPI document, derived from the operations that the routes are made of, the schemas that validate requests and
 * type responses, and the table of errors. A tool writes it once (tools/build/site.ts); the Worker never builds it.
 */
import type { Operation } from '../http/operation.ts';
import { TAGS, type Documented, type Parameter } from './documented.ts';
import { REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.ts';
import { INTRODUCTION } from './introduction.ts';
import { describeComponents, describeFields, toJsonSchema } from './json-schema.ts';
import { OPERATIONS } from './operations.ts';
import { responsesOf } from './responses.ts';
import { emailParameter, type JsonSchema } from './sent.ts';
import { describeWebhooks } from './webhooks.ts';

/** `/a/:b`, as Hono writes it, is `/a/{b}`. */
export function templateOf(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

function parametersOf({ operation, params = {}, query }: Documented): object[] {
  const headers = [
    ...(operation.requestHeaders ?? []),
    ...(operation.consistency === 'session' ? (['X-D1-Bookmark'] as const) : []),
  ];
  return [
    ...describeParameters('path', operation.params, params),
    ...describeParameters('query', operation.query, query),
    ...headers.map((name) => ({ $ref: `#/components/parameters/${name}` })),
  ];
}

function describeParameters(
  place: 'path' | 'query',
  schema: Operation['query'],
  described: Record<string, Parameter>,
): object[] {
  const made = schema === undefined ? {} : toJsonSchema(schema);
  const descriptions = Object.entries(described).map(([name, { description }]) => [name, description]);
  const fields = describeFields(made.properties, Object.fromEntries(descriptions));
  const requiredNames = (made['required'] as string[] | undefined) ?? [];
  return Object.entries(fields).map(([name, { description, ...field }]) => {
    const { example, schema: text } = described[name] ?? {};
    const sent = text ?? (name === 'email' ? emailParameter(field) : field);
    const required = requiredNames.includes(name) && !('default' in field);
    return { name, in: place, ...(required ? { required } : {}), description, schema: sent, example };
  });
}

function describeOperation(operationId: string, documented: Documented): object {
  const { operation, tag, summary, description, body } = documented;
  const isOpen = operation.rateLimitClass === 'nothing';
  const scopes = operation.scopes.map((scope) => `\`${scope}\``).join(' or ');
  const access = isOpen
    ? 'Needs no API key.'
    : `Needs an API key with the scope ${scopes}. Counts as one of its ${operation.rateLimitClass}.`;
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
    responses: responsesOf(documented),
  };
}

/** The code validates a batch row by row, so its schema does not describe the rows. The reference does. */
function bodyOf(schema: NonNullable<Operation['body']>['schema'], example: unknown): object {
  const made = toJsonSchema(schema);
  const rows = made.properties?.['customers'];
  if (rows !== undefined) {
    rows['items'] = { $ref: '#/components/schemas/NewCustomer' };
    delete made['additionalProperties'];
  }
  return { schema: made, example };
}

export interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, JsonSchema>>;
  webhooks: Record<string, object>;
  components: { schemas: Record<string, JsonSchema> } & Record<string, object>;
}

/** Where `npm start` serves. */
const LOCAL_SERVER = { url: 'http://localhost:8787', description: 'A local server: npm start.' };

/**
 * @param version of the service
 * @param publicUrl of the deployed service, such as `https://api.example.com`; without one, only a local server is listed
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
      description: INTRODUCTION,
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [...(publicUrl === undefined ? [] : [{ url: publicUrl }]), LOCAL_SERVER],
    security: [{ key: [] }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    webhooks: describeWebhooks(),
    components: {
      securitySchemes: {
        key: {
          type: 'http',
          scheme: 'bearer',
          description:
            'An API key of your bank. On a local server, `peere_test_lagos_full` has every scope but `network:resolve`, which `peere_test_network` has.',
        },
      },
      parameters: Object.fromEntries(
        Object.entries(REQUEST_HEADERS).map(([name, header]) => [name, { name, in: 'header', ...header }]),
      ),
      headers: RESPONSE_HEADERS,
      schemas: describeComponents(),
    },
  };
  return document;
}
