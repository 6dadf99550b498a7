import { z } from 'zod';
import { checkDevices, checkTags, connectionFields, deviceFields, intervalMs, tagFields } from '../fields.ts';

const tag = z
  .strictObject({
    ...tagFields,
    shape: z.enum(['sine', 'counter', 'switch', 'noise']).describe('How the value moves over time.'),
    periodMs: z.number().int().min(1).default(60_000).describe('Time for one wave, one count or one on-off cycle, ms.'),
    low: z.number().default(0).describe('Lowest value of sine and noise.'),
    high: z.number().default(100).describe('Highest value of sine and noise.'),
  })
  .refine((value) => value.low < value.high, { path: ['high'], message: 'must be above low' });

const device = z
  .strictObject({
    ...deviceFields,
    intervalMs: intervalMs.default(1000).describe('Time between two reads of the device, ms.'),
    tags: z.array(tag).min(1).describe('What to make up.'),
  })
  .superRefine((value, context) => checkTags(value.tags, context));

export const simulatedConfig = z
  .strictObject({
    ...connectionFields,
    driver: z.literal('simulated').describe('This driver.'),
    seed: z.number().int().default(1).describe('The same seed and time give the same values.'),
    devices: z.array(device).min(1).describe('Devices to make up.'),
  })
  .superRefine((config, context) => checkDevices(config.devices, context));

export type SimulatedConfig = z.infer<typeof simulatedConfig>;
export type SimulatedTag = SimulatedConfig['devices'][number]['tags'][number];
