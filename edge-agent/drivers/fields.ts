import { z } from 'zod';
import type { ReportRule } from '../driver.ts';
import { longestExpression } from '../rules/expression.ts';

/** Config fields that every driver's devices and tags have: a driver spreads them into its own strict objects. */

/** A name that may stand in an MQTT topic and in a machine id (Sparkplug 3.0 §4.1: no `+`, `/`, `#`). */
const topicName = z
  .string()
  .min(1)
  .max(128)
  .regex(/^[^+#/\u0000-\u001f]+$/, 'must not contain + / # or control characters');

export const connectionFields = {
  id: topicName.describe('Name of the connection, unique in this agent; it appears in logs and health.'),
};

export const intervalMs = z.number().int().min(10).max(86_400_000);

export const reportFields = {
  deadband: z.number().nonnegative().optional().describe('Report only changes above this, in the unit of the metric.'),
  deadbandPercent: z
    .number()
    .nonnegative()
    .max(100)
    .optional()
    .describe('Report only changes above this percentage of the range; without a range, of the last reported value.'),
  swingingDoor: z
    .number()
    .positive()
    .optional()
    .describe(
      'Instead of a deadband: report only what is needed to draw the curve by straight lines that are never further than this from a value, in the unit of the metric.',
    ),
  maxDelayMs: z
    .number()
    .int()
    .min(100)
    .optional()
    .describe('With swingingDoor: what is shown is never further off than the deviation for longer than this, ms (10000 when absent).'),
  range: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, 'must be [lowest, highest]')
    .optional()
    .describe('Lowest and highest value of the measuring range, in the unit of the metric.'),
  heartbeatMs: z.number().int().min(100).optional().describe('Report an unchanged value again after this time, ms (60000 when absent).'),
};

/** The Sparkplug types that a metric of a device may have, where its configuration names one. */
export const metricDataTypes = [
  'Int8',
  'Int16',
  'Int32',
  'Int64',
  'UInt8',
  'UInt16',
  'UInt32',
  'UInt64',
  'Float',
  'Double',
  'Boolean',
  'String',
  'DateTime',
] as const;

const derivedTag = z.strictObject({
  metric: z.string().min(1).max(256).describe('Metric name, e.g. State or Count/Good.'),
  expression: z
    .string()
    .min(1)
    .max(longestExpression)
    .describe('What it is, e.g. word == 3 ? "running" : "idle"; other tags of the device by name, or tag("Count/Total").'),
  dataType: z.enum(metricDataTypes).describe('Type of the result.'),
  unitName: z.string().min(1).optional().describe('Engineering unit for people, e.g. kW or °C.'),
  map: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('What lookup(x) finds, e.g. { "0": "none", "17": "film torn" }.'),
  publish: z.boolean().optional().describe('false: only derived tags below it read it, it is not sent (true when absent).'),
  ...reportFields,
});

export const deviceFields = {
  id: topicName.describe('Device id in the topic: unique in this agent.'),
  displayName: z.string().min(1).optional().describe('Name for people.'),
  kind: z.string().min(1).optional().describe('Kind of machine, e.g. packaging, compressor, energyMeter.'),
  line: z.string().min(1).optional().describe('Id of the line that the machine stands in.'),
  profile: z.string().min(1).max(80).optional().describe('Device profile that its tags come from, e.g. eastron-sdm630@1.'),
  derived: z.array(derivedTag).max(256).optional().describe('Metrics that the agent computes from tags of the device.'),
};

export const tagFields = {
  metric: z.string().min(1).max(256).describe('Metric name, e.g. Count/Good or Temperature/Zone 1.'),
  unitName: z.string().min(1).optional().describe('Engineering unit for people, e.g. kW or °C.'),
  scale: z.number().default(1).describe('value = raw × scale + offset'),
  offset: z.number().default(0).describe('value = raw × scale + offset'),
  enum: z.record(z.string(), z.string()).optional().describe('Text for each raw number, e.g. { "0": "stopped", "1": "running" }.'),
  publish: z.boolean().optional().describe('false: only derived tags of the device read it, it is not sent (true when absent).'),
  ...reportFields,
};

/** The rule of a tag as the host wants it. */
export function reportRule(tag: ReportRule): ReportRule | undefined {
  const { deadband, deadbandPercent, swingingDoor, maxDelayMs, range, heartbeatMs, publish } = tag;
  const rule = { deadband, deadbandPercent, swingingDoor, maxDelayMs, range, heartbeatMs, publish };
  return Object.values(rule).every((value) => value === undefined) ? undefined : rule;
}

interface CheckedTag extends ReportRule {
  readonly metric: string;
  readonly scale: number;
  readonly offset: number;
  readonly enum?: Readonly<Record<string, string>> | undefined;
}

/** What holds for the tags of any device: to be called in a `superRefine` of the device. */
export function checkTags(tags: readonly CheckedTag[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>();
  tags.forEach((tag, i) => {
    const problem = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: ['tags', i, field], message });
    };
    // Names that differ only in case are one series for many Sparkplug hosts (tck-id-case-sensitivity-metric-names).
    const key = tag.metric.toLowerCase();
    const first = seen.get(key);
    if (first !== undefined) problem('metric', `"${tag.metric}" is already the metric of tags[${first}] (case does not count)`);
    else seen.set(key, i);
    if (tag.scale === 0) problem('scale', 'must not be 0: every value would be the offset');
    if (tag.enum !== undefined && (tag.scale !== 1 || tag.offset !== 0)) problem('enum', 'cannot be combined with scale or offset');
    const ways = (['deadband', 'deadbandPercent', 'swingingDoor'] as const).filter((way) => tag[way] !== undefined);
    if (ways.length > 1) problem(ways[1] ?? '', `give one of ${ways.join(', ')}`);
    if (tag.maxDelayMs !== undefined && tag.swingingDoor === undefined) problem('maxDelayMs', 'has no meaning without swingingDoor');
  });
}

/** Device ids are unique in a connection: to be called in a `superRefine` of the connection. */
export function checkDevices(devices: readonly { readonly id: string }[], context: z.RefinementCtx): void {
  const seen = new Map<string, number>();
  devices.forEach((device, i) => {
    const first = seen.get(device.id.toLowerCase());
    if (first === undefined) seen.set(device.id.toLowerCase(), i);
    else context.addIssue({ code: 'custom', path: ['devices', i, 'id'], message: `"${device.id}" is already the id of devices[${first}]` });
  });
}
