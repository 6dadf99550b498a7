import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One role of the demo as a process of its own, its log in a file. */
export interface Child {
  readonly name: string;
  /** The readiness line of the process; rejects with the last words of its log when it ends first. */
  readonly ready: Promise<Readonly<Record<string, unknown>>>;
  /** Resolves with the exit code when the process ends. */
  readonly ended: Promise<number>;
  /** Asks the process to stop; kills it when it has not ended after 25 s. */
  stop(): Promise<void>;
}

const killAfterMs = 25_000;
const lastLines = 4;

/** Starts `nhip <args>` with the bundle that this process runs. */
export function startChild(name: string, args: readonly string[], logFile: string): Child {
  const script = process.argv[1] ?? '';
  const child: ChildProcess = spawn(process.execPath, [script, ...args, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // A Ctrl-C of the terminal reaches only the demo, which stops the roles in order.
    detached: true,
    env: { ...process.env, NHIP_SKIP_BUILD: '1' },
  });
  const words: string[] = [];
  const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
  child.stderr?.on('data', (chunk: Buffer) => {
    log.write(chunk);
    words.push(...chunk.toString().split('\n').filter(Boolean));
    words.splice(0, Math.max(0, words.length - lastLines));
  });
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(1));
    child.once('close', (code) => {
      log.end();
      resolve(code ?? 1);
    });
  });
  const ready = new Promise<Readonly<Record<string, unknown>>>((resolve, reject) => {
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.startsWith('{')) resolve(JSON.parse(line) as Record<string, unknown>);
      });
    }
    void ended.then((code) => reject(new Error(`${name} ended with ${code}: ${plainWords(words)}\nIts log: ${logFile}`)));
  });
  // Whoever waits for it sees the rejection; a stop before anybody waited is no error.
  ready.catch(() => undefined);
  return {
    name,
    ready,
    ended,
    async stop() {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), killAfterMs);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** Log lines are JSON, sentences for people are not. */
function plainWords(words: readonly string[]): string {
  const plain = words.filter((line) => !line.startsWith('{'));
  if (plain.length > 0) return plain.join('\n');
  const last = words.at(-1);
  return last === undefined ? 'it said nothing' : ((JSON.parse(last) as { msg?: string }).msg ?? last);
}
