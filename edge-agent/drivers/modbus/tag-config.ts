import { z } from 'zod';
import { tagFields } from '../fields.ts';
import { type ModbusAddress, parseAddress } from './address.ts';
import type { ByteOrder } from './byte-order.ts';

/** One value of a device. */

const addressText = z.string().superRefine((text, context) => {
  const address = parseAddress(text);
  if ('problem' in address) context.addIssue({ code: 'custom', message: `"${text}": ${address.problem}` });
});

const rawNumber = z.union([z.number(), z.string().regex(/^-?(?:0x[0-9a-fA-F]{1,16}|\d{1,20})$/, 'must be a number such as -1 or 0x8000')]);

export const modbusTag = z.strictObject({
  ...tagFields,
  address: addressText.describe('<coil|discrete|input|holding>:<number>[.<part>]:<type>[:<byte order>]; the number is zero-based.'),
  invalid: z
    .array(rawNumber)
    .max(16)
    .optional()
    .describe('Raw values by which the device says that it has none, e.g. [0x8000]: reported with bad quality. NaN always is.'),
  validMin: z.number().optional().describe('A value below is reported with bad quality; in the unit of the metric.'),
  validMax: z.number().optional().describe('A value above is reported with bad quality; in the unit of the metric.'),
  clampMin: z.number().optional().describe('A value below is reported as this one; in the unit of the metric.'),
  clampMax: z.number().optional().describe('A value above is reported as this one; in the unit of the metric.'),
  scaleFactor: addressText
    .optional()
    .describe('Address of an int16 register with a power of ten to multiply by (SunSpec "sf"), read together with the value.'),
  writable: z.boolean().default(false).describe('Commands may write this value, when the configuration of the agent allows commands.'),
  min: z.number().optional().describe('The least value that may be written, in the unit of the metric.'),
  max: z.number().optional().describe('The greatest value that may be written, in the unit of the metric.'),
});

export type ModbusTagConfig = z.infer<typeof modbusTag>;

/** Types without a number in them, and times, which have no unit. */
const unscalable: readonly ModbusAddress['type'][] = ['bool', 'string', 'epoch32', 'calendar3', 'calendar4', 'datetime4'];

/** The address of a tag that the config has checked. */
export function addressOf(text: string, byteOrder: ByteOrder): ModbusAddress {
  const address = parseAddress(text, byteOrder);
  if ('problem' in address) throw new Error(`${text}: ${address.problem}`);
  return address;
}

/** Problems within one tag: field and message. */
export function tagProblems(tag: ModbusTagConfig): readonly (readonly [field: keyof ModbusTagConfig, message: string])[] {
  const address = parseAddress(tag.address);
  if ('problem' in address) return [];
  const problems: [keyof ModbusTagConfig, string][] = [];
  const { type, table } = address;
  const isNumber = !unscalable.includes(type);
  if (!isNumber && (tag.scale !== 1 || tag.offset !== 0)) problems.push(['scale', `a ${type} cannot be scaled`]);
  if (tag.scaleFactor !== undefined) {
    const factor = parseAddress(tag.scaleFactor);
    if (!('problem' in factor) && (factor.type !== 'int16' || factor.bits !== undefined)) {
      problems.push(['scaleFactor', 'must be the address of an int16, e.g. holding:40:int16']);
    }
    if (!isNumber || tag.enum !== undefined) problems.push(['scaleFactor', 'only a number without enum has a scale factor']);
  }
  if (!isNumber && tag.invalid !== undefined) problems.push(['invalid', `a ${type} has no invalid numbers`]);
  const isReportedAsNumber = isNumber && tag.enum === undefined;
  for (const field of ['validMin', 'validMax', 'clampMin', 'clampMax', 'min', 'max'] as const) {
    if (!isReportedAsNumber && tag[field] !== undefined) problems.push([field, `only a number has ${field}`]);
  }
  for (const [low, high] of [
    ['validMin', 'validMax'],
    ['clampMin', 'clampMax'],
    ['min', 'max'],
  ] as const) {
    if ((tag[low] ?? Number.NEGATIVE_INFINITY) > (tag[high] ?? Number.POSITIVE_INFINITY)) problems.push([low, `is above ${high}`]);
  }
  if (tag.writable && (table === 'input' || table === 'discrete'))
    problems.push(['writable', `nothing can be written to the table ${table}`]);
  if (!tag.writable && (tag.min !== undefined || tag.max !== undefined)) problems.push(['writable', 'min and max are for writable tags']);
  return problems;
}
