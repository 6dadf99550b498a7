/**
 * From the state models that machines speak to the eight words of `State` (core/wire/vocabulary.ts). A number that a model does not
 * know is `unknown`: time about which nobody can say anything, rather than a guess.
 */
import type { MachineState } from '@nhip/core/wire/vocabulary';
import type { Num } from './numbers.ts';

/**
 * PackML states 1–17 (ANSI/ISA-TR88.00.02, numbers as in OPC 30050). Held is the machine's own stop, Suspended waits for
 * what is before or behind it: `stopped` and `idle`, so that own losses and those of the line stay apart. Aborted is a fault until it
 * is cleared.
 */
const packml: readonly MachineState[] = [
  'unknown',
  'fault', // Clearing
  'stopped', // Stopped
  'idle', // Starting
  'idle', // Idle
  'idle', // Suspended
  'running', // Execute
  'stopped', // Stopping
  'fault', // Aborting
  'fault', // Aborted
  'stopped', // Holding
  'stopped', // Held
  'stopped', // Unholding
  'idle', // Suspending
  'idle', // Unsuspending
  'idle', // Resetting
  'running', // Completing
  'idle', // Complete
];

/** With the unit mode (1 produce, 2 maintenance, 3 manual): whatever happens in maintenance is maintenance, manual running is setting up. */
export function packmlState(state: Num, mode: Num = 1): MachineState {
  const word = packml[Number(state)] ?? 'unknown';
  if (word === 'unknown' || word === 'fault') return word;
  if (Number(mode) === 2) return 'maintenance';
  return Number(mode) === 3 ? 'setup' : word;
}

/**
 * MachineryItemState (0 NotAvailable, 1 OutOfService, 2 NotExecuting, 3 Executing) and MachineryOperationMode (0 None, 1 Maintenance,
 * 2 Setup, 3 Processing) of OPC 40001-1, read as its table for SEMI E10 does: Executing in Processing is productive, NotExecuting
 * in Processing standby, OutOfService unscheduled downtime. NotAvailable (off, saving energy) as not scheduled is our reading.
 */
export function machineryState(state: Num, mode: Num = 3): MachineState {
  const inMode: Readonly<Record<number, MachineState>> = { 1: 'maintenance', 2: 'setup' };
  switch (Number(state)) {
    case 0:
      return 'notScheduled';
    case 1:
      return Number(mode) === 1 ? 'maintenance' : 'fault';
    case 2:
      return inMode[Number(mode)] ?? 'idle';
    case 3:
      return inMode[Number(mode)] ?? 'running';
    default:
      return 'unknown';
  }
}

const e10: ReadonlyMap<string, MachineState> = new Map([
  ['PRD', 'running'],
  ['SBY', 'idle'],
  ['ENG', 'setup'],
  ['SDT', 'maintenance'],
  ['UDT', 'fault'],
  ['NST', 'notScheduled'],
]);

/** The six states of SEMI E10 by their abbreviations, as OPC 40100 (machine vision) names them. */
export function e10State(word: string): MachineState {
  return e10.get(word.trim().toUpperCase()) ?? 'unknown';
}
