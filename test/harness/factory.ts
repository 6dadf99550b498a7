import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import type { CrashWindow, Measured, ServedValue } from '../checker/evidence.ts';
import type { Kept } from './collect-evidence.ts';
import { deviceOf, metricOf } from './counting-plc.ts';
import { type Equipment, type EquipmentOptions, prepareEquipment } from './equipment.ts';
import { createFactoryEdge, type EdgeUnit, type FactoryEdge } from './factory-edge.ts';
import { createForeignPublisher, type ForeignPublisher } from './foreign-publisher.ts';
import { freePort } from './free-port.ts';
import { startProcess } from './nhip.ts';
import { type DataFolder, type EdgeSettings, makeDataFolder } from './plant.ts';
import { followJournal } from './plc-journal.ts';
import { createRole, type Role } from './role.ts';
import { createRolesApart } from './roles-apart.ts';
import { createServerApi, type ServerApi } from './server-api.ts';
import { createSingleServer, type ServerShape, type StoreLinks } from './server-shape.ts';
import { until } from './until.ts';

export interface FactoryOptions {
  /** Edge agents e1, e2 …; each reads units of its own. */
  readonly edges?: number;
  /** Units of one register per edge, beside a wide one. */
  readonly units?: number;
  readonly intervalMs?: number;
  /** How long edge agents wait for an answer of the PLC: 5 s, because a busy machine is no fault. */
  readonly plcTimeoutMs?: number;
  /** Wide units per edge, and how many registers each has: one of 10. */
  readonly wideUnits?: number;
  readonly registers?: number;
  /** `one`: nhip server on DuckDB; `apart`: broker, ingest, live and InfluxDB as processes of their own. */
  readonly shape?: 'one' | 'apart';
  /** Keys of `server.yaml`. */
  readonly server?: object;
  readonly edge?: Omit<EdgeSettings, 'surroundings' | 'brokerHost'>;
  readonly equipment?: EquipmentOptions;
  readonly seed?: number;
}

/** A small factory of real processes: a PLC that counts, edge agents, the server side, and links that can be broken. */
export interface Factory {
  readonly data: DataFolder;
  readonly plc: Role;
  readonly edges: readonly FactoryEdge[];
  /** The first. */
  readonly edge: FactoryEdge;
  /** All programs, by name. */
  readonly roles: ReadonlyMap<string, Role>;
  /** One of them; throws when the factory has none of that name. */
  role(name: string): Role;
  /** `nhip server`, in a factory that has it. */
  readonly server: Role;
  /** Link and answers of a store that is a server; throws when it is a file. */
  storeLinks(): StoreLinks;
  readonly api: ServerApi;
  readonly random: () => number;
  readonly shape: ServerShape;
  readonly equipment: Equipment;
  /** Waits until the PLC handed out `count` values more. */
  served(count: number): Promise<void>;
  /** Waits until a value that was handed out from now on is in the server's live picture, of every edge; resolves with the ms. */
  live(deadlineMs?: number): Promise<number>;
  /** The length of a fault that is nothing but time. */
  lasts(ms: number): Promise<void>;
  /** Switches the PLC off and waits until nothing is under way any more; resolves with the ms. */
  drained(deadlineMs?: number): Promise<number>;
  /** Waits until the server can account for everything that was served; resolves with the ms. */
  complete(deadlineMs?: number): Promise<number>;
  /** A publisher that is not ours, under these credentials; what it serves is judged like the rest. */
  foreign(id: string): Promise<ForeignPublisher>;
  /** Stops all that runs, edges first; resolves with what the store holds. */
  stop(): Promise<Kept>;
  journal(): readonly ServedValue[];
  crashWindows(): readonly CrashWindow[];
  /** Highest memory of the programs that run. */
  memory(): readonly Measured[];
  problems(): readonly string[];
  /** Kills what still runs and removes the data. */
  remove(): Promise<void>;
}

const maxEdgeMb = 250;
const maxServerMb = 1000;
/** How often an edge agent tells about itself. */
const nodeDataIntervalMs = 5000;
const plcProcess = join(import.meta.dirname, 'plc-process.ts');

/** Starts everything and waits until values of every edge are live. */
export async function startFactory(options: FactoryOptions = {}): Promise<Factory> {
  const { edges: edgeCount = 1, units = 4, wideUnits = 1, registers = 10, intervalMs = 50, plcTimeoutMs = 5000, seed = 1 } = options;
  const simRandom = createSimRandom(seed);
  const random = (): number => simRandom.next();
  const data = makeDataFolder();
  const equipment = prepareEquipment(data, options.equipment ?? {});
  const journalFile = join(data.path, 'plc.journal');
  const journal = followJournal(journalFile);
  const edges: FactoryEdge[] = [];
  const foreigners: ForeignPublisher[] = [];
  const plcPort = await freePort();
  let say: (text: string) => void = () => {};

  const excuseAll = (fromMs: number, toMs: number): void => {
    for (const edge of edges) edge.excuse(fromMs - 1000, toMs + 2000, registers * (4 + Math.ceil((toMs - fromMs) / 1000)));
  };
  const plc = createRole(
    'plc',
    () => {
      const child = startProcess([process.execPath, '--import', 'tsx', plcProcess, journalFile, String(plcPort)]);
      say = child.say;
      return child;
    },
    {
      stumbled: excuseAll,
    },
  );
  const { server: config = {} } = options;
  const shape =
    options.shape === 'apart' ? await createRolesApart(data, config, equipment, random) : await createSingleServer(data, config, equipment);
  const api = createServerApi(shape.httpPort);
  for (const each of [plc, ...shape.roles]) await each.start();
  for (let i = 0; i < edgeCount; i++) {
    const settings = { ...options.edge, surroundings: equipment.edge };
    const plan = {
      name: `e${i + 1}`,
      units: unitsOf(i, units, wideUnits, registers),
      intervalMs,
      plcTimeoutMs,
      settings,
      linkHost: equipment.linkHost,
    };
    edges.push(await createFactoryEdge(data, plan, { plc: plcPort, mqtt: shape.mqttPort(), random }));
  }
  await Promise.all(edges.map((each) => each.role.start()));
  const roles = new Map([plc, ...shape.roles, ...edges.map((each) => each.role)].map((each) => [each.name, each]));
  const [edge] = edges;
  if (edge === undefined) throw new Error('a factory has at least one edge');
  const role = (name: string): Role => {
    const found = roles.get(name);
    if (found === undefined) throw new Error(`this factory has no ${name}`);
    return found;
  };

  const lastServed = (unit: number): number => journal.answers().findLast((answer) => answer.unit === unit)?.value ?? 0;

  async function isLive({ id, units: current }: FactoryEdge, after: number): Promise<boolean> {
    const [first] = current();
    const value = first === undefined ? undefined : await api.value(`${id}/${first.device ?? deviceOf(first.unit)}`, metricOf(0));
    return value !== undefined && value > after;
  }

  async function isDrained(id: string, sinceMs: number): Promise<boolean> {
    const row = await api.edge(id);
    // The edge tells every few seconds what waits on its disk: only what it said since then counts.
    if (row?.online !== true || row.outboxRecords !== 0 || (row.lastSeen ?? 0) <= sinceMs + nodeDataIntervalMs) return false;
    const { logRecordsBehind = 0, lagMs } = await api.stats();
    return logRecordsBehind === 0 && lagMs === 0;
  }

  const factory: Factory = {
    data,
    plc,
    edges,
    edge,
    roles,
    role,
    get server() {
      return role('server');
    },
    storeLinks() {
      if (shape.store === undefined) throw new Error('the store of this factory is a file');
      return shape.store;
    },
    api,
    random,
    shape,
    equipment,
    async served(count) {
      const before = journal.values();
      await until(`${count} more values are served`, () => journal.values() >= before + count, 60_000);
    },
    async live(deadlineMs = 60_000) {
      const startedMs = performance.now();
      const marks = edges.map((each) => lastServed(each.units()[0]?.unit ?? 0));
      await Promise.all(edges.map((each, i) => until(`values of ${each.id} are live`, () => isLive(each, marks[i] ?? 0), deadlineMs)));
      return performance.now() - startedMs;
    },
    lasts: (ms) => sleep(ms),
    async drained(deadlineMs = 120_000) {
      const startedMs = performance.now();
      if (plc.isRunning) say('off');
      const sinceMs = Date.now();
      for (const { id } of edges) await until(`everything of ${id} is stored`, () => isDrained(id, sinceMs), deadlineMs);
      return performance.now() - startedMs;
    },
    async complete(deadlineMs = 90_000) {
      const startedMs = performance.now();
      const served = new Map<string, number>();
      for (const { series } of factory.journal()) {
        const machine = series.slice(0, series.indexOf(' '));
        served.set(machine, (served.get(machine) ?? 0) + 1);
      }
      for (const [machine, count] of served) {
        const isThere = async (): Promise<boolean> => (await api.accounted(machine)) >= count;
        await until(`all ${count} values of ${machine} are accounted for`, isThere, deadlineMs);
      }
      return performance.now() - startedMs;
    },
    async foreign(id) {
      const publisher = await createForeignPublisher(data, id, shape.mqttPort());
      foreigners.push(publisher);
      return publisher;
    },
    async stop() {
      await Promise.all(foreigners.map((foreigner) => foreigner.close()));
      await Promise.all(edges.map((each) => each.role.stop()));
      const kept = await shape.stop();
      await plc.stop();
      return kept;
    },
    journal: () => [...edges.flatMap((each) => each.served(journal.answers())), ...foreigners.flatMap(({ served }) => served)],
    crashWindows: () => edges.flatMap(({ crashWindows }) => crashWindows),
    memory: () => [...roles.values()].filter(({ name, isRunning }) => isRunning && name !== 'plc').map(memoryOf),
    problems: () => [...roles.values()].flatMap(({ problems }) => problems),
    async remove() {
      await Promise.all(foreigners.map((foreigner) => foreigner.close().catch(() => undefined)));
      await Promise.all([...roles.values()].map((each) => each.kill()));
      for (const { plcLink, brokerLink } of edges) await Promise.all([plcLink.close(), brokerLink.close()]);
      await shape.close();
      equipment.remove();
      data.remove();
    },
  };
  try {
    await factory.live();
  } catch (error) {
    await factory.remove();
    throw error;
  }
  return factory;
}

/** The PLC's units are told apart by number: twenty for each edge, wide ones from the end. */
function unitsOf(edgeIndex: number, units: number, wideUnits: number, registers: number): readonly EdgeUnit[] {
  const first = edgeIndex * 20 + 1;
  return [
    ...Array.from({ length: units }, (_, i) => ({ unit: first + i, registers: 1 })),
    ...Array.from({ length: wideUnits }, (_, i) => ({ unit: first + 19 - i, registers })),
  ];
}

function memoryOf({ name, process: { pid } }: Role): Measured {
  const peakKb = Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  return { name: `memory of ${name}, MB`, highest: Math.round(peakKb / 1024), limit: name.startsWith('e') ? maxEdgeMb : maxServerMb };
}
