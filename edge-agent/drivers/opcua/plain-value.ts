import type { Value } from '@nhip/core/wire/sample';
import { DataType } from 'node-opcua-client';

/** Why a good value of the server is reported as bad. */
export type ValueProblem = 'notANumber' | 'notInEnum' | 'wrongType' | 'outOfRange' | 'noSuchElement' | 'noSuchField' | 'unknownStructure';

/** A value of a built-in type as the agent has it; undefined for what is no plain value. */
export function plainValue(value: unknown, dataType: DataType | undefined): Value | undefined {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' || typeof value === 'string') return value;
  if (dataType === DataType.Int64 || dataType === DataType.UInt64) return integer64(value, dataType === DataType.Int64);
  if (value instanceof Date) return value.getTime();
  if (dataType === DataType.LocalizedText) return (value as { text?: string | null }).text ?? null;
  return undefined;
}

/** node-opcua delivers 64-bit integers as [high, low]. */
function integer64(value: unknown, signed: boolean): Value | undefined {
  if (!Array.isArray(value) && !(value instanceof Uint32Array)) return undefined;
  const [high = 0, low = 0] = value as ArrayLike<number> & Iterable<number>;
  const unsigned = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  const exact = signed ? BigInt.asIntN(64, unsigned) : unsigned;
  return exact >= Number.MIN_SAFE_INTEGER && exact <= Number.MAX_SAFE_INTEGER ? Number(exact) : exact;
}
