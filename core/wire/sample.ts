/**
 * Samples as they cross a process boundary.
 *
 * A value is what the machine said: numbers as number (64-bit integers above 2^53 as bigint), text as string,
 * switches as boolean, `null` when the source says "no value". NaN and infinities never become samples.
 */
export type Value = number | bigint | boolean | string | null;

/** Sparkplug quality codes (Sparkplug 3.0 §6.4.12, property `Quality`). */
export const quality = { good: 192, bad: 0, stale: 500 } as const;
export type Quality = (typeof quality)[keyof typeof quality];

/** One value of one metric at one time. */
export interface Sample {
  readonly metric: string;
  /** ms since 1970 UTC, as the source tells it. */
  readonly timestampMs: number;
  readonly value: Value;
  readonly quality: Quality;
}

/** `<group>/<edge>/<device>`: the id of a machine everywhere outside the wire. */
export type MachineId = string;

export function machineId(group: string, edge: string, device: string): MachineId {
  return `${group}/${edge}/${device}`;
}
