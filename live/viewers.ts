import type { LiveFrame } from '@nhip/core/wire/live';

/** One way to viewers (Socket.io, SSE). Nothing in it may wait for a viewer. */
export interface Outlet {
  /** Sends the frame of a tick to everybody who keeps up; null on a tick without one. Called once per tick. */
  tick(frame: LiveFrame | null, nowMs: number): void;
  stats(): OutletStats;
}

export interface OutletStats {
  readonly viewers: number;
  /** Viewers that do not keep up and get snapshots instead of every frame. */
  readonly slow: number;
  readonly framesSent: number;
  readonly snapshotsSent: number;
  /** Connections closed because the viewer took nothing for too long. */
  readonly dropped: number;
}

/** Counts viewers over all outlets against one bound. */
export interface ViewerSlots {
  readonly isFull: boolean;
  take(): void;
  release(): void;
}

export function createViewerSlots(max: number): ViewerSlots {
  let taken = 0;
  return {
    get isFull() {
      return taken >= max;
    },
    take() {
      taken += 1;
    },
    release() {
      taken -= 1;
    },
  };
}

/**
 * A viewer that took nothing for this long is cut off; it comes back by itself and gets a snapshot. Above a minute, because
 * browsers wake a hidden tab only once a minute.
 */
export const dropAfterMs = 90_000;
/** Snapshots for a viewer that does not keep up come at most this often. */
export const slowSnapshotMs = 2000;
/** How often open connections are asked whether their login still holds. */
export const recheckMs = 5000;
