import type { Random } from '@nhip/core/process/env';
import type { SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createDelivery, type Delivery } from '@nhip/edge-agent/delivery';
import { createDeviceTable } from '@nhip/edge-agent/session/device-table';
import { type ClientEnd, createConnectMqtt } from '../world/mqtt.ts';
import type { Path } from '../world/network.ts';
import { createSimProcess, type SimProcess } from '../world/process.ts';
import { slowDisk } from '../world/slow-disk.ts';
import { definitionsOf, deviceConfig, type Oddity, poll, type SourceDevice } from './devices.ts';
import type { Journal } from './journal.ts';
import { createSimLog, type Say } from './log.ts';
import type { Watch } from './watch.ts';

export interface EdgeShape {
  /** `<group>/<edge>` */
  readonly id: string;
  readonly devices: readonly SourceDevice[];
  readonly outboxBytes: number;
  readonly ledgerSlotBytes: number;
  readonly commitDelayMs: number;
  /** How long the disk takes to sync. */
  readonly syncMs: number;
  readonly window: number;
  readonly backlogMessagesPerS: number | undefined;
  readonly maxPayloadBytes: number;
}

/** How a process ends: killed, without power, or asked to stop. */
export type Ending = 'kill' | 'power' | 'stop';

export interface EdgeMachine {
  readonly id: string;
  readonly disk: SimDisk;
  readonly path: Path;
  /** Error of its wall clock. */
  wallOffsetMs: number;
  /** Nothing is left to send, as far as the agent knows. */
  isDrained(): boolean;
  boot(): void;
  /** Ends the process; it comes back after `downMs`. `whileDown` runs in between. */
  end(how: Ending, downMs: number, whileDown?: () => void): Promise<void>;
  /** The same during the `operations`-th disk operation from now. */
  endAtOperation(how: 'kill' | 'power', operations: number, downMs: number, whileDown?: () => void): void;
  /** The folder of the outbox is lost: what it held is nowhere. */
  loseOutbox(downMs: number): Promise<void>;
  /**
   * A bit of its disk flips. The record that was written last looks torn when the agent starts before it was read: it is cut off, as
   * after a power cut.
   */
  rot(random: Random): void;
  /** What it reports; takes effect at the next boot. */
  devices: readonly SourceDevice[];
  /** The next poll carries it. */
  odd: Oddity | undefined;
  stopSource(): void;
}

export interface EdgeDeps {
  readonly clock: SimClock;
  readonly random: Random;
  readonly path: Path;
  readonly journal: Journal;
  readonly watch: Watch;
  readonly say: Say | undefined;
  dial(): ClientEnd | undefined;
}

/** One run of the agent on the machine. */
interface Run {
  readonly process: SimProcess;
  readonly delivery: Delivery;
  /** Sources are read. */
  isReading: boolean;
}

const restartMs = 1000;
/** Samples that are lost are counted in memory at once and on disk within this time (edge-agent/outbox/loss-ledger.ts). */
const countedWithinMs = 2500;
const stopLimitMs = 20_000;

/** An edge gateway: its disk outlives the agent, its sources count on whatever happens to it. */
export function createEdgeMachine(shape: EdgeShape, deps: EdgeDeps): EdgeMachine {
  const { clock, random, journal, watch } = deps;
  const disk = createSimDisk(random);
  const [group = '', edge = ''] = shape.id.split('/');
  let run: Run | undefined;
  let isSourceOn = true;
  /** Readings that were handed over and not yet called durable. */
  let unsettled: { readonly atMs: number; readonly count: number }[] = [];
  /** Samples that the agent lost and counted. */
  let counted: readonly { readonly atMs: number; readonly untilMs: number; readonly count: number }[] = [];
  let notedAtMs = 0;
  /** When the agent last had nothing to send. */
  let drainedAtMs = 0;
  let lostBefore = 0;
  /** When the last reading that is on disk was handed over. */
  let lastDurableMs = 0;
  const ends = new Set<ClientEnd>();

  /** The process is no more; what nobody called durable may be lost. */
  function dead({ process }: Run, hasPower: boolean): void {
    process.end();
    noteCounted();
    run = undefined;
    for (const end of ends) hasPower ? end.close() : end.vanish();
    ends.clear();
    const uncertain = [...unsettled, ...counted];
    if (uncertain.length > 0) {
      const fromMs = Math.min(...uncertain.map(({ atMs }) => atMs));
      const maxLost = uncertain.reduce((sum, { count }) => sum + count, 0);
      journal.mayMiss({ edge: shape.id, fromMs, toMs: clock.now(), maxLost });
    }
    unsettled = [];
    counted = [];
    lostBefore = 0;
  }

  /** Notes what the agent counted as lost since the last time. */
  function noteCounted(): void {
    const lost = run?.delivery.health().lost ?? 0;
    const untilMs = clock.now();
    const recent = counted.filter((other) => other.untilMs >= untilMs - countedWithinMs);
    // Handed over before the last look, perhaps, and refused by the disk after it.
    const atMs = notedAtMs - shape.commitDelayMs - 4 * shape.syncMs - 1;
    counted = lost > lostBefore ? [...recent, { atMs, untilMs, count: lost - lostBefore }] : recent;
    lostBefore = lost;
    notedAtMs = untilMs;
  }

  /** Reads one device again and again, as its driver does. */
  async function read(current: Run, device: SourceDevice): Promise<void> {
    const { process, delivery } = current;
    await process.clock.sleep(random.next() * device.intervalMs);
    while (isSourceOn && current.isReading) {
      const atMs = clock.now();
      if (machine.isDrained()) drainedAtMs = atMs;
      noteCounted();
      const readings = poll(shape.id, device, { wallMs: process.clock.now(), atMs }, machine.odd, journal);
      machine.odd = undefined;
      const handed = { atMs, count: readings.length };
      unsettled.push(handed);
      void delivery.report(device.id, readings).then(() => {
        if (!process.isAlive) return;
        unsettled = unsettled.filter((other) => other !== handed);
        lastDurableMs = atMs;
      });
      await process.clock.sleep(device.intervalMs * (0.8 + 0.4 * random.next()));
    }
  }

  function createRun(): Run {
    const process = createSimProcess(clock, () => machine.wallOffsetMs);
    const log = createSimLog(edge, process.clock, watch, deps.say);
    const devices = createDeviceTable();
    for (const device of machine.devices) devices.add(deviceConfig(device), definitionsOf(device));
    const dial = (): ClientEnd | undefined => {
      const end = process.isAlive ? deps.dial() : undefined;
      for (const other of ends) if (!other.isOpen) ends.delete(other);
      if (end !== undefined) ends.add(end);
      return end;
    };
    const client = { clientId: shape.id, username: shape.id, connectTimeoutMs: 10_000, dial };
    const { outboxBytes: maxBytes, commitDelayMs } = shape;
    const delivery = createDelivery(
      { ...shape, group, edge, outbox: { maxBytes, commitDelayMs, ledgerSlotBytes: shape.ledgerSlotBytes } },
      {
        env: { clock: process.clock, random, disk: slowDisk(disk.boot(), process.clock, shape.syncMs) },
        log,
        connect: createConnectMqtt(client, { clock: process.clock, random }),
        devices,
        onFatal: (error) => {
          log.error({ err: error }, 'The agent ends and is started again');
          restart(current);
        },
      },
    );
    const current = { process, delivery, isReading: true };
    return current;
  }

  function restart(current: Run): void {
    if (!current.process.isAlive) return;
    dead(current, true);
    disk.boot();
    clock.after(restartMs, () => machine.boot());
  }

  async function start(current: Run): Promise<void> {
    await current.delivery.start();
    for (const device of machine.devices) {
      current.delivery.deviceChanged(device.id, true);
      void read(current, device);
    }
  }

  const machine: EdgeMachine = {
    id: shape.id,
    disk,
    path: deps.path,
    wallOffsetMs: 0,
    devices: shape.devices,
    odd: undefined,
    isDrained() {
      if (run === undefined || unsettled.length > 0) return false;
      const { pendingRecords, pendingLosses } = run.delivery.health();
      return pendingRecords === 0 && pendingLosses === 0;
    },
    boot() {
      const current = createRun();
      run = current;
      start(current).catch((error: unknown) => {
        deps.say?.(`${edge} could not start: ${String(error)}`);
        restart(current);
      });
    },
    async end(how, downMs, whileDown) {
      const current = run;
      if (current === undefined) return;
      if (how === 'stop' && current.isReading) {
        current.isReading = false;
        const isClean = await Promise.race([current.delivery.stop().then(() => true), clock.sleep(stopLimitMs).then(() => false)]);
        if (!current.process.isAlive) return;
        // A clean stop made everything durable.
        if (isClean) unsettled = [];
      }
      dead(current, how !== 'power');
      if (how === 'power') disk.crash(random);
      else disk.boot();
      whileDown?.();
      clock.after(downMs, () => machine.boot());
    },
    endAtOperation(how, operations, downMs, whileDown) {
      const ended = how === 'power' ? disk.crashAfter(operations, random) : disk.killAfter(operations, random);
      void ended.then(() => {
        // Perhaps another run than the one in which it was planned.
        if (run === undefined) return;
        dead(run, how !== 'power');
        whileDown?.();
        clock.after(downMs, () => machine.boot());
      });
    },
    loseOutbox: (downMs) =>
      machine.end('kill', downMs, () => {
        disk.wipe('outbox');
        journal.mayMiss({ edge: shape.id, fromMs: drainedAtMs, toMs: clock.now() });
      }),
    rot(random) {
      const files = disk.files().filter((path) => path.startsWith('outbox/') && disk.content(path).length > 0);
      const file = files[Math.floor(random.next() * files.length)];
      if (file === undefined) return;
      disk.flipBit(file, random);
      journal.mayMiss({ edge: shape.id, fromMs: lastDurableMs - shape.commitDelayMs - 1, toMs: lastDurableMs });
    },
    stopSource() {
      isSourceOn = false;
    },
  };
  return machine;
}
