import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { finish, givenTask } from './run-apart.ts';

/** One measurement of the intake: prepared bodies, posted as fast as it goes. */
export interface IntakeTask {
  readonly url: string;
  readonly token: string;
  /** File with a body on each line: JSON of one report or of an array. */
  readonly bodiesFile: string;
  readonly inFlight: number;
  /** How many receipts the answers must have together. */
  readonly reports: number;
}

export interface IntakeMeasured {
  readonly seconds: number;
  /** Of one request, ms. */
  readonly latenciesMs: readonly number[];
}

const { url, token, bodiesFile, inFlight, reports } = givenTask<IntakeTask>();
const bodies = readFileSync(bodiesFile, 'utf8').split('\n');
const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
const latenciesMs: number[] = [];
const receipts = new Set<string>();

function post(body: string): Promise<void> {
  const started = performance.now();
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const sent = request(`${url}/v1/reports`, { method: 'POST', agent, headers }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.once('end', () => {
        latenciesMs.push(performance.now() - started);
        const text = Buffer.concat(parts).toString();
        for (const [, id = ''] of text.matchAll(/"receiptId":"([^"]+)"/g)) receipts.add(id);
        if (answer.statusCode === 201 || (answer.statusCode === 207 && !text.includes('"problem"'))) resolve();
        else reject(new Error(`answered ${answer.statusCode}: ${text.slice(0, 300)}`));
      });
    });
    sent.once('error', reject).end(body);
  });
}

let next = 0;
const work = async (): Promise<void> => {
  for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) await post(body);
};
const started = performance.now();
await Promise.all(Array.from({ length: inFlight }, work));
const seconds = (performance.now() - started) / 1000;
agent.destroy();
if (receipts.size !== reports) throw new Error(`${receipts.size} receipts for ${reports} reports`);
finish({ seconds, latenciesMs } satisfies IntakeMeasured);
