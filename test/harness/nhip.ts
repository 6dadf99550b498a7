import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { atExit } from './at-exit.ts';

/** Root of the checkout. */
export const checkout = join(import.meta.dirname, '../..');

/** Another build can be put to the same tests: `NHIP_TEST_BIN=/path/to/cli/bin.mjs`. */
const command = process.env.NHIP_TEST_BIN ?? join(checkout, 'cli/bin.mjs');

/** One command as a real process that tells with a line of JSON on stdout that it is ready. */
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
  /** What it has said until now, lines of stdout and the end of stderr. */
  stdout(): string;
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  /** SIGTERM, then waits. */
  stop(): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>;
  /** SIGKILL, then waits. */
  kill(): Promise<void>;
}

/** Under what a process runs. */
export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** A command that ends in an exec of the one given to it, e.g. `['ip', 'netns', 'exec', name]`. */
  readonly wrapper?: readonly string[];
}

/** An `nhip` command. `npm test` has built the bundle that it runs. */
export function nhip(args: readonly string[], { env, wrapper = [] }: Surroundings = {}): Process {
  return startProcess([...wrapper, process.execPath, command, ...args], {
    NHIP_SKIP_BUILD: '1',
    NHIP_ADMIN_PASSWORD: 'test-admin-password',
    ...env,
  });
}

/** Any program. Its stdin stays open for as long as this process lives. */
export function startProcess(line: readonly string[], env: Readonly<Record<string, string>> = {}): Process & { say(text: string): void } {
  const [file = '', ...args] = line;
  const child = spawn(file, args, { cwd: checkout, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const name = args.find((arg) => !arg.startsWith('-') && !arg.includes('/')) ?? file;
  child.stdin.on('error', () => undefined);
  const forget = atExit(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk.toString()).slice(-200_000);
  });
  const ended = new Promise<Awaited<Process['ended']>>((resolve) => {
    child.once('close', (code, signal) => {
      forget();
      resolve({ code, signal, stdout, stderr });
    });
  });
  const ready = new Promise<Awaited<Process['ready']>>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      stdout += `${line}\n`;
      if (line.startsWith('{"ready":true')) resolve(JSON.parse(line));
    });
    void ended.then(({ code, signal }) => reject(new Error(`${name} ended with ${code ?? signal}: ${stderr.slice(-1500)}`)));
  });
  ready.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    ready,
    ended,
    stdout: () => stdout,
    stderr: () => stderr,
    say: (text) => void child.stdin.write(`${text}\n`),
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
export async function runNhip(args: readonly string[], surroundings: Surroundings = {}) {
  return nhip(args, surroundings).ended;
}
