import { createHash } from 'node:crypto';
import type { LiveFrame, MachineView } from '@nhip/core/wire/live';
import { alarmPrefix, connections, machineStates } from '@nhip/core/wire/vocabulary';
import { z } from 'zod';
import type { LiveHub } from '../hub.ts';
import type { EventType } from './config.ts';

/**
 * What happened to machines, told from the frames of the hub: so a change counts that lasts at least one tick.
 *
 * The id of an event is made from what it says. Told again, after a restart that read the end of the log once more, it has the same id,
 * and a receiver that keeps ids takes it once. (Not so `machine.connection`, whose time is that of the server.)
 */
export interface HookEvent {
  readonly id: string;
  readonly type: EventType;
  readonly machine: string;
  /** JSON, as it is signed and sent. */
  readonly body: string;
}

const about = {
  machine: z.string().describe('Machine id `<group>/<edge>/<device>`'),
  name: z.string().describe('Its name'),
  line: z.string().describe('Line id; empty when none is known'),
};
const timestamp = z.string().describe('When it happened, by the clock of the edge; ISO 8601');

/** What is sent, by type; described in the OpenAPI document. */
export const payloads = {
  'machine.state': z.strictObject({
    type: z.literal('machine.state').describe('The state of a machine changed'),
    timestamp,
    data: z.strictObject({
      ...about,
      state: z.enum(machineStates).describe('Its state now'),
      previousState: z.enum(machineStates).describe('Its state before'),
      reason: z.string().nullable().describe('Why, as the machine reports it'),
    }),
  }),
  'machine.connection': z.strictObject({
    type: z.literal('machine.connection').describe('A machine, or the agent before it, came or went'),
    timestamp: z.string().describe('When the server learned of it; ISO 8601'),
    data: z.strictObject({
      ...about,
      connection: z.enum(connections).describe('How it is reached now'),
      previousConnection: z.enum(connections).describe('How it was reached before'),
    }),
  }),
  'alarm.raised': z.strictObject({
    type: z.literal('alarm.raised').describe('An alarm of a machine came'),
    timestamp,
    data: z.strictObject({ ...about, alarm: z.string().describe('Name: what stands behind `Alarm/`') }),
  }),
  'alarm.cleared': z.strictObject({
    type: z.literal('alarm.cleared').describe('An alarm of a machine went'),
    timestamp,
    data: z.strictObject({ ...about, alarm: z.string().describe('Name: what stands behind `Alarm/`') }),
  }),
} as const satisfies Readonly<Record<EventType, z.ZodType>>;
type Payload = { [Type in EventType]: z.infer<(typeof payloads)[Type]> }[EventType];

interface Told {
  readonly state: MachineView['state'];
  readonly connection: MachineView['connection'];
  readonly alarms: ReadonlySet<string>;
}

export interface EventSource {
  /** What changed with this frame, in the order in which it is sent. */
  read(frame: LiveFrame | null): readonly HookEvent[];
}

/** What the hub shows now is where it begins: it is told to nobody. */
export function createEventSource(hub: LiveHub): EventSource {
  const told = new Map<string, Told>(hub.machines().map((view) => [view.id, toldOf(view, new Set(view.alarms))]));

  /** When the value of an alarm was made, ms, and whether it is active; undefined for one that is gone. */
  function alarmNow(machine: string, alarm: string): { readonly t: number; readonly isActive: boolean } | undefined {
    const metric = hub.metrics(machine)?.find(({ name }) => name === alarmPrefix + alarm);
    return metric === undefined ? undefined : { t: metric.t, isActive: metric.v === true || metric.v === 1 };
  }

  function changes(view: MachineView, nowMs: number): readonly HookEvent[] {
    const { id: machine, name, line, state, connection, reason } = view;
    const known = told.get(machine);
    const before = known ?? { state: 'unknown', connection, alarms: new Set<string>() };
    const data = { machine, name, line };
    const found: HookEvent[] = [];
    if (state !== before.state) {
      const timestampText = isoTime(view.since ?? nowMs);
      found.push(
        eventOf(machine, {
          type: 'machine.state',
          timestamp: timestampText,
          data: { ...data, state, previousState: before.state, reason },
        }),
      );
    }
    if (connection !== before.connection) {
      const more = { connection, previousConnection: before.connection };
      found.push(eventOf(machine, { type: 'machine.connection', timestamp: isoTime(nowMs), data: { ...data, ...more } }));
    }
    const alarms = new Set(before.alarms);
    for (const alarm of view.alarms) {
      if (alarms.has(alarm)) continue;
      alarms.add(alarm);
      const atMs = alarmNow(machine, alarm)?.t ?? nowMs;
      found.push(eventOf(machine, { type: 'alarm.raised', timestamp: isoTime(atMs), data: { ...data, alarm } }));
    }
    const shown = new Set(view.alarms);
    for (const alarm of before.alarms) {
      if (shown.has(alarm)) continue;
      // The overview shows a bounded number: one that others pushed out of it is still there.
      const now = alarmNow(machine, alarm);
      if (now?.isActive === true) continue;
      alarms.delete(alarm);
      found.push(eventOf(machine, { type: 'alarm.cleared', timestamp: isoTime(now?.t ?? nowMs), data: { ...data, alarm } }));
    }
    if (known === undefined || found.length > 0) told.set(machine, toldOf(view, alarms));
    return found;
  }

  return {
    read(frame) {
      if (frame === null || (frame.k !== 'd' && frame.k !== 'snap')) return [];
      return frame.machines.flatMap(({ id }) => {
        const view = hub.machine(id);
        return view === undefined ? [] : changes(view, frame.t);
      });
    },
  };
}

function toldOf({ state, connection }: MachineView, alarms: ReadonlySet<string>): Told {
  return { state, connection, alarms };
}

function eventOf(machine: string, payload: Payload): HookEvent {
  const body = JSON.stringify(payload);
  const id = `evt_${createHash('sha256').update(body).digest('base64url').slice(0, 22)}`;
  return { id, type: payload.type, machine, body };
}

function isoTime(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
