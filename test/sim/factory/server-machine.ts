import { createGate } from '@nhip/broker/gate';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env, Random } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { brokerStartedTopic, encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { sparkplugTopic } from '@nhip/core/wire/topic';
import { ingestConfig } from '@nhip/ingest/config';
import { listDeadLetters } from '@nhip/ingest/dead-letters';
import { createIngest, type Ingest } from '@nhip/ingest/ingest';
import { ingestReader } from '@nhip/ingest/work-writer';
import type { DeadLetterRow } from '../../checker/evidence.ts';
import { createSimBroker, type SimBroker } from '../world/broker.ts';
import type { Database } from '../world/database.ts';
import type { BrokerEnd } from '../world/mqtt.ts';
import { createSimProcess, type SimProcess } from '../world/process.ts';
import { slowDisk } from '../world/slow-disk.ts';
import type { Auditor } from './auditor.ts';
import type { Ending } from './edge-machine.ts';
import { createSimLog, type Say } from './log.ts';
import type { Watch } from './watch.ts';

export interface ServerShape {
  readonly logBytes: number;
  readonly segmentBytes: number;
  readonly keepTailBytes: number;
  /** How long the disk takes to sync. */
  readonly syncMs: number;
  readonly commitDelayMs: number;
  readonly commitIntervalMs: number;
  readonly maxBatchSamples: number;
}

export interface ServerMachine {
  readonly disk: SimDisk;
  /** Error of its wall clock. */
  wallOffsetMs: number;
  boot(): void;
  end(how: Ending, downMs: number, whileDown?: () => void): Promise<void>;
  endAtOperation(how: 'kill' | 'power', operations: number, downMs: number, whileDown?: () => void): void;
  /** A connection of a client; false when nobody listens. */
  accept(end: BrokerEnd): boolean;
  /** Everything in the log is stored. */
  isDrained(): boolean;
  /** First index of the log that is still there; undefined while the server is down. */
  firstIndex(): number | undefined;
  deadLetters(): Promise<readonly DeadLetterRow[]>;
}

export interface ServerDeps {
  readonly clock: SimClock;
  readonly random: Random;
  readonly database: Pick<Database, 'open' | 'onCheckpoint'>;
  readonly auditor: Auditor;
  readonly watch: Watch;
  readonly say: Say | undefined;
  /** Most messages that one client may have in flight. */
  window(username: string): number;
}

/** One run of the server. */
interface Run {
  readonly number: number;
  readonly process: SimProcess;
  readonly env: Env;
  readonly log: Log;
  readonly ends: Set<BrokerEnd>;
  logBus?: LogBus;
  deadLetters?: LogBus;
  ingest?: Ingest;
  broker?: SimBroker;
}

const restartMs = 1000;
const stopLimitMs = 20_000;

/** The server as `nhip server` composes it: log, dead letters, store, ingest, broker, in one process. */
export function createServerMachine(shape: ServerShape, deps: ServerDeps): ServerMachine {
  const { clock, random, watch, database } = deps;
  const disk = createSimDisk(random);
  let run: Run | undefined;
  let runs = 0;

  async function start(current: Run): Promise<void> {
    const { env, log, process } = current;
    const onFatal = (error: Error): void => {
      log.error({ err: error }, 'The server ends and is started again');
      restart(current);
    };
    const logBus = await openSegmentLog(env, 'log', {
      commitDelayMs: shape.commitDelayMs,
      segmentBytes: shape.segmentBytes,
      maxBytes: shape.logBytes,
      whenFull: 'refuse',
      keepTailBytes: shape.keepTailBytes,
      keepTailMs: 86_400_000,
      readers: [ingestReader],
      log,
      onFatal,
    });
    current.logBus = logBus;
    const deadLetters = await openSegmentLog(env, 'dead-letters', { commitDelayMs: 0, maxBytes: 67_108_864, readers: [], log, onFatal });
    current.deadLetters = deadLetters;
    const store = database.open(process);
    database.onCheckpoint = ({ nextIndex }) => {
      const { nextIndex: end } = logBus.stats();
      // One series of marks per run: a restored database or another log begins again.
      watch.watermark({ of: `checkpoint in run ${current.number}`, atMs: clock.monotonic(), value: nextIndex, safe: end });
    };
    await store.open();
    const { commitIntervalMs, maxBatchSamples } = shape;
    const ingest = createIngest(ingestConfig.parse({ commitIntervalMs, maxBatchSamples }), {
      clock: process.clock,
      log,
      logBus,
      store,
      deadLetters,
      sendNodeCommand: (group, edge, payload) => {
        if (process.isAlive) current.broker?.publish(sparkplugTopic(group, 'NCMD', edge), payload);
      },
      onFatal,
    });
    await ingest.start();
    current.ingest = ingest;
    const started = { receivedMs: process.clock.now(), sender: '', topic: brokerStartedTopic, payload: new Uint8Array() };
    await logBus.append(encodeLogMessage(started));
    const gate = createGate({
      log: logBus,
      clock: process.clock,
      counters: { received: 0, waiting: 0, unkept: 0, refused: 0, oversized: 0, authFailed: 0 },
      refused: (reason) => log.warn({ reason }, 'Publish refused, connection closed'),
    });
    current.broker = createSimBroker(gate, {
      appended: deps.auditor.appended,
      inFlight: (username, count) => watch.measure(`messages in flight of ${username}`, count, deps.window(username)),
    });
  }

  function dead({ process, ends }: Run, hasPower: boolean): void {
    process.end();
    run = undefined;
    for (const end of ends) hasPower ? end.close() : end.vanish();
  }

  function restart(current: Run): void {
    if (!current.process.isAlive) return;
    dead(current, true);
    disk.boot();
    clock.after(restartMs, () => machine.boot());
  }

  async function stop({ broker, ends, ingest, logBus, deadLetters, process }: Run): Promise<void> {
    if (broker !== undefined) for (const end of ends) end.close();
    await ingest?.stop();
    await deadLetters?.close();
    await logBus?.close();
    if (process.isAlive) deps.say?.('server stopped');
  }

  const machine: ServerMachine = {
    disk,
    wallOffsetMs: 0,
    boot() {
      const process = createSimProcess(clock, () => machine.wallOffsetMs);
      const log = createSimLog('server', process.clock, watch, deps.say);
      const current: Run = {
        number: ++runs,
        process,
        log,
        env: { clock: process.clock, random, disk: slowDisk(disk.boot(), process.clock, shape.syncMs) },
        ends: new Set(),
      };
      run = current;
      start(current).catch((error: unknown) => {
        deps.say?.(`the server could not start: ${String(error)}`);
        restart(current);
      });
    },
    async end(how, downMs, whileDown) {
      const current = run;
      if (current === undefined) return;
      if (how === 'stop' && current.broker !== undefined) {
        const stopped = stop(current);
        delete current.broker;
        await Promise.race([stopped, clock.sleep(stopLimitMs)]);
        if (!current.process.isAlive) return;
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
    accept(end) {
      if (run?.broker === undefined) return false;
      for (const other of run.ends) if (!other.isOpen) run.ends.delete(other);
      run.ends.add(end);
      run.broker.accept(end);
      return true;
    },
    isDrained: () => run?.ingest?.checkpoint()?.nextIndex === run?.logBus?.stats().nextIndex && run?.broker !== undefined,
    firstIndex: () => run?.logBus?.stats().firstIndex,
    async deadLetters() {
      const rows: DeadLetterRow[] = [];
      if (run?.deadLetters === undefined) return rows;
      for await (const { reason, samples, sourceLog, sourceIndex } of listDeadLetters(run.deadLetters)) {
        rows.push({ reason, samples, source: `${sourceLog} ${sourceIndex}` });
      }
      return rows;
    },
  };
  return machine;
}
