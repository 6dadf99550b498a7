import { randomBytes, randomInt } from 'node:crypto';
import type { Env, Random } from './env.ts';
import { createNodeClock } from './node-clock.ts';
import { createNodeDisk } from './node-disk.ts';

/** The real machine: its clock, its randomness, and the files under `rootDir`. Does no I/O by itself. */
export function createNodeEnv(rootDir: string): Env {
  return { clock: createNodeClock(), random: createNodeRandom(), disk: createNodeDisk(rootDir) };
}

/** Unpredictable numbers from the operating system. */
function createNodeRandom(): Random {
  const steps = 2 ** 47;
  return { next: () => randomInt(steps) / steps, bytes: (count) => randomBytes(count) };
}
