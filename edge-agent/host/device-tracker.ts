import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { DeviceConfig, DeviceSink, MetricDefinition, Reading } from '../driver.ts';
import { createDeviceRules } from '../rules/device-rules.ts';
import type { RuleMemory } from '../rules/rule-memory.ts';
import { createDeviceBreaker, type DeviceBreaker } from './device-breaker.ts';
import { createReportFilter } from './report-by-exception.ts';

export type DeviceState = 'waiting' | 'online' | 'offline';

export interface DeviceTracker {
  readonly config: DeviceConfig;
  readonly breaker: DeviceBreaker;
  readonly state: DeviceState;
  /** When it answered last, ms UTC. */
  readonly lastAnswerMs: number | null;
  /** It answered: online if it was not, and what passes report by exception goes to the sink. Returns how many readings that were. */
  answered(readings: readonly Reading[]): number;
  /** A new connection: what was read before is not known to hold any more, and nothing has been asked over it yet. */
  connected(): void;
  /** It was asked over this connection and has not answered. */
  missed(reason: string): void;
  /** It has had its time: unreachable when it was asked, otherwise as soon as it is asked in vain. */
  giveUp(reason: string): void;
  /** It does not answer any more. Tells the sink and the log once. */
  unreachable(reason: string): void;
  /** How long its good reads take, ms; null before the first one. */
  readonly cycleMs: { readonly last: number; readonly max: number } | null;
  /** Reads that were skipped. */
  readonly overruns: number;
  tookMs(durationMs: number): void;
  overran(skipped: number): void;
  /** Whether readings may be held back (swinging door). */
  readonly holds: boolean;
  /** Reports held values that have waited long enough. Returns how many. */
  settle(): number;
  /** What is held is sent, and nothing after them. */
  close(): void;
  /** Reports unchanged values whose heartbeat is due. Returns how many. */
  beat(): number;
}

interface TrackerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly ruleMemory?: RuleMemory | undefined;
}

/** Follows one device: online and offline, and what of its readings is reported. `metrics` are those that its driver knows. */
export function createDeviceTracker(
  config: DeviceConfig,
  metrics: readonly MetricDefinition[],
  sink: DeviceSink,
  { clock, log, random, ruleMemory }: TrackerDeps,
): DeviceTracker {
  const derived = (config.derived ?? []).map((tag) => ({ name: tag.metric, dataType: tag.dataType, report: tag }));
  const filter = createReportFilter([...metrics, ...derived]);
  const rules = createDeviceRules(config, metrics, ruleMemory, (late) => {
    if (state === 'online') report(filter.select(late, clock.monotonic()));
  });
  const breaker = createDeviceBreaker(random);
  let state: DeviceState = 'waiting';
  let lastAnswerMs: number | null = null;
  let cycleMs: DeviceTracker['cycleMs'] = null;
  let overruns = 0;
  let hasMissed = false;
  let isGivenUp = false;

  const report = (readings: readonly Reading[]): number => {
    if (readings.length > 0) sink.report(config.id, readings);
    return readings.length;
  };

  const unreachable = (reason: string): void => {
    if (state === 'offline') return;
    if (state === 'online') report(filter.release());
    state = 'offline';
    log.warn({ device: config.id, reason }, 'The device does not answer.');
    sink.offline(config.id, reason);
  };

  return {
    config,
    breaker,
    get state() {
      return state;
    },
    get lastAnswerMs() {
      return lastAnswerMs;
    },
    get cycleMs() {
      return cycleMs;
    },
    get overruns() {
      return overruns;
    },
    tookMs: (durationMs) => {
      cycleMs = { last: durationMs, max: Math.max(durationMs, cycleMs?.max ?? 0) };
    },
    overran: (skipped) => {
      overruns += skipped;
    },
    answered: (readings) => {
      breaker.succeeded();
      hasMissed = false;
      isGivenUp = false;
      lastAnswerMs = clock.now();
      if (state !== 'online') {
        state = 'online';
        filter.reset();
        rules.forget();
        log.info({ device: config.id }, 'The device answers.');
        sink.online(config.id);
      }
      return report(filter.select(rules.apply(readings), clock.monotonic()));
    },
    connected: () => {
      hasMissed = false;
      rules.forget();
    },
    missed: (reason) => {
      hasMissed = true;
      if (isGivenUp) unreachable(reason);
    },
    giveUp: (reason) => {
      if (hasMissed) unreachable(reason);
      else isGivenUp = true;
    },
    unreachable,
    holds: filter.holds,
    settle: () => (state === 'online' ? report(filter.overdue(clock.monotonic())) : 0),
    close: () => {
      report(filter.release());
      rules.close();
    },
    beat: () => (state === 'online' ? report(filter.due(clock.monotonic())) : 0),
  };
}
