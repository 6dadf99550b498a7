/**
 * The metric vocabulary: names of device metrics with a meaning that every part of Nhịp knows.
 * Any other metric is a free process value whose unit is the Sparkplug property `engUnit`.
 */

/** Machine states, in the order in which a legend lists them (PackML and ISO 22400-2 mapped to eight words). */
export const machineStates = ['running', 'setup', 'idle', 'fault', 'maintenance', 'stopped', 'notScheduled', 'unknown'] as const;
export type MachineState = (typeof machineStates)[number];

export function isMachineState(text: unknown): text is MachineState {
  return typeof text === 'string' && (machineStates as readonly string[]).includes(text);
}

/** Names of the metrics with a fixed meaning. Counters are cumulative and may reset; readers must tolerate it. */
export const metricNames = {
  state: 'State',
  stateReason: 'State/Reason',
  mode: 'Mode',
  countGood: 'Count/Good',
  countReject: 'Count/Reject',
  countTotal: 'Count/Total',
  cycleIdealMs: 'Cycle/IdealMs',
  jobProduct: 'Job/Product',
  jobLot: 'Job/Lot',
  /** kW */
  powerActive: 'Power/Active',
  /** kWh, cumulative */
  energyImport: 'Energy/Import',
  /** Written by ingest when a session starts or ends: one of `connections`. */
  connection: 'Connection',
} as const;

/** Counters of pieces: `Count/<name>`. */
export const countPrefix = 'Count/';

/** Metrics that only grow, until they are reset. */
export function isCounter(metric: string): boolean {
  return metric.startsWith(countPrefix) || metric === metricNames.energyImport;
}

/** Metrics whose text is one of a few words that hold until the next. */
export const heldMetrics = [metricNames.state, metricNames.mode, metricNames.connection] as const;

/** Boolean metrics below this prefix are alarms: `Alarm/<name>`. */
export const alarmPrefix = 'Alarm/';

/** How a device is reached, as Sparkplug births and deaths tell it. */
export const connections = ['online', 'plcUnreachable', 'agentOffline'] as const;
export type Connection = (typeof connections)[number];

/** Metrics that are never thinned out: every change of a state, counter, job or alarm is reported. */
export function isReportedUnreduced(metric: string): boolean {
  return (
    metric === metricNames.state ||
    metric.startsWith('State/') ||
    metric === metricNames.mode ||
    isCounter(metric) ||
    metric.startsWith('Job/') ||
    metric.startsWith(alarmPrefix)
  );
}

/** Names of birth properties that describe a device (string metrics of the DBIRTH). */
export const deviceProperties = {
  displayName: 'Properties/DisplayName',
  kind: 'Properties/Kind',
  line: 'Properties/Line',
  /** Device profile with its version, e.g. `eastron-sdm630@1`. */
  profile: 'Properties/Profile',
} as const;
