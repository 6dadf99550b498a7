import { z } from 'zod';
import { downtimeReasons } from '../kpi/reasons.ts';
import type { PlantModel } from '../wire/plant.ts';

const name = z.strictObject({ vi: z.string().min(1).describe('Vietnamese'), en: z.string().min(1).describe('English') });
const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be HH:MM');
const date = z.iso.date('must be a date, YYYY-MM-DD');
const standardCodes = downtimeReasons.map(({ code }) => code);

const line = z.strictObject({
  id: z.string().min(1),
  name,
  machines: z.array(z.string().min(1)).describe('Ids <group>/<edge>/<device> in the direction of flow'),
  outputs: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Machines whose pieces are those of the line: the last of a serial line, all of parallel machines; absent: the last one'),
});

const machine = z.strictObject({
  name,
  kind: name,
  role: z.enum(['machine', 'meter']).default('machine').describe('Meters show power instead of state and count'),
  measures: z.string().min(1).optional().describe('What a meter measures: a line id, or `all` for the whole site'),
  idealCycleMs: z.number().positive().optional().describe('Ideal cycle time of one piece, ms'),
  rolloverAt: z
    .record(z.string(), z.number().positive())
    .optional()
    .describe('Value at which a counter wraps to 0, by metric, e.g. `Count/Good`: 65536; without it a drop is a reset'),
});

const shift = z.strictObject({
  id: z.string().min(1),
  name,
  from: timeOfDay.describe('Local start'),
  to: timeOfDay.describe('Local end; at or before `from` means the next day'),
  days: z.array(z.int().min(1).max(7)).optional().describe('Days on which it starts, 1 Monday … 7 Sunday; absent: every day'),
  breaks: z
    .array(z.strictObject({ from: timeOfDay.describe('Local start'), to: timeOfDay.describe('Local end') }))
    .optional()
    .describe('Times within the shift that are no planned operation time'),
});

const exception = z.strictObject({
  date: date.describe('Local date on which it begins'),
  lastDate: date.optional().describe('Last date of several in a row'),
  name: name.describe('Why, e.g. Tết Nguyên đán'),
  shifts: z.array(z.string().min(1)).default([]).describe('Ids of the shifts that work on these days; none: a holiday'),
});

/** The plant model as it stands in `plant.yaml`. */
export const plantModel: z.ZodType<PlantModel> = z
  .strictObject({
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
    lines: z.array(line).default([]).describe('Lines in the order of the board'),
    machines: z.record(z.string(), machine).default({}).describe('Names and ideal cycles by machine id'),
    shifts: z.array(shift).default([]).describe('Shifts; none: the plant works around the clock'),
    exceptions: z.array(exception).max(1000).optional().describe('Holidays, and days on which other shifts work than usual'),
    dayStart: timeOfDay.optional().describe('When a day of the books begins, e.g. 06:00; absent: 00:00'),
    microStopMs: z.int().min(0).max(3_600_000).optional().describe('Unplanned stops shorter than this are micro-stops, ms; absent: 120000'),
    reasons: z.record(z.string(), name).default({}).describe('Names of reason codes'),
    reasonCodes: z
      .record(z.string(), z.enum(standardCodes, `must be one of ${standardCodes.join(', ')}`))
      .optional()
      .describe(`What the machines' reason codes mean: ${standardCodes.join(', ')}. Others count as \`other\``),
  })
  .superRefine((plant, context) => {
    const shifts = new Set(plant.shifts.map(({ id }) => id));
    for (const [i, { date: first, lastDate, shifts: worked }] of (plant.exceptions ?? []).entries()) {
      const path = ['exceptions', i];
      if (lastDate !== undefined && lastDate < first) context.addIssue({ code: 'custom', path, message: 'lastDate is before date' });
      for (const id of worked) if (!shifts.has(id)) context.addIssue({ code: 'custom', path, message: `there is no shift ${id}` });
    }
    for (const [i, { machines, outputs }] of plant.lines.entries()) {
      for (const id of outputs ?? []) {
        if (!machines.includes(id))
          context.addIssue({ code: 'custom', path: ['lines', i, 'outputs'], message: `${id} is not in the line` });
      }
    }
  }) as z.ZodType<PlantModel>;
