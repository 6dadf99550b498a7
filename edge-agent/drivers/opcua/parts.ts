import type { Value } from '@nhip/core/wire/sample';
import { DataType, Variant, VariantArrayType } from 'node-opcua-client';
import { plainValue, type ValueProblem } from './plain-value.ts';

/** Picks one plain value out of arrays and structures: an element, a field, or a field of an element. */

interface Problem {
  readonly problem: ValueProblem;
}

/** A part on the way, with its built-in type where that is known: 64-bit integers look like arrays. */
interface Part {
  readonly value: unknown;
  readonly dataType: DataType | undefined;
}

/** What takes a part out of a value; undefined when the value is wanted as it is. */
export function createPicker(
  element: number | undefined,
  field: string | undefined,
): ((variant: Variant) => Value | Problem | undefined) | undefined {
  if (element === undefined && field === undefined) return undefined;
  const steps = field?.split('.') ?? [];
  return (variant) => {
    if (variant.dataType === DataType.Null || variant.value === null || variant.value === undefined) return null;
    let part: Part | Problem = { value: variant.value, dataType: variant.dataType };
    if (element !== undefined) part = elementOf(variant, element);
    else if (variant.arrayType !== VariantArrayType.Scalar) return undefined;
    for (const step of steps) {
      if ('problem' in part) return part;
      part = stepInto(part.value, step);
    }
    return 'problem' in part ? part : plainValue(part.value, part.dataType);
  };
}

/** Matrices are refused: an index in them depends on their dimensions. */
function elementOf({ value, arrayType, dataType }: Variant, index: number): Part | Problem {
  if (arrayType !== VariantArrayType.Array) return { problem: 'wrongType' };
  const elements = value as ArrayLike<unknown>;
  return index < elements.length ? { value: elements[index], dataType } : { problem: 'noSuchElement' };
}

function stepInto(holder: unknown, name: string): Part | Problem {
  if (holder instanceof Variant) return stepInto(holder.value, name);
  if (Array.isArray(holder) || ArrayBuffer.isView(holder)) {
    const elements = holder as unknown as ArrayLike<unknown>;
    const index = /^\d{1,6}$/.test(name) ? Number(name) : Number.POSITIVE_INFINITY;
    return index < elements.length ? unwrapped(elements[index], undefined) : { problem: 'noSuchElement' };
  }
  if (typeof holder !== 'object' || holder === null) return { problem: 'noSuchField' };
  if (isOpaque(holder)) return { problem: 'unknownStructure' };
  const key = keyOf(holder, name);
  if (key === undefined) return { problem: 'noSuchField' };
  return unwrapped((holder as Record<string, unknown>)[key], typeOfField(holder, key));
}

/** The library writes the first letter of a field small, whatever the server calls it. */
function keyOf(holder: object, name: string): string | undefined {
  return [name, `${name.charAt(0).toLowerCase()}${name.slice(1)}`].find((key) => Object.hasOwn(holder, key));
}

function unwrapped(value: unknown, dataType: DataType | undefined): Part {
  if (value instanceof Variant) return { value: value.value, dataType: value.dataType };
  return { value, dataType: dataType ?? (isLocalizedText(value) ? DataType.LocalizedText : undefined) };
}

function isLocalizedText(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'text' in value && 'locale' in value;
}

/** A structure whose type the server did not tell: its bytes, and the id of their encoding. */
function isOpaque(holder: object): boolean {
  return 'buffer' in holder && 'nodeId' in holder && Buffer.isBuffer(holder.buffer);
}

interface StructureSchema {
  readonly fields: readonly { readonly name: string; readonly fieldType: string; readonly isArray?: boolean }[];
  getBaseSchema?(): StructureSchema | null | undefined;
}

function typeOfField(holder: object, key: string): DataType | undefined {
  let schema: StructureSchema | null | undefined = (holder as { readonly schema?: StructureSchema }).schema;
  for (let depth = 0; depth < 10 && schema !== undefined && schema !== null; depth++) {
    const found = schema.fields.find(({ name }) => name === key);
    if (found !== undefined) return found.isArray === true ? undefined : DataType[found.fieldType as keyof typeof DataType];
    schema = schema.getBaseSchema?.();
  }
  return undefined;
}
