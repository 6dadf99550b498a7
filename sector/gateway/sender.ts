import type { KeyObject } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import { RetryableError, reasonOf } from '@nhip/core/process/errors';
import type { Log } from '@nhip/core/process/log';
import { type Receipt, verifyReceipt } from '../contract/receipt.ts';
import type { ProductionReport } from '../contract/report.ts';
import type { Adapter, Delivery, Parcel } from './adapters/adapter.ts';
import { moved, type OutboxItem } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';
import { retryDelayMs } from './outbox/retry.ts';
import { recover } from './take-over.ts';

export interface SenderDeps {
  readonly env: Env;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly recipient: string;
  readonly adapter: Adapter;
  /** Keys that sign receipts, by kid; a key without one fits all. */
  platformKeys(): readonly { readonly kid?: string; readonly publicKey: KeyObject }[];
  /** Public half of the plant's signing key. */
  readonly ownKey: KeyObject;
  /** What the keys of all series of this plant begin with. */
  readonly seriesPrefix: string;
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

export interface SenderStatus {
  readonly downSinceMs?: number;
  /** Why, one English line. */
  readonly downReason?: string;
  /** The last receipt did not verify. */
  readonly badReceipt?: { readonly sinceMs: number; readonly reason: string };
  /** A good receipt came for a report of this plant that is not known here. */
  readonly unknownReport?: { readonly sinceMs: number; readonly seriesKey: string; readonly revision: number };
  /** ms UTC */
  readonly nextAttemptMs?: number;
}

const answerTimeoutMs = 30_000;

export function createSender(deps: SenderDeps): Sender {
  const { env, log, outbox, recipient, adapter } = deps;
  const { clock } = env;
  let failures = 0;
  let pausedUntilMs = 0;
  let downSinceMs: number | undefined;
  let downReason: string | undefined;
  let badReceipt: SenderStatus['badReceipt'];
  let unknownReport: SenderStatus['unknownReport'];
  let underWay: { readonly id: string; readonly abort: AbortController } | undefined;
  /** Items whose answer was no good: tried again on their own, without stopping the others. */
  const itemRetries = new Map<string, { readonly failures: number; readonly atMs: number }>();

  const update = async (id: string, to: (item: OutboxItem) => OutboxItem | readonly OutboxItem[] | undefined): Promise<void> => {
    await outbox.change(() => {
      const item = outbox.find(id);
      const changed = item === undefined ? undefined : to(item);
      return changed === undefined ? {} : { items: Array.isArray(changed) ? changed : [changed as OutboxItem] };
    });
  };

  /** The first item of each series that is on its way. */
  function ready(): OutboxItem[] {
    const firsts = new Map<string, OutboxItem>();
    for (const item of outbox.waiting()) {
      if (item.recipient !== recipient || (item.state !== 'sealed' && item.state !== 'sending')) continue;
      const first = firsts.get(item.seriesKey);
      if (first === undefined || item.revision < first.revision) firsts.set(item.seriesKey, item);
    }
    return [...firsts.values()].filter(
      (item) => item.stoppedBy === undefined && (itemRetries.get(item.id)?.atMs ?? 0) <= clock.monotonic(),
    );
  }

  async function accept(id: string, report: ProductionReport, bytes: Uint8Array, isRepeat: boolean): Promise<boolean> {
    const receipt = parsed(bytes);
    const kid = receipt?.signature?.kid;
    const keys = deps.platformKeys().filter((key) => key.kid === undefined || key.kid === kid);
    const verdicts = receipt === undefined ? [] : keys.map(({ publicKey }) => verifyReceipt(receipt, report, publicKey));
    if (receipt === undefined || !verdicts.some(({ ok }) => ok)) {
      const [first] = verdicts;
      const none = receipt === undefined ? 'the answer is no receipt' : `no key is known for ${kid}`;
      badReceipt = { sinceMs: badReceipt?.sinceMs ?? clock.now(), reason: first?.ok === false ? first.reason : none };
      return false;
    }
    badReceipt = undefined;
    await outbox.files.write('receipts', id, bytes);
    const { receiptId, acceptedAt, log: place } = receipt;
    await update(id, (item) => {
      const step = { atMs: clock.now(), by: recipient };
      const proof = { receiptId, acceptedAt, leafIndex: place.leafIndex };
      if (item.state === 'sending') return { ...moved(item, isRepeat ? 'duplicate' : 'accepted', step), receipt: proof };
      // It was taken back too late: that it arrived is kept as it is, for people to see.
      const late = { ...step, from: item.state, to: item.state, reason: arrivedBefore };
      return item.receipt === undefined ? { ...item, receipt: proof, history: [...item.history, late] } : undefined;
    });
    return true;
  }

  async function refuse(id: string, delivery: Extract<Delivery, { kind: 'refused' }>): Promise<void> {
    const { code, pointer, message } = delivery;
    log.warn({ id, recipient, code, pointer, problem: message.en }, 'A report was refused by its recipient');
    await update(id, (item) => {
      if (item.state !== 'sending') return undefined;
      const atMs = clock.now();
      // Later revisions name the digest of this one, which the recipient will never have.
      const later = outbox.series(recipient, item.seriesKey).filter(({ revision, state }) => revision > item.revision && isUnsent(state));
      return [
        { ...moved(item, 'rejected', { atMs, by: recipient, reason: message }), problem: { by: 'platform', code, pointer, message } },
        ...later.map((each) => moved(each, 'superseded', { atMs, by: 'gateway', reason: chainBroken })),
      ];
    });
  }

  /**
   * After a conflict: what the recipient holds of the series and this outbox has forgotten becomes part of it, so that the next revision
   * follows it. The refused report ends; the period is looked at again like every closed one. False: it is not ours, or nothing is new.
   */
  async function takeOver({ id, seriesKey }: OutboxItem, signal: AbortSignal): Promise<boolean> {
    const held = (await adapter.held?.(seriesKey, signal)) ?? [];
    const proof = { recipient, seriesKey, ownKey: deps.ownKey, platformKeys: deps.platformKeys(), atMs: clock.now() };
    const recovered = recover(held, outbox.series(recipient, seriesKey), proof);
    if (recovered === undefined) return false;
    for (const { item, bytes, receipt } of recovered) {
      await outbox.files.write('bytes', item.id, bytes);
      await outbox.files.write('receipts', item.id, receipt);
    }
    await update(id, (item) => {
      if (item.state !== 'sending') return undefined;
      const step = { atMs: clock.now(), by: 'gateway', reason: takenOver };
      const later = outbox.series(recipient, seriesKey).filter(({ revision, state }) => revision > item.revision && isUnsent(state));
      return [
        moved(moved(item, 'rejected', { ...step, by: recipient }), 'superseded', step),
        ...later.map((each) => moved(each, 'superseded', step)),
        ...recovered.map((each) => ({ ...each.item, order: outbox.nextOrder() })),
      ];
    });
    log.warn(
      { id, recipient, seriesKey, revisions: recovered.length },
      'The recipient holds revisions that were forgotten here: taken over',
    );
    return true;
  }

  async function send(item: OutboxItem, signal: AbortSignal): Promise<void> {
    const bytes = await outbox.files.read('bytes', item.id);
    if (bytes === undefined || item.digest === undefined)
      throw new RetryableError('gateway.noBytes', `the bytes of ${item.id} are not on disk`);
    // On disk before the first byte leaves: a sealed item has never been sent.
    if (item.state === 'sealed') {
      await update(item.id, (found) =>
        found.state === 'sealed' && found.stoppedBy === undefined && deps.mayLeave(found)
          ? moved(found, 'sending', { atMs: clock.now(), by: 'gateway' })
          : undefined,
      );
    }
    const current = outbox.find(item.id);
    if (current?.state !== 'sending' || !deps.mayLeave(current)) return;
    const abort = new AbortController();
    const stop = (): void => abort.abort(stopped);
    const timer = clock.after(answerTimeoutMs, () =>
      abort.abort(new RetryableError('gateway.timeout', `no answer within ${answerTimeoutMs} ms`)),
    );
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    underWay = { id: item.id, abort };
    try {
      const parcel: Parcel = { id: item.id, seriesKey: item.seriesKey, revision: item.revision, digest: item.digest, bytes };
      const delivery = await adapter.send(parcel, abort.signal);
      if (delivery.kind === 'refused') {
        if (delivery.code === 'E114' && (await takeOver(item, abort.signal))) return;
        return await refuse(item.id, delivery);
      }
      const isGood = delivery.kind === 'handed-over' || (await accept(item.id, reportOf(bytes), delivery.bytes, delivery.isRepeat));
      if (isGood && delivery.kind === 'receipt') itemRetries.delete(item.id);
      else waitFor(item.id, delivery.kind === 'handed-over');
    } catch (error) {
      // It may have arrived all the same: the item stays as it is, or somebody has ended it.
      if (abort.signal.reason !== stopped) throw error;
    } finally {
      underWay = undefined;
      timer.cancel();
      signal.removeEventListener('abort', stop);
    }
  }

  /** A parcel that was handed over is written again now and then: a folder may have been changed. */
  function waitFor(id: string, isHandedOver: boolean): void {
    const count = (itemRetries.get(id)?.failures ?? 0) + 1;
    const delayMs = retryDelayMs(isHandedOver ? 20 : count, env.random);
    itemRetries.set(id, { failures: count, atMs: clock.monotonic() + delayMs });
    if (!isHandedOver && count === 1)
      log.error({ id, recipient, problem: badReceipt?.reason }, 'A receipt does not verify: the report counts as not accepted');
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

  /** Somebody carried a report of this plant that this outbox never made, or has forgotten. */
  function noteUnknown(receipt: Receipt): void {
    const { seriesKey, revision } = receipt;
    if (!deps.platformKeys().some(({ publicKey }) => verifyReceipt(receipt, undefined, publicKey).ok)) return;
    if (!seriesKey.startsWith(deps.seriesPrefix)) return;
    log.error({ recipient, seriesKey, revision, id: receipt.reportId }, 'A receipt came for a report of this plant that is not known here');
    unknownReport = { sinceMs: unknownReport?.sinceMs ?? clock.now(), seriesKey, revision };
  }

  async function takeLateReceipts(signal: AbortSignal): Promise<void> {
    for (const late of (await adapter.receipts?.(signal)) ?? []) {
      const receipt = parsed(late.bytes);
      const item = receipt === undefined ? undefined : outbox.find(receipt.reportId);
      if (item === undefined || item.recipient !== recipient) {
        if (receipt !== undefined) noteUnknown(receipt);
        await late.taken(false);
        continue;
      }
      const isEnded = (item.state === 'withdrawn' || item.state === 'expired') && item.receipt === undefined;
      if (item.state === 'sending' || isEnded) {
        const bytes = await outbox.files.read('bytes', item.id);
        const isGood = bytes !== undefined && (await accept(item.id, reportOf(bytes), late.bytes, false));
        if (!isGood)
          log.error(
            { id: item.id, recipient, problem: badReceipt?.reason },
            'A receipt does not verify: the report counts as not accepted',
          );
        await late.taken(isGood);
      } else {
        await late.taken(item.receipt?.receiptId === receipt?.receiptId);
      }
    }
  }

  return {
    async pass(signal) {
      if (clock.monotonic() < pausedUntilMs) return pausedUntilMs - clock.monotonic();
      try {
        await takeLateReceipts(signal);
        const tried = new Set<string>();
        const next = (): OutboxItem | undefined => ready().find(({ id }) => !tried.has(id));
        for (let item = next(); item !== undefined && !signal.aborted; item = next()) {
          tried.add(item.id);
          await send(item, signal);
          if (downSinceMs !== undefined) log.info({ recipient }, 'The recipient can be reached again');
          failures = 0;
          downSinceMs = undefined;
        }
      } catch (error) {
        if (!signal.aborted) failed(error);
      }
      for (const id of itemRetries.keys()) if (outbox.find(id)?.state !== 'sending') itemRetries.delete(id);
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
      ...(badReceipt === undefined ? {} : { badReceipt }),
      ...(unknownReport === undefined ? {} : { unknownReport }),
    }),
  };
}

const stopped = new Error('stopped');
const takenOver = {
  vi: 'Bên nhận đã giữ bản do chính nhà máy này gửi trước đó: lấy lại bản đó',
  en: 'The recipient holds what this plant sent before: taken over',
};
const arrivedBefore = { vi: 'Đã đến nơi nhận trước khi dừng', en: 'It had arrived before it was stopped' };
const chainBroken = { vi: 'Bản trước bị từ chối: lập lại', en: 'The revision before was refused: made again' };

function isUnsent(state: OutboxItem['state']): boolean {
  return state === 'held' || state === 'approved' || state === 'sealed';
}

function reportOf(bytes: Uint8Array): ProductionReport {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as ProductionReport;
}

function parsed(bytes: Uint8Array): Receipt | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Receipt) : undefined;
  } catch {
    return undefined;
  }
}
