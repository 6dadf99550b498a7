import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashWindow, ServedValue } from '../checker/evidence.ts';
import { type ChaosProxy, type LinkFault, startChaosProxy } from './chaos-proxy.ts';
import { type Answer, countingDevice, deviceOf, metricOf } from './counting-plc.ts';
import { type DataFolder, type EdgeSettings, prepareEdge } from './plant.ts';
import { createRole, type Role } from './role.ts';

/** An edge agent with its links to PLC and broker. */
export interface FactoryEdge {
  /** `g/<name>` */
  readonly id: string;
  readonly role: Role;
  readonly plcLink: ChaosProxy;
  readonly brokerLink: ChaosProxy;
  /** What it reads now. */
  units(): readonly EdgeUnit[];
  /** Breaks the link to the PLC for so long: what was asked at that moment may be answered to nobody. */
  breakPlcLink(fault: LinkFault, ms: number): Promise<void>;
  /** Breaks the link to the broker for so long. */
  breakBrokerLink(fault: LinkFault, ms: number): Promise<void>;
  /** Reads other units, or the same under other names, from the next start on. To be called while it does not run. */
  configure(units: readonly EdgeUnit[]): void;
  /** What the PLC handed out to this edge. */
  served(answers: readonly Answer[]): readonly ServedValue[];
  /** How much a kill may take along from now on, ms of readings: half a second at first. */
  allow(crashWindowMs: number): void;
  /** Answers of the PLC in this time may have been read by nobody, at most `maxLost` values of them. */
  excuse(fromMs: number, toMs: number, maxLost: number): void;
  readonly crashWindows: readonly CrashWindow[];
}

/** A unit of the PLC: each answer carries `registers` values. */
export interface EdgeUnit {
  readonly unit: number;
  readonly registers: number;
  /** Name of the device; by its unit when absent. */
  readonly device?: string;
}

export interface EdgePlan {
  readonly name: string;
  readonly units: readonly EdgeUnit[];
  readonly intervalMs: number;
  /** How long it waits for an answer of the PLC. */
  readonly plcTimeoutMs: number;
  readonly settings: EdgeSettings;
  /** Where its proxies listen. */
  readonly linkHost: string;
}

/** Readings that a killed agent had not synced yet: the commit delay (100 ms) and a slow sync on a busy machine. */
const crashWindowMs = 500;
/** How long after a fault of the link an answer to a request from within it may come. */
const linkAfterMs = 1500;
/** A connection that lost bytes stays silent until the edge gives it up: when no device has answered three times. */
const silentAfterMs = 15_000;
/** Requests that one fault of the link may leave unanswered: the one on its way, and those of attempts to connect again. */
const strayRequests = 4;

export async function createFactoryEdge(
  data: DataFolder,
  { name, units, intervalMs, plcTimeoutMs, settings, linkHost }: EdgePlan,
  ports: { readonly plc: number; readonly mqtt: number; readonly random: () => number },
): Promise<FactoryEdge> {
  const id = `g/${name}`;
  const { random } = ports;
  const plcLink = await startChaosProxy({ port: ports.plc }, { random, host: linkHost });
  const brokerLink = await startChaosProxy({ port: ports.mqtt }, { random, host: linkHost });
  const windows: CrashWindow[] = [];
  /** What it read since when, newest last. */
  const plans: { readonly sinceMs: number; readonly units: readonly EdgeUnit[] }[] = [{ sinceMs: 0, units }];
  const connections = (wanted: readonly EdgeUnit[]): readonly object[] => [
    {
      id: 'plc',
      driver: 'modbus',
      endpoint: `tcp://${linkHost}:${plcLink.port}`,
      timeoutMs: plcTimeoutMs,
      devices: wanted.map(({ unit, registers, device }) => ({
        ...countingDevice(unit, registers, intervalMs),
        ...(device === undefined ? {} : { id: device }),
      })),
    },
  ];
  const prepared = await prepareEdge(data, name, brokerLink.port, connections(units), { ...settings, brokerHost: linkHost });
  const onePoll = units.reduce((sum, { registers }) => sum + registers, 0);
  let allowedMs = crashWindowMs;
  const widest = Math.max(...units.map(({ registers }) => registers));
  const excuse = (fromMs: number, toMs: number, maxLost: number): void => void windows.push({ edge: id, fromMs, toMs, maxLost });
  const role = createRole(name, () => prepared.start(), {
    stumbled: (fromMs, toMs) => excuse(fromMs - allowedMs, toMs + linkAfterMs, onePoll * (1 + Math.ceil(allowedMs / intervalMs))),
  });
  return {
    id,
    role,
    plcLink,
    brokerLink,
    units: () => plans.at(-1)?.units ?? [],
    crashWindows: windows,
    excuse,
    allow: (ms) => {
      allowedMs = ms;
    },
    configure(wanted) {
      plans.push({ sinceMs: Date.now(), units: wanted });
      prepared.configure(connections(wanted));
    },
    served: (answers) =>
      answers.flatMap(({ unit, registers, value, atMs }) => {
        const read = plans.findLast(({ sinceMs }) => sinceMs <= atMs)?.units.find((each) => each.unit === unit);
        if (read === undefined) return [];
        return seriesOf(id, read)
          .slice(0, registers)
          .map((series) => ({ series, value, atMs }));
      }),
    async breakPlcLink(fault, ms) {
      const fromMs = Date.now();
      await plcLink.set(fault);
      await sleep(ms);
      await plcLink.set({ kind: 'pass' });
      const afterMs = fault.kind === 'blackhole' ? silentAfterMs : linkAfterMs;
      excuse(fromMs - linkAfterMs, Date.now() + afterMs, strayRequests * widest * (1 + Math.ceil((ms + afterMs) / 1000)));
    },
    async breakBrokerLink(fault, ms) {
      await brokerLink.set(fault);
      await sleep(ms);
      await brokerLink.set({ kind: 'pass' });
    },
  };
}

/** Series names of a unit of an edge, in the order of the registers. */
function seriesOf(edgeId: string, { unit, registers, device }: EdgeUnit): readonly string[] {
  return Array.from({ length: registers }, (_, i) => `${edgeId}/${device ?? deviceOf(unit)} ${metricOf(i)}`);
}
