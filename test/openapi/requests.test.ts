/**
 * The reference and the service accept the same requests, as far as JSON Schema can express the rules: each value is
 * validated by the schema and sent to the service, and the two must agree. Left out is what it cannot express: whether a
 * phone number or a country exists, control characters, numbers that a spreadsheet has changed.
 */
import { Validator } from '@cfworker/json-schema';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { SORT_FIELDS } from '../../src/customers/customers.requests.ts';
import { sentCustomer } from '../support/customers.ts';
import { reference } from '../support/reference.ts';
import { Service } from '../support/service.ts';

let service: Service;
let id: string;

beforeEach(async () => {
  service = new Service();
  const [row] = await service.createCustomers([sentCustomer()]);
  id = row?.id ?? '';
});

function takes(schema: object, value: unknown): boolean {
  return new Validator({ ...schema, components: reference.components }, '2020-12').validate(value).valid;
}

const spaces = fc.constantFrom('', ' ', '  ', '\u00A0', '\t');
const padded = (text: fc.Arbitrary<string>) => fc.tuple(spaces, text, spaces).map((parts) => parts.join(''));
const letters = (length: number) => 'Adé'.repeat(Math.ceil(length / 3)).slice(0, length);
/** Lengths around the limit of each field, and empty. */
const text = padded(fc.constantFrom(0, 1, 2, 64, 65, 100, 101, 128, 129, 200, 201, 500, 501).map(letters));
const noText = fc.constantFrom(null, 1, true, [], {});
const value = (...special: string[]) => fc.oneof(text, noText, padded(fc.constantFrom('', ...special)));

const EMAILS = [
  'Ada@Example.com',
  'a@b.co',
  'ada',
  'ada@',
  'a b@example.com',
  `${'a'.repeat(65)}@example.com`,
];
const VALUES: Record<string, fc.Arbitrary<unknown>> = {
  email: value(...EMAILS),
  country: padded(fc.constantFrom('NG', 'gh', 'Ke', '', 'NGA', 'N', '1G')),
  gender: value('male', 'FEMALE', 'Other', 'm', 'male female'),
  phone: fc.oneof(padded(fc.constantFrom('', '+2348031234567')), noText, fc.constant('+'.repeat(41))),
  displayPicture: value('https://example.com/a.png', 'HTTPS://example.com', 'http://example.com', 'picture'),
};

describe('a row of a batch', () => {
  const schema = reference.components.schemas['NewCustomer'] ?? {};
  const fields = Object.keys(schema.properties ?? {});

  it.each([...fields, 'unknown'])(
    'is accepted with exactly those values of %s that the reference allows',
    async (field) => {
      const values = fc.sample(fc.option(VALUES[field] ?? text, { nil: undefined, freq: 10 }), 200);
      const rows = values.map((sent, number) => ({ ...sentCustomer(number + 1), [field]: sent }));
      const { body } = await service.request('POST', '/v1/bank/customers?dryRun=true', {
        body: { customers: rows },
      });
      const refused = new Set<number>();
      for (const { index, code } of body.data.failures) {
        if (code === 'INVALID_DATA' || code === 'VALIDATION_ERROR') refused.add(index);
      }
      // As JSON: a value that is undefined is absent.
      const sent = JSON.parse(JSON.stringify(rows)) as Record<string, unknown>[];
      const differing = sent.filter((row, index) => takes(schema, row) === refused.has(index));
      expect(differing.map((row) => row[field])).toEqual([]);
    },
  );
});

describe('an update', () => {
  const patch = reference.paths['/v1/bank/customer']?.['patch'] as unknown as {
    requestBody: { content: { 'application/json': { schema: object } } };
  };
  const { schema } = patch.requestBody.content['application/json'];
  const fields = Object.keys(reference.components.schemas['CustomerUpdate']?.properties ?? {});

  const agree = async (body: unknown) => {
    const { status } = await service.request('PATCH', '/v1/bank/customer', { body });
    expect({ body, taken: status !== 400 }).toEqual({ body, taken: takes(schema, body) });
  };

  it.each(fields)('is accepted with exactly those values of %s that the reference allows', async (field) => {
    for (const sent of fc.sample(VALUES[field] ?? fc.oneof(text, noText), 40)) {
      await agree({ id, update: { [field]: sent } });
    }
  });

  it('needs an id and at least one known field', async () => {
    for (const sent of fc.sample(fc.oneof(text, noText), 40))
      await agree({ id: sent, update: { state: 'x' } });
    for (const body of [
      {},
      { id },
      { id, update: {} },
      { id, update: { email: 'a@b.co' } },
      { id, x: 1, update: {} },
    ]) {
      await agree(body);
    }
  });
});

describe('a parameter', () => {
  interface Parameter {
    name: string;
    in: string;
    schema: { type?: string };
    example: unknown;
  }
  const get = Object.entries(reference.paths).flatMap(([path, methods]) =>
    ((methods['get']?.['parameters'] ?? []) as Parameter[])
      .filter((parameter) => parameter.in === 'query' && !path.includes('{'))
      .map((parameter) => ({ path, ...parameter })),
  );
  const WORDS = [
    'COMPLETED',
    'completed',
    'true',
    '1',
    '0',
    '-1',
    '20',
    '101',
    '1.5',
    'x',
    ...EMAILS,
    ...SORT_FIELDS,
  ];
  /** A value of a URL, as the schema describes it. */
  const read = (type: string | undefined, sent: string): unknown => {
    if (type === 'integer') return /^\d+$/.test(sent) ? Number(sent) : sent;
    return type === 'array' ? [sent] : sent;
  };

  it.each(get)('$name of $path has exactly those values that the reference allows', async (parameter) => {
    const { path, name, schema } = parameter;
    // A lookup needs at least one identifier.
    const besides = path === '/v1/bank/customer' && name !== 'id' ? `&id=${id}` : '';
    for (const sent of new Set(fc.sample(fc.oneof(text, fc.constantFrom('', ...WORDS)), 60))) {
      // Cursors are encrypted, so only the empty one can be made up. An empty value of a list counts as none.
      if (name === 'cursor' ? sent !== '' : schema.type === 'array' && sent.trim() === '') continue;
      const { status } = await service.get(`${path}?${name}=${encodeURIComponent(sent)}${besides}`);
      expect({ sent, taken: status !== 400 }).toEqual({
        sent,
        taken: takes(schema, read(schema.type, sent)),
      });
    }
  });
});

describe('the reference for generated clients', () => {
  it('has a valid example of every parameter', () => {
    const parameters = Object.values(reference.paths).flatMap((methods) =>
      Object.values(methods).flatMap((operation) => (operation['parameters'] ?? []) as object[]),
    );
    const shared = Object.values(reference.components['parameters'] as Record<string, object>);
    const all = [...parameters.filter((parameter) => !('$ref' in parameter)), ...shared];
    expect(all.length).toBeGreaterThan(20);
    for (const parameter of all as { name: string; schema: object; example: unknown }[]) {
      const { name, schema, example } = parameter;
      expect([name, takes(schema, example)]).toEqual([name, true]);
    }
  });

  it('names servers with a host and without a trailing slash', () => {
    const { servers } = reference as unknown as { servers: { url: string }[] };
    for (const { url } of servers) expect(url).toMatch(/^https?:\/\/[^/]+$/);
  });

  it('has paths that do not work with a trailing slash', async () => {
    for (const path of Object.keys(reference.paths)) {
      const answer = await service.get(`${path.replace('{batchId}', 'bat_x')}/`);
      expect([path, answer.status, answer.body.code]).toEqual([path, 404, 'ROUTE_NOT_FOUND']);
    }
  });

  it('is right that a 401 and a 414 describe the rate limits', async () => {
    const unknown = await service.get('/v1/bank/customers', null);
    expect(unknown.headers.get('RateLimit-Policy')).toMatch(/^"lookups";q=\d+;w=\d+, "misses";q=\d+;w=\d+$/);
    const long = await service.get(`/v1/bank/customers?ids=${'x'.repeat(17_000)}`);
    expect(long.status).toBe(414);
    expect(long.headers.get('RateLimit')).toMatch(/^"lookups";r=\d+;t=\d+, "misses";r=\d+;t=\d+$/);
    expect(
      (await service.request('POST', '/v1/bank/customers', { apiKey: null })).headers.get('RateLimit'),
    ).toContain('batches');
  });
});
