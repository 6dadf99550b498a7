import { z } from 'zod';
import type { ReportRule } from '../driver.ts';

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

export const deviceFields = {
  id: topicName.describe('Device id in the topic: unique in this agent.'),
  displayName: z.string().min(1).optional().describe('Name for people.'),
  kind: z.string().min(1).optional().describe('Kind of machine, e.g. packaging, compressor, energyMeter.'),
  line: z.string().min(1).optional().describe('Id of the line that the machine stands in.'),
};

export const intervalMs = z.number().int().min(10).max(86_400_000);

export const reportFields = {
  deadband: z.number().nonnegative().optional().describe('Report only changes above this, in the unit of the metric.'),
  deadbandPercent: z
    .number()
    .nonnegative()
    .max(100)
    .optional()
    .describe('Report only changes above this percentage of the last reported value.'),
  heartbeatMs: z.number().int().min(100).optional().describe('Report an unchanged value again after this time, ms (60000 when absent).'),
};

export const tagFields = {
  metric: z.string().min(1).max(256).describe('Metric name, e.g. Count/Good or Temperature/Zone 1.'),
  unitName: z.string().min(1).optional().describe('Engineering unit for people, e.g. kW or °C.'),
  scale: z.number().default(1).describe('value = raw × scale + offset'),
  offset: z.number().default(0).describe('value = raw × scale + offset'),
  enum: z.record(z.string(), z.string()).optional().describe('Text for each raw number, e.g. { "0": "stopped", "1": "running" }.'),
  ...reportFields,
};

/** The rule of a tag as the host wants it. */
export function reportRule(tag: ReportRule): ReportRule | undefined {
  const { deadband, deadbandPercent, heartbeatMs } = tag;
  if (deadband === undefined && deadbandPercent === undefined && heartbeatMs === undefined) return undefined;
  return { deadband, deadbandPercent, heartbeatMs };
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
    if (tag.deadband !== undefined && tag.deadbandPercent !== undefined) {
      problem('deadbandPercent', 'give deadband or deadbandPercent, not both');
    }
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
