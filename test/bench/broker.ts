import { nhip } from '../harness/nhip.ts';
import { addDevice, makeDataFolder } from '../harness/plant.ts';
import { type Bench, type Figure, median, ratios } from './figures.ts';
import { fsyncsPerS, isInMemory } from './fsync-rate.ts';
import { startMosquitto } from './mosquitto.ts';
import type { LoadMeasured, LoadTask } from './mqtt-load.ts';
import { residentMb } from './process-memory.ts';
import { runApart } from './run-apart.ts';

const load = { topic: 'spBv1.0/bench/DDATA/E1/M1', connections: 4, window: 64, payloadBytes: 4096 } as const;

interface Run extends LoadMeasured {
  readonly rssMb: number;
}

export const broker: Bench = {
  name: 'broker',
  summary: `QoS 1 publish → fsync → PUBACK over TCP: ${load.payloadBytes} B payloads, ${load.connections} connections, window ${load.window} each`,
  async run({ runs, isShort }) {
    const data = makeDataFolder();
    if (isInMemory(data.path))
      throw new Error(`${data.path} is in memory, where a sync promises nothing: set TMPDIR to a folder on a disk`);
    const login = await addDevice(data, 'bench/E1');
    const ours = nhip(['broker', '--data', data.path, '--mqtt-port', '0', '--json', '--log-level', 'warn']);
    const mosquitto = await startMosquitto(data.path);
    try {
      const { mqtt: port = 0 } = await ours.ready;
      const one = async (target: { readonly pid: number; readonly port: number; readonly login?: LoadTask['login'] }): Promise<Run> => {
        const task: LoadTask = {
          ...load,
          port: target.port,
          login: target.login,
          warmUpMs: isShort ? 1000 : 2000,
          forMs: isShort ? 1000 : 4000,
        };
        const measured = await runApart<LoadMeasured>('./mqtt-load.ts', task);
        return { ...measured, rssMb: residentMb(target.pid).rss };
      };
      const gated: Run[] = [];
      const peer: Run[] = [];
      const syncs: number[] = [];
      // The first load finds code that is not compiled yet; a broker runs for months.
      await one({ pid: ours.pid, port, login });
      for (let run = 0; run < runs; run++) {
        gated.push(await one({ pid: ours.pid, port, login }));
        peer.push(await one(mosquitto));
        syncs.push(fsyncsPerS(data.path, 262_144, isShort ? 50 : 300));
      }
      const rates = (list: readonly Run[]): readonly number[] => list.map(({ acknowledged, seconds }) => acknowledged / seconds);
      const row = (what: string, list: readonly Run[]): Figure => ({
        what,
        unit: 'msg/s',
        values: rates(list),
        memory: { unit: 'MB', values: list.map(({ rssMb }) => rssMb) },
      });
      const busy = [...gated, ...peer].map(({ cpuShare }) => cpuShare);
      return {
        figures: [
          { ...row('nhip broker, every PUBACK after fsync', gated), target: { kind: 'atLeast', value: 20_000 } },
          row(`mosquitto ${mosquitto.version}, nothing on disk`, peer),
          { what: 'nhip ÷ mosquitto', unit: '×', values: ratios(rates(gated), rates(peer)), target: { kind: 'atLeast', value: 0.6 } },
          { what: 'the disk alone: 256 KiB write + fdatasync', unit: '/s', values: syncs },
        ],
        notes: [
          'The same publisher, a process of its own, loads one broker after the other on the same two ends of loopback; no subscribers.',
          `Of one core the publisher took ${Math.round(median(busy) * 100)} % (median).`,
          'One load that is not counted comes first. mosquitto keeps nothing of these messages over a kill; it stands here for the price of the promise.',
          'Memory: resident memory of the broker after the load.',
        ],
      };
    } finally {
      await ours.stop();
      await mosquitto.stop();
      data.remove();
    }
  },
};
