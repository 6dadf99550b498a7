import { alarmPrefix, metricNames } from '@nhip/core/wire/vocabulary';
import { placeholder } from './placeholder.ts';

/**
 * InfluxQL over what stores/influxdb writes: `samples` (tags machine, metric; v number, s text, q a quality that is not good) and
 * `kept.losses`. Only what 1.x, 2.x and 3 have in common: no SLIMIT, no cardinality, no INTO, no regular expression on a field, every
 * statement bounded in time. Counters are cumulative and may reset: differences below zero are left out, never added up.
 */

/** The machines chosen in the dashboard; `regex` escapes what their names hold, and joins several. */
const ofMachines = `machine =~ /^${placeholder('machine', 'regex')}$/`;
const inTime = '$timeFilter';

/**
 * A state holds until the next one or until the connection is lost: ingest writes `Connection` when that happens, so the last of both is
 * the state, and time without data never counts as the state before it. Nor does time to come: a range may end in the future ("today"), and
 * InfluxDB would fill up to there.
 */
const isState = `(metric = '${metricNames.state}' OR metric = '${metricNames.connection}')`;
const statePerMinute = perMinute(isState);

function perMinute(condition: string): string {
  return `SELECT last(s) AS s FROM samples WHERE ${condition} AND ${ofMachines} AND ${inTime} AND time <= now() GROUP BY time(1m), machine fill(previous)`;
}

/**
 * One interval, from 1970 on, for what is summed up over minutes. The first minute of a range begins before the range as a rule; InfluxDB
 * gives no sum at all when the first row is before the range, but takes every row of an interval.
 */
const wholeRange = 'time(36500d), ';

export const plannedStates = ['running', 'setup', 'idle', 'fault', 'maintenance', 'stopped'] as const;

/** What each machine does, for a state timeline. */
export const states = `SELECT last(s) AS state FROM samples WHERE ${isState} AND ${ofMachines} AND ${inTime} GROUP BY time($__interval), machine fill(none)`;

/** How the machines are reached, for a state timeline. */
export const connections = `SELECT last(s) AS connection FROM samples WHERE metric = '${metricNames.connection}' AND ${ofMachines} AND ${inTime} GROUP BY time($__interval), machine fill(none)`;

/** How many machines are in one of the states at the end of the range. */
export function machinesIn(...wanted: readonly string[]): string {
  const now = `SELECT last(s) AS s FROM samples WHERE ${isState} AND ${ofMachines} AND ${inTime} GROUP BY machine`;
  return `SELECT count(s) AS machines FROM (${now}) WHERE ${isOneOf(wanted)} AND ${inTime}`;
}

/**
 * How many machines are not reached at the end of the range. Changes of `Connection` are rare: looks a week back from there, with both
 * bounds, because a subquery never looks further than what reads it.
 */
export const outOfReach = ((): string => {
  const end = `${placeholder('__to')}ms`;
  const inWeek = `time >= ${end} - 7d AND time <= ${end}`;
  const now = `SELECT last(s) AS s FROM samples WHERE metric = '${metricNames.connection}' AND ${ofMachines} AND ${inWeek} GROUP BY machine`;
  return `SELECT count(s) AS machines FROM (${now}) WHERE ${isOneOf(['agentOffline', 'plcUnreachable'])} AND ${inWeek}`;
})();

function isOneOf(wanted: readonly string[]): string {
  return `(${wanted.map((state) => `s = '${state}'`).join(' OR ')})`;
}

/**
 * Minutes in states by machine, sampled at every full minute. As a float: when a statement reads several subqueries, InfluxDB 1.x takes
 * whole numbers of the first one only.
 */
function minutesIn(as: string, wanted: readonly string[], every: string): string {
  return `SELECT count(s) * 1.0 AS ${as} FROM (${statePerMinute}) WHERE ${isOneOf(wanted)} AND ${inTime} GROUP BY ${every}machine fill(none)`;
}

/** Minutes in each state by machine: a column per state. */
export const minutesByState = ((): string => {
  const names = [...plannedStates, 'notScheduled', 'plcUnreachable', 'agentOffline'] as const;
  const sums = names.map((name) => `sum(${name}) AS ${name}`).join(', ');
  return `SELECT ${sums} FROM ${names.map((name) => `(${minutesIn(name, [name], wholeRange)})`).join(', ')} WHERE ${inTime} GROUP BY ${wholeRange}machine fill(none)`;
})();

/** What a counter counted, by minute. */
function counted(metric: string, as: string): string {
  return `SELECT non_negative_difference(last(v)) AS ${as} FROM samples WHERE metric = '${metric}' AND ${ofMachines} AND ${inTime} GROUP BY time(1m), machine fill(none)`;
}

/** What a counter counted, summed up by `groupBy`: tags, `time(1h)`, or both. */
export function countedBy(metric: string, as: string, groupBy: string): string {
  const end = groupBy === '' ? '' : ` GROUP BY ${groupBy}${groupBy.includes('time(') ? ' fill(none)' : ''}`;
  return `SELECT sum(d) AS ${as} FROM (${counted(metric, 'd')}) WHERE ${inTime}${end}`;
}

const oeeFigures = {
  availability: 'run / planned',
  performance: '(good + reject) * ideal / (run * 60000)',
  quality: 'good / (good + reject)',
  oee: 'good * ideal / (planned * 60000)',
} as const;

/** What OEE is made of, by machine and `every` (e.g. `time(1h), `). */
function oeeParts(every: string): string {
  const ideal = `SELECT mean(v) AS ideal FROM samples WHERE metric = '${metricNames.cycleIdealMs}' AND ${ofMachines} AND ${inTime} GROUP BY ${every}machine fill(none)`;
  const parts = [
    minutesIn('run', ['running'], every),
    minutesIn('planned', plannedStates, every),
    counted(metricNames.countGood, 'good'),
    counted(metricNames.countReject, 'reject'),
    ideal,
  ];
  const sums = 'sum(run) AS run, sum(planned) AS planned, sum(good) AS good, sum(reject) AS reject, mean(ideal) AS ideal';
  return `SELECT ${sums} FROM ${parts.map((part) => `(${part})`).join(', ')} WHERE ${inTime} GROUP BY ${every}machine fill(none)`;
}

/**
 * Availability, performance, quality and OEE (ISO 22400-2 in their simple form) as parts of 1, by machine: running ÷ planned minutes;
 * pieces × ideal cycle ÷ running time; good ÷ all pieces; their product. Planned is what is not "not scheduled" and not without data.
 */
export const oee = ((): string => {
  const figures = Object.entries(oeeFigures).map(([name, formula]) => `${formula} AS ${name}`);
  return `SELECT ${figures.join(', ')}, good, reject FROM (${oeeParts(wholeRange)}) WHERE ${inTime} GROUP BY machine`;
})();

export function oeePart(name: keyof typeof oeeFigures, every: 'time(36500d), ' | 'time(1h), ' = wholeRange): string {
  return `SELECT ${oeeFigures[name]} AS ${name} FROM (${oeeParts(every)}) WHERE ${inTime} GROUP BY machine`;
}

/** The reason of every minute that has one, or that the machine was not reached: a table counts them. */
export const reasonMinutes = `SELECT s AS reason FROM (${perMinute(`(metric = '${metricNames.stateReason}' OR metric = '${metricNames.connection}')`)}) WHERE s != '' AND s != 'online' AND ${inTime} GROUP BY machine`;

/** The last text of a metric, e.g. the product. */
export function lastText(metric: string): string {
  return `SELECT last(s) AS text FROM samples WHERE metric = '${metric}' AND ${ofMachines} AND ${inTime}`;
}

/** Process values of the chosen metrics. */
export const trends = `SELECT mean(v) AS value FROM samples WHERE ${ofMachines} AND metric =~ /^${placeholder('metric', 'regex')}$/ AND ${inTime} GROUP BY time($__interval), metric fill(none)`;

const isAlarm = `metric =~ /^${alarmPrefix.replace('/', '\\/')}/`;
const alarmChanges = `SELECT difference(v) AS d FROM samples WHERE ${isAlarm} AND ${ofMachines} AND ${inTime} GROUP BY machine, metric`;

/** Alarms that came, by `groupBy`. One that was there before the range is not counted. */
export function alarmsBy(groupBy: string): string {
  const end = groupBy.includes('time(') ? ' fill(none)' : '';
  return `SELECT count(d) AS alarms FROM (${alarmChanges}) WHERE d = 1 AND ${inTime} GROUP BY ${groupBy}${end}`;
}

/** When alarms came (1) and went (-1). */
export const alarmEvents = `SELECT d AS change FROM (${alarmChanges}) WHERE d != 0 AND ${inTime} GROUP BY machine, metric`;

const alarmsNow = `SELECT last(v) AS active FROM samples WHERE ${isAlarm} AND ${ofMachines} AND ${inTime} GROUP BY machine, metric`;
export const activeAlarms = `SELECT active FROM (${alarmsNow}) WHERE active = 1 AND ${inTime} GROUP BY machine, metric`;
export const activeAlarmCount = `SELECT count(active) AS alarms FROM (${alarmsNow}) WHERE active = 1 AND ${inTime}`;
/** 0 or 1 of every alarm, for a state timeline. */
export const alarmStates = `SELECT last(v) AS active FROM samples WHERE ${isAlarm} AND ${ofMachines} AND ${inTime} GROUP BY time($__interval), machine, metric fill(none)`;

export const power = `SELECT mean(v) AS power FROM samples WHERE metric = '${metricNames.powerActive}' AND ${ofMachines} AND ${inTime} GROUP BY time($__interval), machine fill(none)`;
export const powerPeak = `SELECT max(v) AS peak FROM samples WHERE metric = '${metricNames.powerActive}' AND ${ofMachines} AND ${inTime} GROUP BY machine`;

/** Energy for each good piece, by machine. */
export const energyPerPiece = ((): string => {
  const parts = `(${counted(metricNames.energyImport, 'kwh')}), (${counted(metricNames.countGood, 'good')})`;
  const inner = `SELECT sum(kwh) AS kwh, sum(good) AS good FROM ${parts} WHERE ${inTime} GROUP BY machine`;
  return `SELECT kwh / good AS kwh_per_piece FROM (${inner}) WHERE good > 0 AND ${inTime} GROUP BY machine`;
})();

/** Samples stored in each interval: numbers, texts, large integers and "no value" have a field each. */
export const samplesStored = `SELECT count(v) AS numbers, count(s) AS texts, count(i) AS integers, count(n) AS empty FROM samples WHERE ${ofMachines} AND ${inTime} GROUP BY time($__interval) fill(none)`;
export const samplesByMachine = `SELECT count(v) AS samples FROM samples WHERE ${ofMachines} AND ${inTime} GROUP BY time($__interval), machine fill(none)`;

/**
 * Part of 1 of the samples whose quality is not good. A bad one often has no value: samples are what has any of the fields that say one.
 */
function badPart(of: string, tags: string, condition: string): string {
  const counts = `SELECT count(q) AS bad, count(v) + count(s) + count(i) + count(n) AS samples FROM samples WHERE ${of}${inTime} GROUP BY ${tags} fill(0)`;
  return `SELECT bad / samples AS bad FROM (${counts}) WHERE ${condition}${inTime} GROUP BY ${tags}`;
}

/** By machine and metric; those without any are left out. */
export const badQuality = badPart(`${ofMachines} AND `, 'machine, metric', 'bad > 0 AND ');

/** When each machine was last heard of: the time is what matters. */
export const lastHeard = `SELECT last(v) AS value FROM samples WHERE ${ofMachines} AND ${inTime} GROUP BY machine`;

/** A figure that edge agents tell of themselves, by edge. */
export function edgeFigure(metric: string, every = 'time($__interval), '): string {
  return `SELECT last(v) AS value FROM samples WHERE metric = '${metric}' AND ${inTime} GROUP BY ${every}machine fill(none)`;
}

export function edgeRate(metric: string): string {
  return `SELECT non_negative_derivative(last(v), 1s) AS value FROM samples WHERE metric = '${metric}' AND ${inTime} GROUP BY time($__interval), machine fill(none)`;
}

/** Samples that never reached the store, without those that are kept as dead letters. */
const isLost = `reason != 'deadLettered'`;
export const lossesByReason = `SELECT sum(samples) AS samples FROM kept.losses WHERE ${inTime} GROUP BY edge, reason`;
export const lostTotal = `SELECT sum(samples) AS samples FROM kept.losses WHERE ${isLost} AND ${inTime}`;
export const deadLettersTotal = `SELECT sum(samples) AS samples FROM kept.losses WHERE reason = 'deadLettered' AND ${inTime}`;
export const lossesByHour = `SELECT sum(samples) AS samples FROM kept.losses WHERE ${inTime} GROUP BY time(1h), reason fill(none)`;
export const lossList = `SELECT edge, machine, metric, reason, samples, detail FROM kept.losses WHERE ${inTime} ORDER BY time DESC LIMIT 200`;

/** For alert rules: over all machines. */
export const alerts = {
  /** Connection changes are rare: look far back. */
  offlineMachines: `SELECT count(s) AS machines FROM (SELECT last(s) AS s FROM samples WHERE metric = '${metricNames.connection}' AND ${inTime} GROUP BY machine) WHERE s = 'agentOffline' AND ${inTime} GROUP BY machine`,
  samples: `SELECT count(v) AS samples FROM samples WHERE ${inTime}`,
  /** Over two buckets, because the last one has only begun. */
  samplesPerMachine: `SELECT moving_average(count(v), 2) AS samples FROM samples WHERE ${inTime} GROUP BY time(10m), machine fill(0)`,
  faultMinutes: `SELECT count(s) AS minutes FROM (SELECT last(s) AS s FROM samples WHERE ${isState} AND ${inTime} GROUP BY time(1m), machine fill(previous)) WHERE s = 'fault' AND ${inTime} GROUP BY ${wholeRange}machine fill(none)`,
  lost: `SELECT sum(samples) AS samples FROM kept.losses WHERE ${isLost} AND ${inTime} GROUP BY edge, reason`,
  deadLetters: `SELECT sum(samples) AS samples FROM kept.losses WHERE reason = 'deadLettered' AND ${inTime} GROUP BY edge`,
  outbox: `SELECT last(v) AS records FROM samples WHERE metric = 'Outbox/PendingRecords' AND ${inTime} GROUP BY machine`,
  badQuality: badPart('', 'machine', ''),
} as const;
