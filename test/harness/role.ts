import { setTimeout as sleep } from 'node:timers/promises';
import { whileFrozen } from './frozen.ts';
import type { Process } from './nhip.ts';

/** A program of the factory that can be killed, frozen, stopped and started again at the same place. */
export interface Role {
  readonly name: string;
  readonly process: Process;
  readonly isRunning: boolean;
  /** It runs and has said that it is ready. */
  readonly isReady: boolean;
  /** How often it was started. */
  readonly starts: number;
  /** Starts it and waits until it is ready. */
  start(): Promise<void>;
  /** kill -9. */
  kill(): Promise<void>;
  /** kill -9, then a start at once. */
  crash(): Promise<void>;
  /** SIGSTOP for so long: to everybody else the program hangs. */
  freeze(ms: number): Promise<void>;
  /** SIGTERM; must end with exit code 0. */
  stop(): Promise<void>;
  /** From now on it is started again when it ends by itself, as a service manager does; without, such an end is a problem. */
  supervise(): void;
  /** What went wrong with it, e.g. it ended by itself. */
  readonly problems: readonly string[];
}

export interface RoleHooks {
  /** Its process is gone, or stood still, without having been asked: from–to in wall-clock ms. */
  stumbled?(fromMs: number, toMs: number): void;
}

/** As a service manager would: not at once, and not for ever. */
const restartDelayMs = 300;
const maxRestarts = 50;

/** `spawn` starts the program; every start after the first must come up at the same place. */
export function createRole(name: string, spawn: () => Process, hooks: RoleHooks = {}): Role {
  const problems: string[] = [];
  let current: Process | undefined;
  let isReady = false;
  let isExpected = false;
  let isSupervised = false;
  let starts = 0;
  let ownEnds = 0;

  const running = (): Process => {
    if (current === undefined) throw new Error(`${name} does not run`);
    return current;
  };

  function watch(process: Process): void {
    void process.ended.then(({ code, signal, stderr }) => {
      if (current !== process) return;
      current = undefined;
      isReady = false;
      if (isExpected) return;
      ownEnds++;
      hooks.stumbled?.(Date.now(), Date.now());
      if (!isSupervised || ownEnds > maxRestarts) problems.push(`${name} ended by itself with ${code ?? signal}: ${stderr.slice(-800)}`);
      else void sleep(restartDelayMs).then(() => (current === undefined && !isExpected ? role.start().catch(() => undefined) : undefined));
    });
  }

  const role: Role = {
    name,
    problems,
    get process() {
      return running();
    },
    get isRunning() {
      return current !== undefined;
    },
    get isReady() {
      return isReady;
    },
    get starts() {
      return starts;
    },
    async start() {
      isExpected = false;
      starts++;
      const process = spawn();
      current = process;
      watch(process);
      await process.ready;
      isReady = true;
    },
    async kill() {
      const process = current;
      isExpected = true;
      if (process === undefined) return;
      const fromMs = Date.now();
      await process.kill();
      hooks.stumbled?.(fromMs, Date.now());
    },
    async crash() {
      await role.kill();
      await role.start();
    },
    async freeze(ms) {
      const fromMs = Date.now();
      await whileFrozen(running().pid, () => sleep(ms));
      hooks.stumbled?.(fromMs, Date.now());
    },
    async stop() {
      const process = current;
      isExpected = true;
      if (process === undefined) return;
      const fromMs = Date.now();
      const { code, stderr } = await process.stop();
      hooks.stumbled?.(fromMs, Date.now());
      if (code !== 0) problems.push(`${name} ended with ${code} when it was told to stop: ${stderr.slice(-800)}`);
    },
    supervise() {
      isSupervised = true;
    },
  };
  return role;
}
