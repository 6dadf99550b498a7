import type { Clock } from '@nhip/core/process/env';
import type { SessionLink } from '../session/session-link.ts';

/**
 * What a host that acknowledges nothing has been sent lately (strict Sparkplug: DATA at QoS 0). A record stays in the outbox until it
 * is `holdMs` old (1.5 times the keep-alive) and a ping tells that the session still lives: a connection that was dead when it was
 * sent would have been found out. When the session ends before, nothing is forgotten: the next one sends it again, as historical.
 */
export interface RollingHistory {
  /** The broker has the record, as far as a ping tells. */
  sent(index: number): void;
  /** Releases what is old enough, until the session ends. */
  run(): Promise<void>;
}

export function createRollingHistory(
  holdMs: number,
  link: SessionLink,
  deps: { readonly clock: Clock; release(index: number): void },
): RollingHistory {
  const { clock } = deps;
  const lookMs = Math.max(10, Math.min(1000, holdMs / 8));
  const isAlive = (): Promise<boolean> =>
    link.alive().then(
      () => true,
      () => false,
    );
  let held: { readonly index: number; readonly atMs: number }[] = [];
  return {
    sent(index) {
      if (!link.signal.aborted) held.push({ index, atMs: clock.monotonic() });
    },
    async run() {
      while (!link.signal.aborted) {
        await clock.sleep(lookMs, link.signal).catch(() => undefined);
        if (link.signal.aborted) return;
        const oldMs = clock.monotonic() - holdMs;
        if (held[0] === undefined || held[0].atMs > oldMs || !(await isAlive())) continue;
        const young = held.findIndex(({ atMs }) => atMs > oldMs);
        const released = young < 0 ? held : held.slice(0, young);
        held = young < 0 ? [] : held.slice(young);
        for (const { index } of released) deps.release(index);
      }
    },
  };
}
