import type { EdgeHealth, PipelineStats } from '@nhip/core/wire/live';
import type { LinkStatus } from '../feed/link-status.ts';
import type { Format } from '../i18n/format.ts';
import { type Language, translate } from '../i18n/translate.ts';
import { translatePath } from './path-words.ts';
import type { Station } from './stations.ts';

export interface StationFacts {
  readonly stats: PipelineStats | null;
  readonly edges: readonly EdgeHealth[] | null;
  readonly link: LinkStatus;
  readonly nowMs: number;
  readonly storedPerSecond: number | null;
  /** The name that people use for a machine. */
  nameOf(machine: string): string;
}

export interface StationText {
  /** Depth and age. */
  readonly lines: readonly string[];
  /** What to do; null when nothing is to be done. */
  readonly help: string | null;
}

const mostNames = 3;
const quiet: StationText = { lines: [], help: null };

/** What a station says of itself, in plain words. */
export function stationText(station: Station, facts: StationFacts, language: Language, format: Format): StationText {
  const { stats, edges, link, nowMs, storedPerSecond } = facts;
  const age = station.sinceMs === null ? null : format.length(nowMs - station.sinceMs);
  const n = format.int(station.waiting ?? 0);
  switch (station.name) {
    case 'machines': {
      if (edges === null) return quiet;
      const devices = edges.flatMap((edge) => edge.devices.map(({ connection }) => edge.online && connection === 'online'));
      const line = translatePath(language, 'path.machines', { n: devices.filter(Boolean).length, all: devices.length });
      const names = shortList(station.broken.map(facts.nameOf));
      if (names === '') return { lines: [line], help: null };
      const waiting = undecided(edges, station.broken);
      const help =
        waiting === 0
          ? translatePath(language, 'path.machines.broken', { names })
          : translatePath(language, 'path.machines.undecided', { names, n: format.int(waiting) });
      return { lines: [line], help };
    }
    case 'edges': {
      if (edges === null) return quiet;
      const waiting =
        age === null ? translatePath(language, 'path.waiting', { n }) : translatePath(language, 'path.waitingSince', { n, age });
      const names = shortList(station.broken);
      const lines = station.waiting === null ? [] : [waiting];
      return { lines, help: names === '' ? null : translatePath(language, 'path.edges.broken', { names }) };
    }
    case 'log': {
      if (stats === null) return quiet;
      const isFull = station.state === 'trouble';
      const waiting =
        age === null || isFull ? translatePath(language, 'path.log', { n }) : translatePath(language, 'path.logSince', { n, age });
      const size = translatePath(language, 'path.log.size', {
        used: format.bytes(stats.logBytes),
        quota: format.bytes(stats.logQuotaBytes),
      });
      return { lines: [waiting, size], help: isFull ? translatePath(language, 'path.log.full', { age: age ?? '' }) : null };
    }
    case 'store': {
      if (stats === null) return quiet;
      if (age !== null) return { lines: [], help: translatePath(language, 'path.store.down', { age }) };
      const line =
        storedPerSecond === null
          ? translatePath(language, 'path.store.up')
          : translatePath(language, 'path.store', { n: format.int(Math.round(storedPerSecond)) });
      return { lines: [line], help: null };
    }
    case 'board':
      return { lines: [link === 'live' ? translatePath(language, 'path.board.fine') : translate(language, `feed.${link}`)], help: null };
  }
}

/** Server certificates that wait for a decision at the edge agents of these machines. */
function undecided(edges: readonly EdgeHealth[], machines: readonly string[]): number {
  const theirs = edges.filter(({ devices }) => devices.some(({ id }) => machines.includes(id)));
  return theirs.reduce((sum, { certificatesWaiting }) => sum + (certificatesWaiting ?? 0), 0);
}

/** "A, B, C, +4" */
export function shortList(names: readonly string[]): string {
  const rest = names.length - mostNames;
  return [...names.slice(0, mostNames), ...(rest > 0 ? [`+${rest}`] : [])].join(', ');
}
