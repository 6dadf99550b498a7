import { z } from 'zod';

type Json = Record<string, unknown>;

/** Turns zod schemas into JSON Schema; those with an id (`.meta({ id })`) become shared components that others refer to. */
export function createComponents(): {
  schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json;
  /** The shared ones so far, by id. */
  schemas(): Json;
} {
  const shared: Json = {};
  return {
    schemaOf(schema, io) {
      const { $schema: _, $defs, ...json } = referred(z.toJSONSchema(schema, { io }));
      Object.assign(shared, $defs);
      return json;
    },
    schemas: () => shared,
  };
}

/** The same with references into the components. */
function referred(schema: object): Json {
  const text = JSON.stringify(schema).replaceAll('"$ref":"#/$defs/', '"$ref":"#/components/schemas/');
  return JSON.parse(text) as Json;
}
