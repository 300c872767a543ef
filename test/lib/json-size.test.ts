import { describe, expect, it } from 'vitest';
import { findExcess, type JsonBounds } from '../../src/lib/json-size.ts';

const bounds: JsonBounds = { maxValues: 100, list: { key: 'rows', maxElements: 3 } };
const find = (text: string, changed: Partial<JsonBounds> = {}) =>
  findExcess(new TextEncoder().encode(text), { ...bounds, ...changed });

describe('the size of a JSON text', () => {
  it.each([
    ['as many elements as there may be', '{"rows":[1,{"a":[1,2,3,4,5]},[1,2,3,4]]}', undefined],
    ['one element more', '{"rows":[{},{},{},{}]}', 'elements'],
    [
      'one element more, after other fields',
      '{"a":{"rows":[1,2,3,4]}, "b": "rows", "rows" : [ 1 , 2, 3, 4 ]}',
      'elements',
    ],
    ['a longer array under another name', '{"others":[1,2,3,4,5],"rows":[1]}', undefined],
    ['a longer array of that name deeper down', '{"rows":[{"rows":[1,2,3,4,5]}]}', undefined],
    ['an object of that name', '{"rows":{"a":1,"b":2,"c":3,"d":4,"e":5}}', undefined],
    ['separators in texts', '{"rows":["a,b,c,d,e","[[[[[",",\\",\\"\\\\",""]}', 'elements'],
    ['separators in texts, and few elements', '{"rows":["a,b,c,d,e","]]]]],,,,\\",,,,"]}', undefined],
    ['a text that ends with a backslash', '{"rows":["\\\\",",,,,,"]}', undefined],
    ['a text without an end', `{"rows":["${','.repeat(500)}`, undefined],
    ['as many values as there may be', `[${'1,'.repeat(97)}1]`, undefined],
    ['one value more', `[${'1,'.repeat(99)}1]`, 'values'],
    ['levels beyond count', '['.repeat(200_000), 'values'],
    ['keys beyond count', `{${'"a":1,'.repeat(100)}"b":2}`, 'values'],
    ['no more than closing brackets', ']}'.repeat(500), undefined],
    ['nothing', '', undefined],
  ])('is told: %s', (_, text, excess) => {
    expect(find(text)).toBe(excess);
  });

  it('counts only values if the list has no bound', () => {
    expect(find('{"rows":[1,2,3,4]}', { list: undefined })).toBeUndefined();
  });
});
