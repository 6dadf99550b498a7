import type { Value } from '@nhip/core/wire/sample';
import { type DataTypeName, dataType as types } from '@nhip/core/wire/sparkplug/datatype';
import { readValue } from '@nhip/core/wire/sparkplug/decode';
import { castInteger, signed64, unsigned64 } from '@nhip/core/wire/sparkplug/integer';
import { type PayloadReader, valueField } from '@nhip/core/wire/sparkplug/payload-reader';
import { fitTo } from '../rules/fit.ts';

/** Bits of the types that an integer on the wire may be. */
const widths: ReadonlyMap<number, number> = new Map([
  [types.Int8, 8],
  [types.UInt8, 8],
  [types.Int16, 16],
  [types.UInt16, 16],
  [types.Int32, 32],
  [types.UInt32, 32],
  [types.Int64, 64],
  [types.UInt64, 64],
  [types.DateTime, 64],
]);

/**
 * The value that the reader stands at, for a metric of type `wanted`; undefined when the metric cannot hold what was sent. A reading may be
 * read generously, a value for a machine must not: nothing is wrapped around (70000 is no Int16, and not 4464), nothing becomes another
 * kind (true is no 1), and an integer is understood as the type that came with it.
 */
export function commandValue(reader: PayloadReader, wanted: DataTypeName): NonNullable<Value> | undefined {
  if (reader.isNull) return undefined;
  switch (reader.field) {
    case valueField.string: {
      const text = readValue(reader, types.String);
      return (wanted === 'String' || wanted === 'Text' || wanted === 'UUID') && typeof text === 'string' ? text : undefined;
    }
    case valueField.boolean:
      return wanted === 'Boolean' ? reader.number !== 0 : undefined;
    case valueField.float:
    case valueField.double:
      return Number.isFinite(reader.number) ? fitTo(wanted, reader.number) : undefined;
    case valueField.int:
    case valueField.long:
      return reader.dataType === 0 ? untypedInteger(reader, wanted) : fitTo(wanted, typedInteger(reader));
    default:
      return undefined;
  }
}

/** Hosts send a negative number of few bits as two's complement of these bits (Tahu for Python) or of all bits of the field. */
function typedInteger({ dataType, low, high, field }: PayloadReader): number | bigint | undefined {
  const width = widths.get(dataType);
  if (width === undefined) return undefined;
  const value = castInteger(low, high, dataType);
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const isInWidth = width === 64 || (high === 0 && low < 2 ** width);
  return isInWidth || value === signed(low, high, field) ? value : undefined;
}

/** Without a type (Sparkplug 3.0 tck-id-payloads-metric-datatype-not-req) it has the sign that lets the metric hold it. */
function untypedInteger({ low, high, field }: PayloadReader, wanted: DataTypeName): NonNullable<Value> | undefined {
  const [negative, positive] = [signed(low, high, field), unsigned64(low, high)];
  const isEither = negative !== positive && (wanted === 'Float' || wanted === 'Double');
  return isEither ? undefined : (fitTo(wanted, negative) ?? fitTo(wanted, positive));
}

function signed(low: number, high: number, field: number): number | bigint {
  return field === valueField.int ? low | 0 : signed64(low, high);
}
