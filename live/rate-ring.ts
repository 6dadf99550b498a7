const binMs = 15_000;
const binCount = 60;
const minSpanMs = 60_000;
const hourMs = 3_600_000;

/** Pieces per hour over the last 15 minutes, in bins of 15 s. */
export interface RateRing {
  /** A counter was read at `timeMs` and gained `pieces` since the reading before. */
  add(timeMs: number, pieces: number): void;
  /** null until a minute was observed. While less than 15 minutes were observed, the rate is that of the observed time. */
  perHour(nowMs: number): number | null;
}

export function createRateRing(): RateRing {
  const pieces = new Float64Array(binCount);
  const slots = new Float64Array(binCount).fill(-1);
  let firstMs: number | null = null;
  return {
    add(timeMs, gained) {
      if (firstMs === null || timeMs < firstMs) firstMs = timeMs;
      const slot = Math.floor(timeMs / binMs);
      const bin = slot % binCount;
      const held = slots[bin] ?? -1;
      if (held > slot) return;
      if (held < slot) {
        slots[bin] = slot;
        pieces[bin] = 0;
      }
      pieces[bin] = (pieces[bin] ?? 0) + gained;
    },
    perHour(nowMs) {
      if (firstMs === null || nowMs - firstMs < minSpanMs) return null;
      const newest = Math.floor(nowMs / binMs);
      let sum = 0;
      for (let bin = 0; bin < binCount; bin++) {
        const slot = slots[bin] ?? -1;
        if (slot > newest - binCount && slot <= newest) sum += pieces[bin] ?? 0;
      }
      // The newest bin is still filling, so the bins cover a little less than 15 minutes.
      const covered = nowMs - (newest - binCount + 1) * binMs;
      return (sum * hourMs) / Math.min(covered, nowMs - firstMs);
    },
  };
}
