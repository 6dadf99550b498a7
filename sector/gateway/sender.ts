import type { KeyObject } from 'node:crypto';
import type { Env, Timer } from '@nhip/core/process/env';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { Adapter, Parcel } from './adapters/adapter.ts';
import { changeItem } from './outbox/change-item.ts';
import { moved, type OutboxItem } from './outbox/item.ts';
import { retryDelayMs } from './outbox/retry.ts';
import { createReceipts, type ReceiptsDeps, type ReceiptTrouble } from './receipts.ts';
import { createRefusals } from './refusals.ts';

export interface SenderDeps extends ReceiptsDeps {
  readonly env: Env;
  readonly adapter: Adapter;
  /** Public half of the plant's signing key. */
  readonly ownKey: KeyObject;
  /** Whether an item may leave at this moment. */
  mayLeave(item: OutboxItem): boolean;
}

/** Brings sealed items to one recipient: in order within a series, series independent of each other. */
export interface Sender {
  /** Sends what can be sent now; resolves to the wait until something is tried again, ms. Never rejects. Calls must not overlap. */
  pass(signal: AbortSignal): Promise<number | undefined>;
  /** Drops the request that is under way for items that may not leave any more. */
  stopWhatMayNotLeave(): void;
  status(): SenderStatus;
}

export interface SenderStatus extends ReceiptTrouble {
  readonly downSinceMs?: number;
  /** Why, one English line. */
  readonly downReason?: string;
  /** A report that cannot be sent, because its bytes are gone from the disk. */
  readonly withoutBytes?: { readonly sinceMs: number; readonly id: string };
  /** ms UTC */
  readonly nextAttemptMs?: number;
}

const answerTimeoutMs = 30_000;
/** After a conflict the recipient is asked for what it holds, report by report. */
const conflictTimeoutMs = 300_000;

export function createSender(deps: SenderDeps): Sender {
  const { env, log, outbox, recipient, adapter } = deps;
  const { clock } = env;
  let failures = 0;
  let pausedUntilMs = 0;
  let downSinceMs: number | undefined;
  let downReason: string | undefined;
  let withoutBytes: SenderStatus['withoutBytes'];
  const receipts = createReceipts(deps);
  const refuse = createRefusals(deps);
  let underWay: { readonly id: string; readonly abort: AbortController } | undefined;
  /** Items whose answer was no good: tried again on their own, without stopping the others. */
  const itemRetries = new Map<string, { readonly failures: number; readonly atMs: number }>();

  /** The first item of each series that is on its way. */
  function ready(): OutboxItem[] {
    const firsts = new Map<string, OutboxItem>();
    for (const item of outbox.waiting()) {
      if (item.recipient !== recipient || !isOnItsWay(item)) continue;
      const first = firsts.get(item.seriesKey);
      if (first === undefined || item.revision < first.revision) firsts.set(item.seriesKey, item);
    }
    return [...firsts.values()].filter(
      (item) => item.stoppedBy === undefined && (itemRetries.get(item.id)?.atMs ?? 0) <= clock.monotonic(),
    );
  }

  /** Resolves with whether the recipient answered. */
  async function send(item: OutboxItem, signal: AbortSignal): Promise<boolean> {
    const bytes = await outbox.files.read('bytes', item.id);
    if (bytes === undefined || item.digest === undefined) {
      const { isFirst } = tryLater(item.id);
      withoutBytes ??= { sinceMs: clock.now(), id: item.id };
      if (isFirst) log.error({ id: item.id, recipient }, 'The bytes of a report are not on disk: it cannot be sent, the others go on');
      return false;
    }
    if (withoutBytes?.id === item.id) withoutBytes = undefined;
    // On disk before the first byte leaves: a sealed item has never been sent.
    if (item.state === 'sealed') {
      await changeItem(outbox, item.id, (found) =>
        found.state === 'sealed' && found.stoppedBy === undefined && deps.mayLeave(found)
          ? [moved(found, 'sending', { atMs: clock.now(), by: 'gateway' })]
          : undefined,
      );
    }
    const current = outbox.find(item.id);
    if (current?.state !== 'sending' || !deps.mayLeave(current)) return false;
    const parcel: Parcel = { id: item.id, seriesKey: item.seriesKey, revision: item.revision, digest: item.digest, bytes };
    return exchange(item, parcel, signal);
  }

  async function exchange(item: OutboxItem, parcel: Parcel, signal: AbortSignal): Promise<boolean> {
    const abort = new AbortController();
    const stop = (): void => abort.abort(stopped);
    const giveUpAfter = (limitMs: number): Timer =>
      clock.after(limitMs, () => abort.abort(new RetryableError('gateway.timeout', `no answer within ${limitMs} ms`)));
    let timer = giveUpAfter(answerTimeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    underWay = { id: item.id, abort };
    try {
      const delivery = await adapter.send(parcel, abort.signal);
      if (delivery.kind === 'refused') {
        timer.cancel();
        timer = giveUpAfter(conflictTimeoutMs);
        await refuse(item, delivery, abort.signal);
        return true;
      }
      // What was handed over is written again now and then: a folder may have been changed.
      if (delivery.kind === 'handed-over') tryLater(item.id, 'slowest');
      else if (await receipts.accept(item.id, parcel.bytes, delivery.bytes, delivery.isRepeat)) itemRetries.delete(item.id);
      else noteBadReceipt(item.id);
      return true;
    } catch (error) {
      // It may have arrived all the same: the item stays as it is, or somebody has ended it.
      if (abort.signal.reason !== stopped) throw error;
      return false;
    } finally {
      underWay = undefined;
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  function tryLater(id: string, slowest?: 'slowest'): { readonly isFirst: boolean } {
    const count = (itemRetries.get(id)?.failures ?? 0) + 1;
    const delayMs = retryDelayMs(slowest === undefined ? count : Number.POSITIVE_INFINITY, env.random);
    itemRetries.set(id, { failures: count, atMs: clock.monotonic() + delayMs });
    return { isFirst: count === 1 };
  }

  function noteBadReceipt(id: string): void {
    if (!tryLater(id).isFirst) return;
    const problem = receipts.trouble().badReceipt?.reason;
    log.error({ id, recipient, problem }, 'A receipt does not verify: the report counts as not accepted');
  }

  function failed(error: unknown): void {
    failures++;
    downReason = reasonOf(error);
    const delayMs = retryDelayMs(failures, env.random, error instanceof RetryableError ? (error.retryAfterMs ?? 0) : 0);
    pausedUntilMs = clock.monotonic() + delayMs;
    if (downSinceMs === undefined) {
      downSinceMs = clock.now();
      log.warn({ recipient, err: error }, 'The recipient cannot be reached: reports wait');
    }
  }

  return {
    async pass(signal) {
      if (clock.monotonic() < pausedUntilMs) return pausedUntilMs - clock.monotonic();
      try {
        await receipts.takeLate(signal);
        const tried = new Set<string>();
        const next = (): OutboxItem | undefined => ready().find(({ id }) => !tried.has(id));
        for (let item = next(); item !== undefined && !signal.aborted; item = next()) {
          tried.add(item.id);
          if (!(await send(item, signal))) continue;
          if (downSinceMs !== undefined) log.info({ recipient }, 'The recipient can be reached again');
          failures = 0;
          downSinceMs = undefined;
        }
      } catch (error) {
        if (!signal.aborted) failed(error);
      }
      for (const id of itemRetries.keys()) if (!isOnItsWay(outbox.find(id))) itemRetries.delete(id);
      const waits = [pausedUntilMs, ...[...itemRetries.values()].map(({ atMs }) => atMs)].map((atMs) => atMs - clock.monotonic());
      const ahead = waits.filter((waitMs) => waitMs > 0);
      return ahead.length === 0 ? undefined : Math.min(...ahead);
    },
    stopWhatMayNotLeave() {
      const item = underWay === undefined ? undefined : outbox.find(underWay.id);
      if (item !== undefined && !deps.mayLeave(item)) underWay?.abort.abort(stopped);
    },
    status: () => ({
      ...(downSinceMs === undefined ? {} : { downSinceMs, nextAttemptMs: clock.now() + Math.max(0, pausedUntilMs - clock.monotonic()) }),
      ...(downSinceMs === undefined || downReason === undefined ? {} : { downReason }),
      ...(withoutBytes === undefined || !isOnItsWay(outbox.find(withoutBytes.id)) ? {} : { withoutBytes }),
      ...receipts.trouble(),
    }),
  };
}

const stopped = new Error('stopped');

function isOnItsWay(item: OutboxItem | undefined): boolean {
  return item?.state === 'sealed' || item?.state === 'sending';
}
