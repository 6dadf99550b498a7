import { z } from 'zod';
import type { PlantModel } from '../wire/plant.ts';

const name = z.strictObject({ vi: z.string().min(1).describe('Vietnamese'), en: z.string().min(1).describe('English') });
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM');

/** The plant model as it stands in `plant.yaml`. */
export const plantModel: z.ZodType<PlantModel> = z.strictObject({
  enterprise: name.describe('Enterprise'),
  site: name.describe('Site'),
  timeZone: z
    .string()
    .default('Asia/Ho_Chi_Minh')
    .refine((zone) => {
      try {
        new Intl.DateTimeFormat('en', { timeZone: zone });
        return true;
      } catch {
        return false;
      }
    }, 'is not an IANA time zone')
    .describe('IANA time zone of the shifts'),
  lines: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        name,
        machines: z.array(z.string().min(1)).describe('Ids <group>/<edge>/<device> in the direction of flow'),
      }),
    )
    .default([])
    .describe('Lines in the order of the board'),
  machines: z
    .record(
      z.string(),
      z.strictObject({
        name,
        kind: name,
        role: z.enum(['machine', 'meter']).default('machine').describe('Meters show power instead of state and count'),
        measures: z.string().min(1).optional().describe('What a meter measures: a line id, or `all` for the whole site'),
        idealCycleMs: z.number().positive().optional().describe('Ideal cycle time of one piece, ms'),
      }),
    )
    .default({})
    .describe('Names and ideal cycles by machine id'),
  shifts: z
    .array(
      z.strictObject({
        id: z.string().min(1),
        name,
        from: timeOfDay.describe('Local start'),
        to: timeOfDay.describe('Local end; at or before `from` means the next day'),
        days: z.array(z.int().min(1).max(7)).optional().describe('Days on which it starts, 1 Monday … 7 Sunday; absent: every day'),
      }),
    )
    .default([])
    .describe('Shifts'),
  reasons: z.record(z.string(), name).default({}).describe('Names of reason codes'),
}) as z.ZodType<PlantModel>;
