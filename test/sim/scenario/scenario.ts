import type { Random } from '@nhip/core/process/env';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { SourceDevice, SourceMetric } from '../factory/devices.ts';
import type { EdgeShape } from '../factory/edge-machine.ts';
import { misbehaviours } from '../factory/publishers.ts';
import type { ServerShape } from '../factory/server-machine.ts';
import type { DatabaseKind, WriteFault } from '../world/database.ts';
import { type Fault, type FaultBody, type FaultName, forEver } from './fault.ts';

/** A run as its seed has it: the plant, how long it works, what goes wrong. */
export interface Scenario {
  readonly seed: number;
  readonly database: DatabaseKind;
  readonly edges: readonly EdgeShape[];
  readonly server: ServerShape;
  /** Publishers that are not ours. */
  readonly publishers: readonly ('json' | 'stranger')[];
  readonly publishEveryMs: number;
  readonly keepaliveMs: number;
  /** Sources are read for this long; faults come in this time, and end in it. */
  readonly produceMs: number;
  readonly faults: readonly Fault[];
}

/** Draws from a seeded sequence. */
interface Draw {
  between(from: number, to: number): number;
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  of<T>(items: readonly [T, ...T[]] | readonly T[]): T;
}

function drawFrom(random: Random): Draw {
  const between = (from: number, to: number): number => from + (to - from) * random.next();
  return {
    between,
    whole: (from, to) => Math.floor(between(from, to + 1)),
    chance: (probability) => random.next() < probability,
    of: (items) => items[Math.floor(random.next() * items.length)] as (typeof items)[number],
  };
}

export function createScenario(seed: number): Scenario {
  const draw = drawFrom(createSimRandom(seed));
  const produceMs = draw.of([3000, 8000, 8000, 20_000, 20_000, 60_000]);
  const edgeCount = draw.chance(0.2) ? 2 : 1;
  const edges = Array.from({ length: edgeCount }, (_, i) => createEdge(`g/e${i}`, draw, produceMs, draw.whole(30, 110) / edgeCount));
  const server: ServerShape = {
    // The births of a session must fit in what a store that lags leaves free of it, or they take the room of the data every time.
    logBytes: draw.chance(0.15) ? 40_000 : 1_000_000,
    segmentBytes: draw.of([4096, 8192]),
    keepTailBytes: draw.of([0, 8192, 200_000]),
    syncMs: draw.of([0, 0, 1, 15]),
    commitDelayMs: draw.of([0, 0, 2]),
    commitIntervalMs: draw.of([0, 20, 200]),
    maxBatchSamples: draw.of([5, 100, 5000]),
  };
  const publishers = [...(draw.chance(0.25) ? (['json'] as const) : []), ...(draw.chance(0.2) ? (['stranger'] as const) : [])];
  const shape = { edges, produceMs, publishers: publishers.length };
  const count = draw.of([0, 1, 1, 2, 2, 3, 4, 6, 9]);
  const faults = Array.from({ length: count }, () => createFault(draw, shape));
  const [first] = faults;
  if (first !== undefined && draw.chance(0.25)) faults.push(powerCutAfter(first, draw));
  return {
    seed,
    database: draw.chance(0.5) ? 'D3' : 'D2',
    edges,
    server,
    publishers,
    publishEveryMs: produceMs / draw.whole(4, 12),
    keepaliveMs: draw.of([2000, 10_000]),
    produceMs,
    faults: faults.sort((a, b) => a.atMs - b.atMs),
  };
}

function createEdge(id: string, draw: Draw, produceMs: number, samples: number): EdgeShape {
  const deviceCount = draw.whole(1, 2);
  const text = draw.chance(0.3);
  const devices: SourceDevice[] = Array.from({ length: deviceCount }, (_, i) => {
    const metrics: SourceMetric[] = Array.from({ length: draw.whole(1, 3) }, (__, k) => ({
      name: `M${k}`,
      dataType: text && k === 0 ? 'String' : draw.of(['Double', 'Double', 'Int32', 'Int64'] as const),
      perPoll: draw.chance(0.2) ? 3 : 1,
      textBytes: draw.whole(1, 900),
    }));
    const perPoll = metrics.reduce((sum, metric) => sum + metric.perPoll, 0);
    return { id: `d${i}`, metrics, intervalMs: Math.max(20, (produceMs * perPoll * deviceCount) / samples) };
  });
  return {
    id,
    devices,
    // Small ones evict: a segment has at least 4 KiB.
    outboxBytes: draw.of([16_384, 16_384, 24_576, 1_000_000]),
    ledgerSlotBytes: draw.of([4096, 16_384]),
    commitDelayMs: draw.of([0, 20, 100]),
    syncMs: draw.of([0, 0, 3, 40]),
    window: draw.of([1, 4, 64]),
    backlogMessagesPerS: draw.of([50, 500, undefined]),
    maxPayloadBytes: draw.of([2000, 60_000]),
  };
}

type Maker = (draw: Draw, shape: { readonly edge: number; readonly produceMs: number; readonly publishers: number }) => FaultBody;

const outageMs = (draw: Draw): number => draw.of([draw.between(10, 300), draw.between(300, 3000), draw.between(3000, 25_000)]);
const clockJumps = [-3_600_000, 3_600_000, -500, 2000, -1_700_000_000_000] as const;
const ends = ['kill', 'power', 'stop'] as const;
const crashes = ['kill', 'power'] as const;

const crashLoop = (draw: Draw): readonly number[] => Array.from({ length: draw.whole(2, 6) }, () => draw.whole(1, 80));

/** What can go wrong, and how often. Each `do` has one maker. */
const makers: Readonly<Record<FaultName, { readonly weight: number; readonly make: Maker }>> = {
  endEdge: { weight: 6, make: (draw, { edge }) => ({ do: 'endEdge', edge, how: draw.of(ends), downMs: outageMs(draw) }) },
  endEdgeAtOperation: {
    weight: 8,
    make: (draw, { edge }) => ({
      do: 'endEdgeAtOperation',
      edge,
      how: draw.of(crashes),
      operations: draw.whole(1, 60),
      downMs: outageMs(draw),
    }),
  },
  changeConfig: {
    weight: 3,
    make: (draw, { edge }) => ({
      do: 'changeConfig',
      edge,
      change: draw.of(['rename', 'remove', 'retype'] as const),
      how: draw.of(['kill', 'stop'] as const),
      downMs: draw.between(10, 2000),
    }),
  },
  edgeCrashLoop: {
    weight: 3,
    make: (draw, { edge }) => ({ do: 'edgeCrashLoop', edge, how: draw.of(crashes), operations: crashLoop(draw) }),
  },
  serverCrashLoop: { weight: 3, make: (draw) => ({ do: 'serverCrashLoop', how: draw.of(crashes), operations: crashLoop(draw) }) },
  fillEdgeDisk: {
    weight: 4,
    make: (draw, { edge }) => ({ do: 'fillEdgeDisk', edge, roomBytes: draw.whole(0, 3000), forMs: outageMs(draw) }),
  },
  failEdgeSync: { weight: 2, make: (_, { edge }) => ({ do: 'failEdgeSync', edge }) },
  rotEdgeDisk: { weight: 3, make: (draw, { edge }) => ({ do: 'rotEdgeDisk', edge, salt: draw.whole(0, 1e9) }) },
  loseOutbox: { weight: 2, make: (draw, { edge }) => ({ do: 'loseOutbox', edge, downMs: draw.between(10, 2000) }) },
  jumpEdgeClock: { weight: 3, make: (draw, { edge }) => ({ do: 'jumpEdgeClock', edge, byMs: draw.of(clockJumps), forMs: outageMs(draw) }) },
  oddReading: { weight: 3, make: (draw, { edge }) => ({ do: 'oddReading', edge, odd: draw.of(['nan', 'unfit', 'huge'] as const) }) },
  cut: {
    weight: 8,
    make: (draw, { edge }) => ({
      do: 'cut',
      edge,
      how: draw.of(['bothNotice', 'clientNotices', 'serverNotices', 'nobodyNotices'] as const),
    }),
  },
  silence: { weight: 6, make: (draw, { edge }) => ({ do: 'silence', edge, forMs: outageMs(draw) }) },
  slowLine: { weight: 2, make: (draw, { edge }) => ({ do: 'slowLine', edge, latencyMs: draw.between(50, 800), forMs: outageMs(draw) }) },
  losePuback: { weight: 5, make: (_, { edge }) => ({ do: 'losePuback', edge }) },
  endServer: { weight: 6, make: (draw) => ({ do: 'endServer', how: draw.of(ends), downMs: outageMs(draw) }) },
  endServerAtOperation: {
    weight: 8,
    make: (draw) => ({ do: 'endServerAtOperation', how: draw.of(crashes), operations: draw.whole(1, 60), downMs: outageMs(draw) }),
  },
  fillServerDisk: { weight: 3, make: (draw) => ({ do: 'fillServerDisk', roomBytes: draw.whole(0, 3000), forMs: outageMs(draw) }) },
  failServerSync: { weight: 2, make: () => ({ do: 'failServerSync' }) },
  rotServerDisk: { weight: 3, make: (draw) => ({ do: 'rotServerDisk', salt: draw.whole(0, 1e9) }) },
  loseServerLog: { weight: 3, make: (draw) => ({ do: 'loseServerLog', downMs: draw.between(10, 2000) }) },
  jumpServerClock: {
    weight: 2,
    make: (draw) => ({ do: 'jumpServerClock', byMs: draw.of(clockJumps), forMs: draw.chance(0.4) ? forEver : outageMs(draw) }),
  },
  storeAnswers: {
    weight: 6,
    make: (draw) => ({
      do: 'storeAnswers',
      answers: Array.from({ length: draw.whole(1, 4) }, () =>
        draw.of<WriteFault>(['errorBefore', 'errorAfter', 'errorBetween', 'later'] as const),
      ),
    }),
  },
  storeDown: { weight: 4, make: (draw) => ({ do: 'storeDown', forMs: outageMs(draw) }) },
  storeSlow: { weight: 2, make: (draw) => ({ do: 'storeSlow', writeMs: draw.between(100, 2000), forMs: outageMs(draw) }) },
  storeRefuses: { weight: 3, make: (draw) => ({ do: 'storeRefuses', everyNth: draw.whole(2, 9), forMs: outageMs(draw) }) },
  restoreBackup: {
    weight: 4,
    make: (draw, { produceMs }) => ({ do: 'restoreBackup', takenAtMs: draw.between(0, produceMs), downMs: draw.between(10, 2000) }),
  },
  misbehave: {
    weight: 4,
    make: (draw, { publishers }) => ({
      do: 'misbehave',
      publisher: draw.whole(0, Math.max(0, publishers - 1)),
      how: draw.of(misbehaviours),
    }),
  },
};

const names = Object.keys(makers) as FaultName[];
const totalWeight = names.reduce((sum, name) => sum + makers[name].weight, 0);

function createFault(
  draw: Draw,
  shape: { readonly edges: readonly unknown[]; readonly produceMs: number; readonly publishers: number },
): Fault {
  let at = draw.between(0, totalWeight);
  const name = names.find((candidate) => {
    at -= makers[candidate].weight;
    return at < 0;
  });
  const { make } = makers[name ?? 'cut'];
  const fault = make(draw, { edge: draw.whole(0, shape.edges.length - 1), produceMs: shape.produceMs, publishers: shape.publishers });
  return { atMs: Math.round(draw.between(0, shape.produceMs)), ...fault };
}

/** Many a fault shows only when the power fails shortly after it. */
function powerCutAfter(fault: Fault, draw: Draw): Fault {
  const atMs = fault.atMs + draw.whole(1, 600);
  const downMs = outageMs(draw);
  return 'edge' in fault
    ? { atMs, do: 'endEdge', edge: fault.edge, how: 'power', downMs }
    : { atMs, do: 'endServer', how: 'power', downMs };
}
