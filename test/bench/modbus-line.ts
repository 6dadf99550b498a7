import { type Beside, startBeside } from './beside.ts';
import type { MachinesReport, MachinesTask } from './modbus-machines.ts';

export type Machines = Beside<{ readonly ports: readonly number[] }, MachinesReport>;

export function startMachines(task: MachinesTask): Promise<Machines> {
  return startBeside('./modbus-machines.ts', task);
}

export const lineIntervalMs = 1000;

/** One connection per port with `devices` devices of `tags` floats each, all read once a second. */
export function lineConnections(ports: readonly number[], devices: number, tags: number): readonly object[] {
  return ports.map((port, line) => ({
    id: `line${line + 1}`,
    driver: 'modbus',
    endpoint: `tcp://127.0.0.1:${port}`,
    devices: Array.from({ length: devices }, (_, d) => ({
      id: `L${line + 1}-${d + 1}`,
      unit: d + 1,
      intervalMs: lineIntervalMs,
      tags: Array.from({ length: tags }, (_, i) => ({ metric: `Value/${i}`, address: `holding:${i * 2}:float32` })),
    })),
  }));
}

export interface ReadTimes {
  /** Cycles in which a device was not read. */
  readonly missed: number;
  /** The longest time between two reads of one device. */
  readonly longestGapMs: number;
}

/**
 * What the machines' journal says about the reads of each of `devices` devices between two moments. The agent's schedule does not drift:
 * between the first read and the last one there are as many cycles as intervals fit.
 */
export function readTimes(journal: MachinesReport['reads'], devices: number, fromMs: number, toMs: number): ReadTimes {
  const cycles = (ms: number): number => Math.max(0, Math.floor(ms / lineIntervalMs) - 1);
  let missed = (devices - journal.size) * cycles(toMs - fromMs);
  let longestGapMs = 0;
  for (const all of journal.values()) {
    const reads = all.filter((atMs) => atMs >= fromMs && atMs <= toMs);
    const first = reads[0] ?? toMs;
    const last = reads.at(-1) ?? toMs;
    const expected = Math.round((last - first) / lineIntervalMs);
    missed += Math.max(0, expected + 1 - reads.length) + cycles(first - fromMs) + cycles(toMs - last);
    reads.forEach((atMs, i) => {
      longestGapMs = Math.max(longestGapMs, atMs - (reads[i - 1] ?? atMs));
    });
  }
  return { missed, longestGapMs };
}
