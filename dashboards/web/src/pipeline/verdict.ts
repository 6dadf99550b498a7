import type { EdgeHealth } from '@nhip/core/wire/live';
import type { Loss } from '@nhip/core/wire/loss';
import type { Format } from '../i18n/format.ts';
import { type Language, translate } from '../i18n/translate.ts';
import { translatePath } from './path-words.ts';
import type { Station, StationState } from './stations.ts';

export interface Verdict {
  /** `missing`: all works now, but something of the last 24 hours is not there. */
  readonly state: StationState | 'missing';
  /** The whole data path in one sentence, the worst first. */
  readonly sentence: string;
}

/** Samples of the last 24 hours that are missing, over all edges; null until every edge is counted. */
export function missing24h(edges: readonly EdgeHealth[] | null): { readonly lost: number; readonly deadLettered: number } | null {
  const figures = edges?.map(({ delivery24h }) => delivery24h) ?? [null];
  let [lost, deadLettered] = [0, 0];
  for (const figure of figures) {
    if (figure === null) return null;
    lost += figure.lost;
    deadLettered += figure.deadLettered;
  }
  return { lost, deadLettered };
}

const dayMs = 86_400_000;

/** Whether something of the last 24 hours may be lost without anybody knowing how much, e.g. an agent that was cut off. */
export function mayMiss24h(edges: readonly EdgeHealth[] | null, losses: readonly Loss[] | null, nowMs: number): boolean {
  const found = [...(edges ?? []).flatMap(({ lastLoss }) => lastLoss ?? []), ...(losses ?? [])];
  return found.some(({ samples, atMs }) => samples === 0 && atMs > nowMs - dayMs);
}

export interface Known {
  readonly stations: readonly Station[];
  /** [] when there are none yet, null when they are not known yet. */
  readonly edges: readonly EdgeHealth[] | null;
  /** Rows of the last days; null where they are not asked for. */
  readonly losses: readonly Loss[] | null;
  readonly nowMs: number;
}

/** What to say first; when something is wrong now, then what it cost so far, as far as that is known. */
export function verdictOf(known: Known, language: Language, format: Format): Verdict {
  const now = wrongNow(known, language, format);
  if (now === null) return ofThePast(known, language, format);
  const missing = missing24h(known.edges);
  if (missing === null || now.state === 'unknown') return now;
  if (missing.lost > 0) {
    return { ...now, sentence: `${now.sentence} ${translatePath(language, 'path.verdict.alsoLost', { n: format.int(missing.lost) })}` };
  }
  if (mayMiss24h(known.edges, known.losses, known.nowMs)) return now;
  return { ...now, sentence: `${now.sentence} ${translatePath(language, 'path.verdict.noneLost')}` };
}

function wrongNow({ stations, edges, nowMs }: Known, language: Language, format: Format): Verdict | null {
  const at = (name: Station['name']) => stations.find((station) => station.name === name);
  const [machines, outboxes, log, store] = [at('machines'), at('edges'), at('log'), at('store')];
  const age = (station: Station): string => format.length(nowMs - (station.sinceMs ?? nowMs));
  if (log?.state === 'trouble') return { state: 'trouble', sentence: translatePath(language, 'path.verdict.logFull', { age: age(log) }) };
  if (store?.state === 'trouble') {
    return { state: 'trouble', sentence: translatePath(language, 'path.verdict.storeDown', { age: age(store) }) };
  }
  if (outboxes !== undefined && outboxes.broken.length > 0) {
    return { state: outboxes.state, sentence: translatePath(language, 'path.verdict.edgesAway', { n: outboxes.broken.length }) };
  }
  if (machines?.state === 'trouble') {
    return { state: 'trouble', sentence: translatePath(language, 'path.verdict.machines', { n: machines.broken.length }) };
  }
  if (outboxes?.state === 'waiting' || log?.state === 'waiting') {
    return { state: 'waiting', sentence: translatePath(language, 'path.verdict.waiting') };
  }
  if (edges === null || log?.state === 'unknown') return { state: 'unknown', sentence: translate(language, 'page.loading') };
  return null;
}

function ofThePast({ edges, losses, nowMs }: Known, language: Language, format: Format): Verdict {
  const missing = missing24h(edges);
  if (missing === null) return { state: 'fine', sentence: translatePath(language, 'path.verdict.counting') };
  if (missing.lost > 0) {
    return { state: 'missing', sentence: translatePath(language, 'path.verdict.lost', { n: format.int(missing.lost) }) };
  }
  if (mayMiss24h(edges, losses, nowMs)) return { state: 'missing', sentence: translatePath(language, 'path.verdict.uncounted') };
  if (missing.deadLettered > 0) {
    return { state: 'missing', sentence: translatePath(language, 'path.verdict.deadLettered', { n: format.int(missing.deadLettered) }) };
  }
  return { state: 'fine', sentence: translatePath(language, 'path.verdict.fine') };
}
