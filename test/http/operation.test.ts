/**
 * An operation says what its handler may return and read. The compiler checks these tests (`npm run types`): they fail
 * to compile as soon as `mount` takes a handler that does not fit its operation.
 */
import { expectTypeOf, it } from 'vitest';
import type { createCustomersOperation } from '../../src/batches/accept/accept.operations.ts';
import type { BatchReport, BatchView } from '../../src/batches/batches.responses.ts';
import type { getBatchOperation } from '../../src/batches/results/results.operations.ts';
import type { getCustomerOperation } from '../../src/customers/customers.operations.ts';
import type { Operation } from '../../src/http/operation.ts';
import type { Router } from '../../src/http/router.ts';

declare const router: Router<object>;

/** What `mount` takes as the handler of an operation. */
type HandlerOf<Described extends Operation> = Parameters<typeof router.mount<Described>>[1];
type Returned<Described extends Operation> = Awaited<ReturnType<HandlerOf<Described>>>;
type Received<Described extends Operation> = Parameters<HandlerOf<Described>>[0];

type GetBatch = typeof getBatchOperation;
type GetCustomer = typeof getCustomerOperation;
type CreateCustomers = typeof createCustomersOperation;

it('a handler returns the data of its operation, whole', () => {
  expectTypeOf<{ data: BatchView; headers: object }>().toExtend<Returned<GetBatch>>();
  expectTypeOf<{ data: Omit<BatchView, 'summary'>; headers: object }>().not.toExtend<Returned<GetBatch>>();
  expectTypeOf<{ data: Record<keyof BatchView, string>; headers: object }>().not.toExtend<
    Returned<GetBatch>
  >();
  expectTypeOf<{ headers: object }>().not.toExtend<Returned<GetBatch>>();
  expectTypeOf<Response>().not.toExtend<Returned<GetBatch>>();
});

it('a handler returns a status of its operation, with the data of that status', () => {
  type Headers = { ETag: string; 'X-Cache': string };
  type Located = { Location: string };
  expectTypeOf<{ status: 304; headers: Headers }>().toExtend<Returned<GetCustomer>>();
  expectTypeOf<{ status: 201; headers: Headers }>().not.toExtend<Returned<GetCustomer>>();
  expectTypeOf<{ headers: Headers }>().not.toExtend<Returned<GetCustomer>>();
  expectTypeOf<{ data: BatchReport }>().toExtend<Returned<CreateCustomers>>();
  expectTypeOf<{ status: 201; data: BatchReport; headers: Located }>().toExtend<Returned<CreateCustomers>>();
  expectTypeOf<{ status: 304; data: BatchReport }>().not.toExtend<Returned<CreateCustomers>>();
});

it('a handler returns every header that its response always has', () => {
  expectTypeOf<{ status: 304; headers: { ETag: string } }>().not.toExtend<Returned<GetCustomer>>();
  expectTypeOf<{ status: 304 }>().not.toExtend<Returned<GetCustomer>>();
  expectTypeOf<{ status: 201; data: BatchReport; headers: object }>().not.toExtend<
    Returned<CreateCustomers>
  >();
});

it('a handler is given the parameters and the headers that its operation declares, and no others', () => {
  expectTypeOf<Received<GetBatch>['params']>().toEqualTypeOf<{ batchId: string }>();
  expectTypeOf<keyof Received<GetBatch>['headers']>().toEqualTypeOf<never>();
  expectTypeOf<keyof Received<GetCustomer>['headers']>().toEqualTypeOf<'Cache-Control' | 'If-None-Match'>();
  expectTypeOf<Received<GetCustomer>['params']>().toEqualTypeOf<undefined>();
  expectTypeOf<Received<CreateCustomers>['query']>().toEqualTypeOf<{
    dryRun: boolean;
    failuresFrom?: number | undefined;
  }>();
});
