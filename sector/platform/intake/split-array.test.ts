import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitArray } from './split-array.ts';

describe('splitArray', () => {
  it('cuts any JSON array into the texts of its elements', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue(), { maxLength: 6 }), fc.constantFrom(undefined, 2), (values, indent) => {
        const parts = splitArray(JSON.stringify(values, null, indent));
        expect(parts.map((part) => JSON.parse(part))).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
  });

  it('keeps the text of an element as it stands', () => {
    expect(splitArray(' [ {"b": 1, "a":"],}\\"["} ,\n[1,2], "x,y" , 3 ] ')).toEqual(['{"b": 1, "a":"],}\\"["}', '[1,2]', '"x,y"', '3']);
    expect(splitArray('[]')).toEqual([]);
  });
});
