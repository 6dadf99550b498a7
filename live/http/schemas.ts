import { connections, machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';

/** Shapes of answers that several routes share; they mirror `core/wire/live.ts`. */

export const machineParams = z.strictObject({
  id: z.string().min(1).max(200).describe('Machine id `<group>/<edge>/<device>`, percent-encoded'),
});

const timeMs = z.number().nullable();

export const machineView = z.strictObject({
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
});

export const metricView = z.strictObject({
  name: z.string().describe('Metric'),
  v: z.union([z.number(), z.boolean(), z.string(), z.null()]).describe('Current value; 64-bit integers as text'),
  t: z.number().describe('When it was made'),
  unit: z.string().nullable().describe('Unit'),
  q: z.number().describe('192 good, 500 stale, 0 bad'),
});

export const stateInterval = z.strictObject({
  from: z.number().describe('Start'),
  to: z.number().describe('End, not included'),
  state: z.enum(machineStates).describe('`unknown` is time without data'),
  reason: z.string().nullable().describe('Reason, as the machine reported it'),
});
