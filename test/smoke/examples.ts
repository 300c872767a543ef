/** Builds requests from the examples of an OpenAPI document, with every parameter and header, as Postman does. */
import type { OpenApi } from '../../src/openapi/openapi.ts';

interface Parameter {
  $ref?: string;
  name: string;
  in: 'query' | 'path' | 'header';
  example: unknown;
}

export interface ExampleRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body: unknown;
}

export function examplesOf({ paths, components }: OpenApi): ExampleRequest[] {
  const shared = components['parameters'] as Record<string, Parameter>;
  return Object.entries(paths).flatMap(([template, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parameters = ((operation['parameters'] ?? []) as Parameter[]).flatMap(
        (parameter) => shared[parameter.$ref?.split('/').at(-1) ?? ''] ?? [parameter],
      );
      const query = new URLSearchParams();
      const headers: Record<string, string> = {};
      let path = template;
      for (const { name, in: place, example } of parameters) {
        if (place === 'path') path = path.replace(`{${name}}`, encodeURIComponent(String(example)));
        else if (place === 'header') headers[name] = String(example);
        else for (const value of [example].flat()) query.append(name, String(value));
      }
      const content = (
        operation['requestBody'] as { content: Record<string, { example: unknown }> } | undefined
      )?.content['application/json'];
      const target = query.size === 0 ? path : `${path}?${query.toString()}`;
      return { method: method.toUpperCase(), path: target, headers, body: content?.example };
    }),
  );
}
