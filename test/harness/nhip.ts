import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Root of the checkout. */
export const checkout = join(import.meta.dirname, '../..');

const command = join(checkout, 'cli/bin.mjs');

/** One `nhip` command as a real process. `npm test` has built the bundle that it runs. */
export interface Process {
  readonly pid: number;
  /** Resolves with the readiness line; rejects with what the process said when it ends first. */
  readonly ready: Promise<Readonly<Record<string, number> & { firstLogin?: { username: string; password: string } }>>;
  /** Exit code and signal. */
  readonly ended: Promise<{
    readonly code: number | null;
    readonly signal: string | null;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then waits. */
  stop(): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function nhip(args: readonly string[], env: Readonly<Record<string, string>> = {}): Process {
  const child = spawn(process.execPath, [command, ...args], {
    env: { ...process.env, NHIP_SKIP_BUILD: '1', NHIP_ADMIN_PASSWORD: 'test-admin-password', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-200_000);
  });
  const ended = new Promise<Awaited<Process['ended']>>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal, stdout, stderr });
    });
  });
  const ready = new Promise<Awaited<Process['ready']>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout += `${line}\n`;
      if (line.startsWith('{"ready":true')) resolve(JSON.parse(line));
    });
    void ended.then(({ code, signal }) => reject(new Error(`nhip ${args[0]} ended with ${code ?? signal}: ${stderr.slice(-1500)}`)));
  });
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    stderr: () => stderr,
    signal: (name) => void child.kill(name),
    async stop() {
      child.kill('SIGTERM');
      return ended;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** Runs a command that ends by itself. */
export async function runNhip(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return nhip(args, env).ended;
}
