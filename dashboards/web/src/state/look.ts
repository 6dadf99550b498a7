import type { MachineView, PlantMachineView } from '@nhip/core/wire/live';
import { machineStates } from '@nhip/core/wire/vocabulary';

/** What a person sees of a machine: its state, unless the way to the machine is broken, or it never reports a state (meters). */
export const looks = [...machineStates, 'reporting', 'plcUnreachable', 'agentOffline'] as const;
export type Look = (typeof looks)[number];

/** The five colours. */
export const tones = ['run', 'wait', 'down', 'plan', 'off'] as const;
export type Tone = (typeof tones)[number];

type Seen = Pick<MachineView, 'state' | 'connection' | 'countGood' | 'powerKw'> & { readonly plan?: Pick<PlantMachineView, 'role'> | null };

export function lookOf(machine: Seen): Look {
  if (machine.connection !== 'online') return machine.connection;
  return machine.state === 'unknown' && machine.powerKw !== null && isMeter(machine) ? 'reporting' : machine.state;
}

/**
 * A device that measures power and has neither states nor pieces: the plant model says so, or it looks like one.
 * A device that cannot be read looks like nothing.
 */
export function isMeter(machine: Seen): boolean {
  if (machine.plan) return machine.plan.role === 'meter';
  return machine.connection === 'online' && machine.state === 'unknown' && machine.countGood === null && machine.powerKw !== null;
}

export const toneOf: Readonly<Record<Look, Tone>> = {
  running: 'run',
  reporting: 'run',
  idle: 'wait',
  stopped: 'wait',
  fault: 'down',
  setup: 'plan',
  maintenance: 'plan',
  notScheduled: 'off',
  unknown: 'off',
  plcUnreachable: 'off',
  agentOffline: 'off',
};

/** Data is lost, or was never there. */
export function isLost(look: Look): boolean {
  return look === 'unknown' || look === 'plcUnreachable' || look === 'agentOffline';
}

/** States that someone must explain. */
export function lacksReason(look: Look, reason: string | null): boolean {
  return (look === 'fault' || look === 'idle' || look === 'stopped') && (reason === null || reason === '');
}

/** Larger = more in need of a person. */
const severities: Readonly<Record<Look, number>> = {
  fault: 9,
  agentOffline: 8,
  plcUnreachable: 7,
  stopped: 6,
  idle: 5,
  unknown: 4,
  maintenance: 3,
  setup: 2,
  running: 1,
  reporting: 1,
  notScheduled: 0,
};

/** Severity of a machine for "worst first": the look, then an unexplained stop, then alarms. */
export function severity(look: Look, reason: string | null, alarmCount: number): number {
  return severities[look] * 100 + (lacksReason(look, reason) ? 50 : 0) + Math.min(alarmCount, 9);
}
