import type { SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { SourceDevice } from '../factory/devices.ts';
import type { EdgeMachine } from '../factory/edge-machine.ts';
import type { Factory } from '../factory/factory.ts';
import type { Database } from '../world/database.ts';
import { type Fault, forEver } from './fault.ts';

/** What faults did that no design can make good: kept so that two of them together are judged rightly. */
interface Damage {
  /** Edges whose outbox was lost. */
  readonly outboxes: Set<string>;
  /** Edges whose outbox may have lost the end of its log. */
  readonly torn: Set<string>;
  /** The server's log lost acknowledged records. */
  log: boolean;
}

/** Lets faults happen to a factory. `heal` ends all that last. */
export interface Injector {
  inject(fault: Fault): void;
  heal(): void;
}

const crashLoopPauseMs = 50;
const normalLatencyMs = 1;
const normalWriteMs = 4;

export function createInjector(factory: Factory): Injector {
  const { clock, edges, server, database, journal, publishers, watch } = factory;
  const damage: Damage = { outboxes: new Set(), torn: new Set(), log: false };
  const lasting = new Set<() => void>();
  let isHealed = false;

  function edgeOf(index: number): EdgeMachine {
    const edge = edges[index % edges.length];
    if (edge === undefined) throw new Error('a scenario has an edge');
    return edge;
  }

  /** Ends by itself after `forMs`, or at `heal`. */
  function lasts(forMs: number, end: () => void): void {
    const once = (): void => {
      if (lasting.delete(once)) end();
    };
    lasting.add(once);
    clock.after(forMs, once);
  }

  /** Everything up to now may be missing without a trace at publishers that keep nothing. */
  function forgetPublishers(toMs = clock.now()): void {
    for (const { id } of publishers) journal.mayMiss({ edge: id, fromMs: 0, toMs });
  }

  /**
   * The store or the log lost what nobody else can answer for: streams that the store never saw, and such as their edge has ended: it
   * says no more how far it came with them.
   */
  function forgetUnknownStreams(content: ReturnType<Database['content']>, toMs = clock.now()): void {
    for (const { id } of edges) {
      const isKnown = content.rows.some(({ machine }) => machine.startsWith(`${id}/`) && !machine.endsWith('/_node'));
      if (!isKnown || damage.outboxes.has(id) || (damage.torn.has(id) && factory.streamCount(id) > 1))
        journal.mayMiss({ edge: id, fromMs: 0, toMs });
    }
  }

  function logDamaged(): void {
    damage.log = true;
    forgetPublishers();
    forgetUnknownStreams(database.content());
  }

  function jump(machine: { wallOffsetMs: number }, wantedMs: number, forMs: number): void {
    // No clock shows a time before 1970.
    const byMs = Math.max(wantedMs, -machine.wallOffsetMs - clock.now());
    machine.wallOffsetMs += byMs;
    factory.maxClockErrorMs = Math.max(factory.maxClockErrorMs, Math.abs(machine.wallOffsetMs) + 1);
    if (forMs === forEver) return;
    lasts(forMs, () => {
      machine.wallOffsetMs -= byMs;
    });
  }

  /** A power cut, a failed sync or rot may take the end of the log: then its edge ends the stream. */
  function mayTear(fault: Fault): void {
    const cutsPower = 'how' in fault && fault.how === 'power';
    if ('edge' in fault && (cutsPower || fault.do === 'failEdgeSync' || fault.do === 'rotEdgeDisk')) damage.torn.add(edgeOf(fault.edge).id);
  }

  const happen = (fault: Fault): void => {
    mayTear(fault);
    switch (fault.do) {
      case 'endEdge':
        void edgeOf(fault.edge).end(fault.how, fault.downMs);
        break;
      case 'endEdgeAtOperation':
        edgeOf(fault.edge).endAtOperation(fault.how, fault.operations, fault.downMs);
        break;
      case 'edgeCrashLoop':
        crashLoop(edgeOf(fault.edge), fault.how, fault.operations);
        break;
      case 'serverCrashLoop':
        crashLoop(server, fault.how, fault.operations);
        break;
      case 'changeConfig': {
        const edge = edgeOf(fault.edge);
        void edge.end(fault.how, fault.downMs, () => {
          edge.devices = changed(edge.devices, fault.change);
        });
        break;
      }
      case 'fillEdgeDisk':
        fill(edgeOf(fault.edge).disk, fault.roomBytes, fault.forMs);
        break;
      case 'failEdgeSync':
        edgeOf(fault.edge).disk.failNextSync();
        break;
      case 'rotEdgeDisk':
        edgeOf(fault.edge).rot(createSimRandom(fault.salt));
        break;
      case 'loseOutbox': {
        const edge = edgeOf(fault.edge);
        damage.outboxes.add(edge.id);
        if (damage.log) journal.mayMiss({ edge: edge.id, fromMs: 0, toMs: clock.now() });
        void edge.loseOutbox(fault.downMs);
        break;
      }
      case 'jumpEdgeClock':
        jump(edgeOf(fault.edge), fault.byMs, fault.forMs);
        break;
      case 'oddReading':
        edgeOf(fault.edge).odd = fault.odd;
        break;
      case 'cut':
        edgeOf(fault.edge).path.cut(fault.how);
        break;
      case 'silence': {
        const { path } = edgeOf(fault.edge);
        path.silence(fault.forMs);
        lasts(fault.forMs, () => path.heal());
        break;
      }
      case 'slowLine': {
        const { path } = edgeOf(fault.edge);
        path.latencyMs = fault.latencyMs;
        lasts(fault.forMs, () => {
          path.latencyMs = normalLatencyMs;
        });
        break;
      }
      case 'losePuback':
        edgeOf(fault.edge).path.loseNext((packet) => (packet as { readonly kind?: string }).kind === 'puback');
        break;
      case 'endServer':
        void server.end(fault.how, fault.downMs);
        break;
      case 'endServerAtOperation':
        server.endAtOperation(fault.how, fault.operations, fault.downMs);
        break;
      case 'fillServerDisk':
        fill(server.disk, fault.roomBytes, fault.forMs);
        break;
      case 'failServerSync':
        server.disk.failNextSync();
        break;
      case 'rotServerDisk':
        rot(server.disk, fault.salt);
        logDamaged();
        break;
      case 'loseServerLog':
        void server.end('kill', fault.downMs, () => {
          server.disk.wipe('log');
          logDamaged();
        });
        break;
      case 'jumpServerClock':
        jump(server, fault.byMs, fault.forMs);
        break;
      case 'storeAnswers':
        database.faults.push(...fault.answers);
        break;
      case 'storeDown':
        database.downUntilMs = Math.max(database.downUntilMs, clock.monotonic() + fault.forMs);
        lasts(fault.forMs, () => {
          database.downUntilMs = Math.min(database.downUntilMs, clock.monotonic());
        });
        break;
      case 'storeSlow':
        database.writeMs = fault.writeMs;
        lasts(fault.forMs, () => {
          database.writeMs = normalWriteMs;
        });
        break;
      case 'storeRefuses':
        database.refuses = ({ metric, text }) => metric.startsWith('M') && Number.parseInt(text, 10) % fault.everyNth === 0;
        lasts(fault.forMs, () => {
          database.refuses = () => false;
        });
        break;
      case 'restoreBackup':
        break;
      case 'misbehave':
        publishers[fault.publisher % Math.max(1, publishers.length)]?.misbehave(fault.how);
        break;
    }
  };

  function crashLoop(machine: EdgeMachine | typeof server, how: 'kill' | 'power', operations: readonly number[]): void {
    const [next, ...rest] = operations;
    if (next === undefined || isHealed) return;
    machine.endAtOperation(how, next, crashLoopPauseMs, () => crashLoop(machine, how, rest));
  }

  function fill(disk: SimDisk, roomBytes: number, forMs: number): void {
    const used = disk.files().reduce((sum, path) => sum + disk.content(path).length, 0);
    disk.setCapacity(used + roomBytes);
    lasts(forMs, () => disk.setCapacity(Number.POSITIVE_INFINITY));
  }

  function rot(disk: SimDisk, salt: number): void {
    const random = createSimRandom(salt);
    const files = disk.files().filter((path) => path.startsWith('log/') && disk.content(path).length > 0);
    const file = files[Math.floor(random.next() * files.length)];
    if (file !== undefined) disk.flipBit(file, random);
  }

  /** An operator puts an older backup in the place of the database. */
  function restore(backup: ReturnType<Database['content']>, downMs: number): void {
    const wasDamaged = damage.log;
    void server.end('kill', downMs, () => {
      const endedMs = clock.now();
      database.restore(backup);
      // The log opens before the database: what every reader was done with may go then, beyond the tail that is kept.
      const onceOpen = (): void => {
        const firstIndex = server.firstIndex();
        if (firstIndex === undefined) {
          clock.after(1, onceOpen);
          return;
        }
        if (!wasDamaged && firstIndex <= (backup.checkpoint?.nextIndex ?? 0)) return;
        forgetPublishers(endedMs);
        forgetUnknownStreams(backup, endedMs);
      };
      clock.after(downMs, onceOpen);
    });
  }

  return {
    inject(fault) {
      if (fault.do === 'restoreBackup') {
        const takenAtMs = Math.min(fault.takenAtMs, fault.atMs);
        let backup = database.content();
        clock.after(takenAtMs, () => {
          backup = database.content();
        });
        clock.after(fault.atMs, () => {
          watch.saw('fault: restoreBackup');
          restore(backup, fault.downMs);
        });
        return;
      }
      clock.after(fault.atMs, () => {
        watch.saw(`fault: ${fault.do}`);
        happen(fault);
      });
    },
    heal() {
      isHealed = true;
      for (const end of [...lasting]) end();
      for (const { disk } of [...edges, server]) disk.spare();
      database.faults.length = 0;
    },
  };
}

function changed(devices: readonly SourceDevice[], change: 'rename' | 'remove' | 'retype'): readonly SourceDevice[] {
  const [first, ...others] = devices;
  if (first === undefined) return devices;
  if (change === 'remove') return others.length === 0 ? devices : others;
  if (change === 'rename') return [{ ...first, id: `${first.id}x` }, ...others];
  const metrics = first.metrics.map((metric) => ({
    ...metric,
    dataType: metric.dataType === 'Int64' ? ('Double' as const) : ('Int64' as const),
  }));
  return [{ ...first, metrics }, ...others];
}
