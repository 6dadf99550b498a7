import type { Log } from '@nhip/core/process/log';
import { decodeHostState } from '@nhip/core/wire/sparkplug/host-state';

/** The primary host has gone: the session ends and the next server is tried. */
export class HostOfflineError extends Error {}

/**
 * The primary host as one connection sees it (Sparkplug 3.0 §5.4, §5.5). Each connection starts without a memory: what a broker
 * retains is the latest word, also of a host whose clock was set back, and each server has times of its own.
 */
export interface PrimaryHost {
  /** A message of `spBv1.0/STATE/<primary host>`. Never throws. */
  take(payload: Uint8Array): void;
  /** Resolves at the first valid "online". */
  readonly online: Promise<void>;
}

/** `onOffline` is called for each valid "offline"; `wasOnline` when the host was online on this connection before. */
export function followPrimaryHost(hostId: string, log: Log, onOffline: (wasOnline: boolean) => void): PrimaryHost {
  let latestMs = Number.NEGATIVE_INFINITY;
  let wasOnline = false;
  let isRefusedSaid = false;
  let setOnline: () => void = () => undefined;
  const online = new Promise<void>((resolve) => {
    setOnline = resolve;
  });
  return {
    online,
    take(payload) {
      try {
        const { isOnline, timestampMs } = decodeHostState(payload);
        // A will of an earlier session of the host can come after its next birth.
        if (timestampMs < latestMs) return;
        latestMs = timestampMs;
        if (!isOnline) {
          onOffline(wasOnline);
          return;
        }
        wasOnline = true;
        setOnline();
      } catch (error) {
        if (!isRefusedSaid) log.warn({ err: error, hostId }, 'The STATE of the primary host cannot be used, waiting for one that can');
        isRefusedSaid = true;
      }
    },
  };
}
