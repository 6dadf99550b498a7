import { nodeDevice } from '@nhip/core/telemetry/edge-session';
import type { MachineView, MetricView } from '@nhip/core/wire/live';
import type { PlantModel } from '@nhip/core/wire/plant';
import { type MachineId, quality, type Value } from '@nhip/core/wire/sample';
import {
  alarmPrefix,
  type Connection,
  deviceProperties,
  isMachineState,
  isReportedUnreduced,
  type MachineState,
  metricNames,
} from '@nhip/core/wire/vocabulary';
import { longestText } from './edge-texts.ts';
import { createRateRing } from './rate-ring.ts';
import { type CountWindow, createShiftCount } from './shift-count.ts';

/** Metrics that one device may have on the board; more are still stored, but not shown live. */
const maxMetrics = 5000;
/** Longer texts are shown cut; the history has them whole. They go to every viewer, and a publisher chooses their length. */
const maxTextLength = 1000;
/** Active alarms of one device in the overview, in the order of the alphabet; all are among its metrics. */
const maxShownAlarms = 100;
const clockStepMs = 60_000;

/** What a tracker reads of the hub: the clock and the window in which pieces are counted. */
export interface TrackerClock {
  readonly nowMs: number;
  readonly window: CountWindow | null;
  /** The window is a shift of the plant model, so that its time is planned. */
  readonly planned: boolean;
}

/** The current values of one device and what the overview makes of them. */
export interface MachineTracker {
  /** It reported a metric of the vocabulary or stands in the plant model. */
  readonly isMachine: boolean;
  /** Grows with every change of a metric. */
  readonly version: number;
  /** Takes a sample; false when it is older than what is known and changes nothing. */
  sample(metric: string, timeMs: number, value: Value, qualityCode: number, options: SampleOptions): boolean;
  connect(connection: Connection): void;
  /** The count window that was running is over; the clock shows the next. */
  turnWindow(): void;
  view(): MachineView;
  /** Every current value, by name. */
  metrics(): readonly MetricView[];
}

export interface SampleOptions {
  readonly unit?: string | undefined;
  /** Sent after an outage: it counts only where nothing newer is known. */
  readonly historical?: boolean | undefined;
}

type Current = { -readonly [Key in keyof MetricView]: MetricView[Key] };

export function createMachineTracker(id: MachineId, plant: PlantModel | null, clock: TrackerClock): MachineTracker {
  const planned = plant?.machines[id];
  const plannedLine = plant?.lines.find((line) => line.machines.includes(id))?.id;
  /** Metrics of the edge agent itself are no machine. */
  const isNode = id.endsWith(`/${nodeDevice}`);
  const current = new Map<string, Current>();
  const good = createShiftCount();
  const reject = createShiftCount();
  const rate = createRateRing();
  let ratePerHour: number | null = null;
  let isMachine = planned !== undefined || plannedLine !== undefined;
  let version = 0;
  let connection: Connection = 'agentOffline';
  let connectionTold = false;
  let lastSample: number | null = null;
  let state: MachineState = 'unknown';
  let since: number | null = null;
  const activeAlarms = new Set<string>();
  /** What the overview shows of them; null: to be made anew. */
  let shownAlarms: readonly string[] | null = [];
  /** Time of the running window that was not planned for work and is over, ms. */
  let unplannedMs = 0;

  function setState(next: MachineState, timeMs: number): void {
    if (next === state) return;
    if (state === 'notScheduled') unplannedMs += unplannedSince(timeMs);
    state = next;
    since = timeMs;
  }

  /** How much of the running window the current state took up to `timeMs`. */
  function unplannedSince(timeMs: number): number {
    const { window } = clock;
    return window === null || since === null ? 0 : Math.max(0, timeMs - Math.max(since, window.from));
  }

  function setAlarm(name: string, active: boolean): void {
    if (active === activeAlarms.has(name)) return;
    if (active) activeAlarms.add(name);
    else activeAlarms.delete(name);
    shownAlarms = null;
  }

  /** The same array until an alarm comes or goes: the hub compares views field by field. */
  function alarms(): readonly string[] {
    shownAlarms ??= [...activeAlarms].sort().slice(0, maxShownAlarms);
    return shownAlarms;
  }

  /** Meaning of the vocabulary: what a value changes besides being the newest of its metric. */
  function interpret(metric: string, timeMs: number, value: Value, isGood: boolean): void {
    if (metric === metricNames.state) setState(isGood && isMachineState(value) ? value : 'unknown', timeMs);
    else if (metric === metricNames.countGood) {
      if (isGood && value !== null) rate.add(timeMs, good.read(timeMs, Number(value), clock.window));
    } else if (metric === metricNames.countReject) {
      if (isGood && value !== null) reject.read(timeMs, Number(value), clock.window);
    } else if (metric.startsWith(alarmPrefix)) {
      // An alarm whose source went bad stays as it was: silence must not clear it.
      if (isGood) setAlarm(metric.slice(alarmPrefix.length), value === true || value === 1);
    }
  }

  function numberOf(metric: string): number | null {
    const held = current.get(metric);
    return held !== undefined && typeof held.v === 'number' && held.q !== quality.bad ? held.v : null;
  }

  function textOf(metric: string): string | null {
    const value = current.get(metric)?.v ?? null;
    return value === null || value === '' ? null : String(value);
  }

  function countIdeal(): number | null {
    const idealMs = numberOf(metricNames.cycleIdealMs) ?? planned?.idealCycleMs ?? 0;
    const { window, nowMs } = clock;
    if (window === null || !clock.planned || !(idealMs > 0)) return null;
    const open = state === 'notScheduled' ? unplannedSince(nowMs) : 0;
    return Math.floor(Math.max(0, nowMs - window.from - unplannedMs - open) / idealMs);
  }

  function pieces(count: { readonly pieces: number | null }): number | null {
    return clock.window === null ? null : count.pieces;
  }

  return {
    get isMachine() {
      return isMachine;
    },
    get version() {
      return version;
    },
    sample(metric, timeMs, value, qualityCode, options) {
      let held = current.get(metric);
      // "Latest" goes by arrival: a clock that was set back must not freeze the board. Only history goes by time.
      if (options.historical === true && held !== undefined && timeMs <= held.t) return false;
      if (held === undefined) {
        if (current.size >= maxMetrics) return false;
        held = { name: metric, v: null, t: timeMs, unit: null, q: qualityCode };
        current.set(metric, held);
        if (isVocabulary(metric) && !isNode) isMachine = true;
      }
      // Stale means "last known value": the value stays, its quality tells.
      if (qualityCode !== quality.stale)
        held.v =
          typeof value === 'bigint'
            ? String(value)
            : typeof value === 'string'
              ? shownText(value, isNode ? longestText(metric, maxTextLength) : maxTextLength)
              : value;
      held.t = timeMs;
      held.q = qualityCode;
      if (options.unit !== undefined) held.unit = options.unit;
      if (options.historical !== true && !connectionTold) connection = 'online';
      // Samples of one message differ a little; a step back of more means that the edge's clock was set.
      if (lastSample === null || timeMs > lastSample || (options.historical !== true && lastSample - timeMs > clockStepMs))
        lastSample = timeMs;
      if (qualityCode !== quality.stale) interpret(metric, timeMs, value, qualityCode === quality.good);
      version += 1;
      return true;
    },
    connect(next) {
      connectionTold = true;
      connection = next;
      version += 1;
    },
    turnWindow() {
      good.turn(clock.window);
      reject.turn(clock.window);
      unplannedMs = 0;
    },
    view() {
      // Without a connection nothing is known to be produced: the last figure stays instead of falling to zero.
      if (connection === 'online') {
        const exact = rate.perHour(clock.nowMs);
        ratePerHour = exact === null ? null : Math.round(exact * 10) / 10;
      }
      const power = numberOf(metricNames.powerActive);
      return {
        id,
        name: planned?.name.vi ?? textOf(deviceProperties.displayName) ?? id.slice(id.lastIndexOf('/') + 1),
        kind: planned?.kind.vi ?? textOf(deviceProperties.kind) ?? '',
        line: plannedLine ?? textOf(deviceProperties.line) ?? '',
        state,
        reason: textOf(metricNames.stateReason),
        since,
        connection,
        lastSample,
        countGood: pieces(good),
        countReject: pieces(reject),
        countIdeal: countIdeal(),
        ratePerHour,
        // Adding 0 turns -0 into 0, which JSON cannot tell apart.
        powerKw: power === null ? null : Math.round(power * 100) / 100 + 0,
        product: textOf(metricNames.jobProduct),
        alarms: alarms(),
      };
    },
    metrics() {
      return [...current.values()].map((metric) => ({ ...metric })).sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
    },
  };
}

/** A copy when it is cut: a slice would keep the whole text in memory. */
function shownText(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${Buffer.from(text.slice(0, maxLength)).toString()}…`;
}

/** Metrics that make a device a machine of the board. */
function isVocabulary(metric: string): boolean {
  return isReportedUnreduced(metric) || metric === metricNames.cycleIdealMs || metric === metricNames.powerActive;
}
