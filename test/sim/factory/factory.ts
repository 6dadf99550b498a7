import type { Random } from '@nhip/core/process/env';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { Evidence, StoredValue } from '../../checker/evidence.ts';
import type { Scenario } from '../scenario/scenario.ts';
import { createDatabase, type Database } from '../world/database.ts';
import type { ClientEnd, DownPacket, UpPacket } from '../world/mqtt.ts';
import { createPath, type Path } from '../world/network.ts';
import { createAuditor } from './auditor.ts';
import { countOf } from './devices.ts';
import { createEdgeMachine, type EdgeMachine } from './edge-machine.ts';
import { createJournal, type Journal } from './journal.ts';
import type { Say } from './log.ts';
import { createJsonPublisher, createStranger, type Publisher } from './publishers.ts';
import { createServerMachine, type ServerMachine } from './server-machine.ts';
import { createWatch, type Watch } from './watch.ts';

/** A whole plant in one process, on virtual time. */
export interface Factory {
  readonly clock: SimClock;
  readonly edges: readonly EdgeMachine[];
  readonly server: ServerMachine;
  readonly database: Database;
  readonly publishers: readonly Publisher[];
  readonly journal: Journal;
  readonly watch: Watch;
  /** Largest error that a clock had. */
  maxClockErrorMs: number;
  isDrained(): boolean;
  /** Streams that an edge has used so far. */
  streamCount(edge: string): number;
  /** What the checker judges, as of now. */
  evidence(): Promise<Evidence>;
}

export function createFactory(scenario: Scenario, say: Say | undefined): Factory {
  const clock = createSimClock();
  // One sequence for each part, so that leaving out a fault disturbs the others as little as possible.
  const randomOf = (part: number): Random => createSimRandom(scenario.seed * 101 + part);
  const journal = createJournal();
  const watch = createWatch();
  const database = createDatabase(scenario.database, randomOf(1));
  const edgesById = new Map(scenario.edges.map((edge) => [edge.id, edge]));
  const auditor = createAuditor(() => clock.monotonic(), watch);
  const server = createServerMachine(scenario.server, {
    clock,
    random: randomOf(2),
    database,
    auditor,
    watch,
    say,
    // A loss report goes beside the window.
    window: (username) => (edgesById.get(username)?.window ?? 1000) + 1,
  });

  function dialOver(path: Path): ClientEnd | undefined {
    const wire = path.connect<UpPacket, DownPacket>();
    return server.accept(wire.server) ? wire.client : undefined;
  }

  const edges = scenario.edges.map((shape, i) => {
    const random = randomOf(10 + i);
    const path = createPath(clock, random, scenario.keepaliveMs);
    return createEdgeMachine(shape, { clock, random, path, journal, watch, say, dial: () => dialOver(path) });
  });
  const publishers = scenario.publishers.map((kind, i) => {
    const random = randomOf(20 + i);
    const path = createPath(clock, random, scenario.keepaliveMs);
    const deps = { clock, random, journal, dial: () => dialOver(path) };
    return kind === 'json' ? createJsonPublisher(`g/json${i}`, deps) : createStranger(`g/stranger${i}`, deps);
  });

  /** What our own software makes up beside the sources: the state of connections and the figures of the agents. */
  function isOwn(machine: string, metric: string): boolean {
    const isAgent = machine.endsWith('/_node') && edgesById.has(machine.slice(0, -'/_node'.length));
    return isAgent || metric === 'Connection' || metric.startsWith('Properties/');
  }

  const factory: Factory = {
    clock,
    edges,
    server,
    database,
    publishers,
    journal,
    watch,
    maxClockErrorMs: 1,
    streamCount: auditor.streamCount,
    isDrained: () => server.isDrained() && edges.every((edge) => edge.isDrained()),
    async evidence() {
      const { rows, losses } = database.content();
      const stored: StoredValue[] = [];
      for (const { machine, metric, text, timeMs, tick, quality } of rows) {
        if (!isOwn(machine, metric)) {
          stored.push({ series: `${machine} ${metric}`, value: countOf(text) ?? Number.NaN, timestampMs: timeMs, quality, tick });
        }
      }
      watch.measure('samples of one write', database.largestWrite, scenario.server.maxBatchSamples + 2048);
      return {
        served: journal.served,
        stored,
        losses: losses.filter(({ machine, metric }) => !isOwn(machine, metric)),
        deadLetters: await clock.drive(server.deadLetters()),
        crashWindows: journal.windows,
        maxClockErrorMs: factory.maxClockErrorMs,
        watermarks: watch.watermarks,
        deletions: watch.deletions,
        measured: watch.measured(),
      };
    },
  };
  return factory;
}
