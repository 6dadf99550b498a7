import { makeDataFolder, prepareEdge, startServer } from '../harness/plant.ts';
import { createServerApi } from '../harness/server-api.ts';
import { startSettablePlc } from '../harness/settable-plc.ts';
import { until } from '../harness/until.ts';
import type { Bench } from './figures.ts';

/** A session that lasted this long was a good one for the edge: it connects again soon. */
const steadyMs = 11_000;
const intervalMs = 100;
/** As a service manager does it. */
const restartDelayMs = 500;

export const recovery: Bench = {
  name: 'recovery',
  summary: 'Server killed (kill -9) and started again: from the start of the process to the first live value on the API',
  async run({ runs, isShort }) {
    const data = makeDataFolder();
    const plc = await startSettablePlc();
    let server = startServer(data);
    const { http = 0, mqtt = 0 } = await server.ready;
    const api = createServerApi(() => http);
    const tag = { metric: 'Count/Good', address: 'holding:0:uint16' };
    const connection = {
      id: 'plc',
      driver: 'modbus',
      endpoint: `tcp://127.0.0.1:${plc.port}`,
      devices: [{ id: 'M1', unit: 1, intervalMs, tags: [tag] }],
    };
    const edge = await prepareEdge(data, 'e', mqtt, [connection]);
    const agent = edge.start();
    const readyMs: number[] = [];
    const liveMs: number[] = [];
    let value = 0;
    const next = (): number => {
      value++;
      plc.set(0, value);
      return value;
    };
    const isLive = async (wanted: number): Promise<boolean> => (await api.value('g/e/M1', 'Count/Good')) === wanted;
    try {
      for (let run = 0; run < runs; run++) {
        const first = next();
        await until('a value is live', () => isLive(first), 60_000);
        await new Promise((resolve) => setTimeout(resolve, isShort ? 1000 : steadyMs));
        await server.kill();
        await new Promise((resolve) => setTimeout(resolve, restartDelayMs));
        const startedMs = performance.now();
        server = startServer(data, { http, mqtt });
        const wanted = next();
        await server.ready;
        readyMs.push(performance.now() - startedMs);
        await until('a new value is live', () => isLive(wanted), 60_000);
        liveMs.push(performance.now() - startedMs);
      }
    } finally {
      await agent.kill();
      await server.kill();
      await plc.close();
      data.remove();
    }
    return {
      figures: [
        { what: 'server ready', unit: 's', values: readyMs.map((ms) => ms / 1000) },
        { what: 'first live value', unit: 's', values: liveMs.map((ms) => ms / 1000), target: { kind: 'atMost', value: 3 } },
      ],
      notes: [
        `The server is started ${restartDelayMs} ms after the kill, as a service manager does it; the register changes at that moment and is polled every ${intervalMs} ms.`,
        'Where nobody listens the edge asks every 0.5 to 1.5 s, however long the outage was; a server that cannot be reached at all is asked less often.',
      ],
    };
  },
};
