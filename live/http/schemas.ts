import { lossReasons } from '@nhip/core/wire/loss';
import { connections, machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';

/** Shapes of answers that several routes share; they mirror `core/wire/live.ts`. */

export const machineParams = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(200)
    .meta({ examples: ['hoalac/press/M01'] })
    .describe('Machine id `<group>/<edge>/<device>`, percent-encoded'),
});

const timeMs = z.number().nullable();

export const machineView = z
  .strictObject({
    id: z.string().describe('`<group>/<edge>/<device>`'),
    name: z.string().describe('From the plant model, else from the birth, else the device id'),
    kind: z.string().describe('Kind of machine'),
    line: z.string().describe('Line id; empty when none is known'),
    state: z.enum(machineStates).describe('Last known state'),
    reason: z.string().nullable().describe('Reason of the state, as the machine reports it'),
    since: timeMs.describe('Since when it is in this state'),
    connection: z.enum(connections).describe('How the machine is reached'),
    lastSample: timeMs.describe('When the newest sample was made'),
    countGood: z.number().nullable().describe('Good pieces in the running shift'),
    countReject: z.number().nullable().describe('Rejected pieces in the running shift'),
    countIdeal: z.number().nullable().describe('Pieces that the ideal cycle allows up to now'),
    ratePerHour: z.number().nullable().describe('Good pieces per hour, last 15 minutes'),
    powerKw: z.number().nullable().describe('Active power, kW'),
    product: z.string().nullable().describe('Product of the running job'),
    alarms: z.array(z.string()).describe('Active alarms'),
  })
  .meta({ id: 'Machine' });

export const metricView = z
  .strictObject({
    name: z.string().describe('Metric'),
    v: z.union([z.number(), z.boolean(), z.string(), z.null()]).describe('Current value; 64-bit integers as text'),
    t: z.number().describe('When it was made'),
    unit: z.string().nullable().describe('Unit'),
    q: z.number().describe('192 good, 500 stale, 0 bad'),
  })
  .meta({ id: 'Metric' });

export const stateInterval = z
  .strictObject({
    from: z.number().describe('Start'),
    to: z.number().describe('End, not included'),
    state: z.enum(machineStates).describe('`unknown` is time without data'),
    reason: z.string().nullable().describe('Reason, as the machine reported it'),
  })
  .meta({ id: 'StateInterval' });

export const delivery = z
  .strictObject({
    stored: z.number().describe('Samples in the history'),
    lost: z.number().describe('Samples that will never be there'),
    deadLettered: z.number().describe('Samples kept as dead letters'),
    completeness: z.number().nullable().describe('stored / (stored + lost + deadLettered), 0 to 1; null when nothing was produced'),
  })
  .meta({ id: 'Delivery' });

export const edgeHealth = z
  .strictObject({
    id: z.string().describe('`<group>/<edge>`'),
    online: z.boolean().describe('Its session is open'),
    since: timeMs.describe('Since when'),
    lastSeen: timeMs.describe('When its last message arrived'),
    lagMs: timeMs.describe('Arrival minus sample time of its last live batch'),
    outboxRecords: z.number().nullable().describe('Samples that wait on its disk'),
    backlogAtMs: timeMs.describe('While it sends a backlog: how far that has come, so about the time of the oldest sample that waits'),
    devices: z.array(
      z.strictObject({ id: z.string().describe('Machine id'), connection: z.enum(connections).describe('How it is reached') }),
    ),
    delivery24h: delivery.nullable().describe('Of the running hour and the 23 before it; null while it is being counted'),
    lastLoss: z
      .strictObject({
        reason: z.enum(lossReasons).describe('Why'),
        samples: z.number().describe('How many; 0 when nobody can know'),
        atMs: z.number().describe('When the server learned of it'),
      })
      .nullable()
      .describe('The newest loss that is not a dead letter'),
    certificatesWaiting: z
      .number()
      .nullable()
      .describe('Server certificates that wait for a decision at the edge; null: it meets no servers by certificate'),
  })
  .meta({ id: 'EdgeHealth' });

const byReason = z.record(z.string(), z.number());

const storeProblem = z
  .strictObject({
    code: z.string().describe('Stable, e.g. store.diskFull'),
    text: z.string().describe('What is wrong and what to do about it'),
  })
  .nullable();

export const pipelineStats = z
  .strictObject({
    received: z.number().describe('Samples received'),
    stored: z.number().describe('Samples stored'),
    repeated: z.number().describe('Samples that had been stored before'),
    deadLettered: z.number().describe('Samples kept as dead letters'),
    deadLetteredByReason: byReason.describe('The same by reason'),
    lost: z.number().describe('Samples that the server learned were lost, without dead letters'),
    lostByReason: byReason.describe('The same by reason'),
    evicted: z.number().describe('Records of the log given up because of a quota'),
    lagMs: z.number().describe('Age of the oldest record that is not stored yet'),
    logBytes: z.number().describe('Size of the log on the disk, with the tail that is kept for a restored database'),
    logQuotaBytes: z.number().describe('How large it may become'),
    logRecordsBehind: z.number().describe('Records in the log that are not stored yet'),
    storeDownSinceMs: timeMs.describe('Since when the store takes nothing; null: it does'),
    storeProblem: storeProblem.describe('What is wrong with the store then'),
    furtherStores: z
      .array(
        z.strictObject({
          name: z.string().describe('Its name in the configuration'),
          type: z.string(),
          downSinceMs: timeMs.describe('Since when it takes nothing; null: it does'),
          problem: storeProblem.describe('What is wrong with it then'),
          recordsBehind: z.number().describe('Records in the log that it does not have yet'),
          lagMs: z.number().describe('Age of the oldest record that was read for it and is not in it'),
          stored: z.number().describe('Samples since the process started'),
          leftOut: z.number().describe('Samples that it cannot keep, e.g. texts, since the process started'),
          missedRecords: z.number().describe('Records that were gone from the log before it could take them, since the process started'),
          upkeepProblem: z
            .string()
            .nullable()
            .describe('Why its closed days cannot be moved to files; null: they can, or it has no such work'),
        }),
      )
      .describe('Stores beside the first one; none of them delays it'),
    logFullSinceMs: timeMs.describe('Since when the log refuses what edges send, because it is full; null: it does not'),
  })
  .meta({ id: 'PipelineStats' });
