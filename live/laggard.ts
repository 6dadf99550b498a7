import { dropAfterMs } from './viewers.ts';

/** Frames or time that a viewer may be behind before it counts as slow. */
const maxUnackedFrames = 30;
const maxUnackedMs = 3000;

/**
 * Whether a viewer keeps up, by what it acknowledges. Acknowledgements are compared with what was sent, so a quiet plant
 * makes nobody slow. A slow viewer keeps up again as soon as it acknowledges a snapshot.
 */
export interface Laggard {
  /** `seq` is the newest frame. `drop`: it acknowledged nothing for too long. */
  judge(seq: number, nowMs: number): 'keepsUp' | 'slow' | 'drop';
  /** The viewer applied everything up to `ackedSeq`; `seq` is the newest frame. */
  acked(ackedSeq: number, seq: number, nowMs: number): void;
  snapshotSent(): void;
  /** A snapshot is on its way: no other is sent before it is acknowledged. */
  readonly isAwaited: boolean;
  readonly isSlow: boolean;
}

export function createLaggard(nowMs: number): Laggard {
  let isSlow = false;
  let isAwaited = false;
  let lastAcked = -1;
  /** Since when there are frames that the viewer has not acknowledged; null when there are none. */
  let behindMs: number | null = nowMs;

  return {
    judge(seq, atMs) {
      if (lastAcked >= seq) return 'keepsUp';
      behindMs = Math.min(behindMs ?? atMs, atMs);
      const waitedMs = atMs - behindMs;
      if (waitedMs > dropAfterMs) return 'drop';
      if (waitedMs > maxUnackedMs || (lastAcked >= 0 && seq - lastAcked > maxUnackedFrames)) isSlow = true;
      return isSlow ? 'slow' : 'keepsUp';
    },
    acked(ackedSeq, seq, atMs) {
      if (ackedSeq > seq || ackedSeq <= lastAcked) {
        // A slow viewer whose snapshot brought nothing new is still alive.
        if (ackedSeq === lastAcked) isAwaited = false;
        return;
      }
      lastAcked = ackedSeq;
      behindMs = ackedSeq >= seq ? null : atMs;
      isAwaited = false;
      isSlow = seq - ackedSeq > maxUnackedFrames;
    },
    snapshotSent() {
      isAwaited = true;
    },
    get isAwaited() {
      return isAwaited;
    },
    get isSlow() {
      return isSlow;
    },
  };
}
