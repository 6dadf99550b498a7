import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { DeviceConfig, DeviceSink, MetricDefinition, Reading } from '../driver.ts';
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
  /** It does not answer any more. Tells the sink and the log once. */
  unreachable(reason: string): void;
  /** Reports unchanged values whose heartbeat is due. Returns how many. */
  beat(): number;
}

interface TrackerDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

/** Follows one device: online and offline, and what of its readings is reported. */
export function createDeviceTracker(
  config: DeviceConfig,
  metrics: readonly MetricDefinition[],
  sink: DeviceSink,
  { clock, log, random }: TrackerDeps,
): DeviceTracker {
  const filter = createReportFilter(metrics);
  const breaker = createDeviceBreaker(random);
  let state: DeviceState = 'waiting';
  let lastAnswerMs: number | null = null;

  const report = (readings: readonly Reading[]): number => {
    if (readings.length > 0) sink.report(config.id, readings);
    return readings.length;
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
    answered: (readings) => {
      breaker.succeeded();
      lastAnswerMs = clock.now();
      if (state !== 'online') {
        state = 'online';
        filter.reset();
        log.info({ device: config.id }, 'The device answers.');
        sink.online(config.id);
      }
      return report(filter.select(readings, clock.monotonic()));
    },
    unreachable: (reason) => {
      if (state === 'offline') return;
      state = 'offline';
      log.warn({ device: config.id, reason }, 'The device does not answer.');
      sink.offline(config.id, reason);
    },
    beat: () => (state === 'online' ? report(filter.due(clock.monotonic())) : 0),
  };
}
