import { setTimeout as sleep } from 'node:timers/promises';
import type { LiveFrame } from '@nhip/core/wire/live';
import { type SettablePlc, startSettablePlc } from '../harness/settable-plc.ts';

/** Changes a register of a PLC again and again and measures when the live stream (SSE) shows it, the poll interval included. */
export interface LiveProbe {
  /** The connection that an edge agent must have. */
  readonly connection: object;
  /** Follows the stream of the server on this port; again after a restart. */
  follow(httpPort: number): Promise<void>;
  /** Makes changes, each at a random phase of poll and tick, until `signal` aborts; resolves with the delays, ms. */
  measure(signal: AbortSignal): Promise<readonly number[]>;
  close(): Promise<void>;
}

export const probeIntervalMs = 100;
const states: Readonly<Record<string, string>> = { 1: 'running', 2: 'idle', 3: 'fault', 4: 'setup' };
/** Longer than this is no latency but a loss. */
const deadlineMs = 60_000;

export async function startLiveProbe(machine: string): Promise<LiveProbe> {
  const plc: SettablePlc = await startSettablePlc();
  const following = new AbortController();
  let seen = '';
  let told: (() => void) | undefined;
  let number = 1;
  plc.set(0, number);

  function take(frame: LiveFrame): void {
    const machines = frame.k === 'snap' || frame.k === 'd' ? frame.machines : [];
    const state = machines.find(({ id }) => id.endsWith(`/${machine}`))?.state;
    if (state === undefined) return;
    seen = state;
    told?.();
  }

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.startsWith('data: ')) take(JSON.parse(line.slice(6)) as LiveFrame);
    }
  }

  async function changeOnce(): Promise<number> {
    number = (number % Object.keys(states).length) + 1;
    const wanted = states[number] ?? '';
    const changedAtMs = performance.now();
    plc.set(0, number);
    while (seen !== wanted) {
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no ${wanted} within ${deadlineMs} ms, but ${seen}`)), deadlineMs);
        told = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return performance.now() - changedAtMs;
  }

  return {
    connection: {
      id: 'probe',
      driver: 'modbus',
      endpoint: `tcp://127.0.0.1:${plc.port}`,
      devices: [
        {
          id: machine,
          unit: 1,
          intervalMs: probeIntervalMs,
          kind: 'packaging',
          tags: [{ metric: 'State', address: 'holding:0:uint16', enum: states }],
        },
      ],
    },
    async follow(httpPort) {
      const response = await fetch(`http://127.0.0.1:${httpPort}/api/v1/live`, { signal: following.signal });
      if (response.body === null) throw new Error(`the live stream answered ${response.status} without a body`);
      void read(response.body as ReadableStream<Uint8Array>).catch(() => undefined);
    },
    async measure(signal) {
      const delays: number[] = [];
      while (!signal.aborted) {
        delays.push(await changeOnce());
        await sleep(100 + Math.random() * 150);
      }
      return delays;
    },
    async close() {
      following.abort();
      await plc.close();
    },
  };
}
