import type { DowntimeStop } from '@nhip/core/kpi/answers';
import type { Correction } from '@nhip/core/kpi/corrections';
import { downtimeReasons, unexplained } from '@nhip/core/kpi/reasons';
import type { Span } from '@nhip/core/kpi/span';
import { listStops, type Stop } from '@nhip/core/kpi/stops';
import type { MachineTimeline } from '@nhip/core/kpi/time-model';
import type { MachineReader, ReadMachine } from './machine-history.ts';
import type { PlantTime } from './plant-time.ts';

/** Stops of machines as they are, each as a whole. */
export interface StopReader {
  /** By machine, those that overlap the span. With `isSilent` also planned time without data, as stops in state unknown. */
  read(machines: readonly string[], span: Span, nowMs: number, isSilent?: boolean): Promise<readonly FoundStop[]>;
  view(stop: FoundStop): DowntimeStop;
}

export interface FoundStop extends Stop {
  /** What was read around it. */
  readonly timeline: MachineTimeline;
  readonly allCorrections: readonly Correction[];
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** How far beyond the span the ends of a stop are looked for. */
const reachMs = [0, 4 * hourMs, 2 * dayMs, 14 * dayMs];

export function createStopReader(reader: MachineReader, time: PlantTime): StopReader {
  const kinds = new Map(downtimeReasons.map(({ code, kind }) => [code, kind]));

  function stopsOf(machine: string, { timeline, corrections }: ReadMachine, span: Span, isSilent: boolean): readonly FoundStop[] {
    const stops = listStops(machine, timeline, span, time.rules.reasons, corrections);
    const silent = isSilent ? silences(machine, timeline, span) : [];
    return [...stops, ...silent].map((stop) => ({ ...stop, timeline, allCorrections: corrections }));
  }

  return {
    async read(machines, span, nowMs, isSilent = false) {
      const to = Math.min(span.to, nowMs);
      if (span.from >= to) return [];
      const found: FoundStop[] = [];
      let missing = machines;
      for (const [i, reach] of reachMs.entries()) {
        if (missing.length === 0) break;
        const wide = { from: span.from - reach, to: Math.min(nowMs, to + reach) };
        const read = await reader.timelines(missing, wide, nowMs);
        const isLast = i === reachMs.length - 1;
        const cut: string[] = [];
        for (const machine of missing) {
          const machineRead = read.get(machine);
          if (machineRead === undefined) continue;
          const stops = stopsOf(machine, machineRead, { from: span.from, to }, isSilent);
          const isCut = stops.some(({ beginsBefore, endsAfter }) => beginsBefore || (endsAfter && machineRead.timeline.to < nowMs));
          if (isCut && !isLast) cut.push(machine);
          else found.push(...stops);
        }
        missing = cut;
      }
      return found;
    },
    view({ id, machine, from, to, state, reason, code, bucket, isMicroStop, isUnexplained, endsAfter, corrections }) {
      const kind = kinds.get(code) ?? 'unplanned';
      const end = endsAfter ? null : to;
      return { id, machine, from, to: end, state, reason, reasonCode: code, kind, bucket, isMicroStop, isUnexplained, corrections };
    },
  };
}

/** Planned time without data that nobody explained. */
function silences(machine: string, timeline: MachineTimeline, span: Span): readonly Stop[] {
  const found: Stop[] = [];
  for (const { from, to, bucket, stop } of timeline.pieces) {
    if (bucket !== 'unknownPlanned' || stop !== null || to <= span.from || from >= span.to) continue;
    found.push({
      ...{ id: `${machine}@${from}`, from, to, machine, state: 'unknown', reason: null, code: unexplained, bucket, isMicroStop: false },
      ...{ isUnexplained: false, beginsBefore: from === timeline.from, endsAfter: to === timeline.to, corrections: [] },
    });
  }
  return found;
}
