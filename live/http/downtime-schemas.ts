import { stopStates } from '@nhip/core/kpi/reasons';
import { machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';
import { localName } from './kpi-schemas.ts';

/** Shapes of stops and of what people say about them; they mirror `core/kpi`. */

export const buckets = [
  ...(['production', 'setup', 'delay', 'correctiveMaintenance', 'down', 'plannedMaintenance', 'plannedStop'] as const),
  ...(['unknownPlanned', 'unknown', 'notScheduled'] as const),
] as const;

const entry = {
  id: z.string().describe('Of the entry'),
  machine: z.string().describe('Machine id'),
  by: z.string().describe('Who; `nhip` when the server closed an open entry'),
  atMs: z.number().describe('When'),
  note: z.string().optional().describe('What they wrote'),
  replaces: z.string().optional().describe('Id of the entry that no longer holds because of this one'),
};
const reason = z.string().nullable().describe('Standard code or a code of the plant; null: none');

const entryKinds = [
  z.strictObject({
    ...entry,
    kind: z.literal('reclassify').describe('Gave the stop time a reason'),
    fromMs: z.number().describe('Start'),
    toMs: z.number().nullable().describe('End, not included; null: until the machine leaves that state'),
    reason,
    state: z.enum(stopStates).optional().describe('State that was said beside it'),
  }),
  z.strictObject({ ...entry, kind: z.literal('split').describe('Cut a stop in two'), splitMs: z.number().describe('Where') }),
  z.strictObject({
    ...entry,
    kind: z.literal('merge').describe('Made one stop of several'),
    fromMs: z.number().describe('Start'),
    toMs: z.number().describe('End, not included'),
    reason,
    state: z.enum(stopStates).describe('State of the whole'),
  }),
  z.strictObject({
    ...entry,
    kind: z.literal('withdraw').describe('Took an entry back'),
    replaces: z.string().describe('Id of the entry that was taken back'),
  }),
] as const;

export const correction = z.discriminatedUnion('kind', entryKinds).meta({ id: 'DowntimeCorrection' });

const isHeld = z.boolean().describe('It was neither replaced nor taken back');
export const downtimeEntry = z
  .discriminatedUnion('kind', [
    entryKinds[0].extend({ isHeld }),
    entryKinds[1].extend({ isHeld }),
    entryKinds[2].extend({ isHeld }),
    entryKinds[3].extend({ isHeld }),
  ])
  .meta({ id: 'DowntimeEntry' });

export const downtimeStop = z
  .strictObject({
    id: z.string().describe('`<machine>@<from>`: stays the same while the beginning does'),
    machine: z.string().describe('Machine id'),
    from: z.number().describe('Start'),
    to: z.number().nullable().describe('End, not included; null: it goes on'),
    state: z
      .enum(machineStates)
      .describe('State after corrections; `unknown`: time without data that somebody explained, or that was asked for'),
    reason: z.string().nullable().describe('As the machine or a person said it'),
    reasonCode: z.string().describe('Standard code (see /downtime-reasons)'),
    kind: z.enum(['planned', 'unplanned']).describe('What the code is'),
    bucket: z.enum(buckets).describe('Where its time counts'),
    isMicroStop: z.boolean().describe('Shorter than the threshold: needs no reason'),
    isUnexplained: z.boolean().describe('Somebody should tell the reason'),
    corrections: z.array(correction).describe('What people said about this time, oldest first, also what no longer holds'),
  })
  .meta({ id: 'DowntimeStop' });

const note = z.string().max(500).optional().describe('For whoever reads it later');

export const downtimeChange = z
  .discriminatedUnion('action', [
    z.strictObject({
      action: z.literal('reclassify').describe('Give the stop a reason'),
      reason: z.string().min(1).max(100).nullable().describe('Standard code, or a code of the plant; null: take the reason away'),
      note,
    }),
    z.strictObject({
      action: z.literal('split').describe('Cut it: from `atMs` on it is another stop'),
      atMs: z.int().describe('Within the stop, ms UTC'),
      note,
    }),
    z.strictObject({
      action: z.literal('merge').describe('Make one stop of this one and another, with state and reason of this one'),
      with: z.string().min(1).max(240).describe('Id of the other stop; between the two there is nothing but stops'),
      note,
    }),
    z.strictObject({
      action: z.literal('withdraw').describe('Take an entry back'),
      correction: z.string().min(1).max(100).describe('Id of the entry'),
      note,
    }),
  ])
  .meta({ id: 'DowntimeChange' });
export type DowntimeChange = Readonly<z.infer<typeof downtimeChange>>;

export const reasonView = z
  .strictObject({
    code: z.string().describe('Standard code'),
    kind: z.enum(['planned', 'unplanned']).describe('Planned: outside planned busy time, except set-up'),
    name: localName.describe('Its name'),
    plantCodes: z
      .array(z.strictObject({ code: z.string().describe('As machines report it'), name: localName.describe('Its name') }))
      .describe('Codes of this plant that mean the same'),
  })
  .meta({ id: 'DowntimeReason' });
