import type { KeyObject } from 'node:crypto';
import type { Env } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { type Receipt, verifyReceipt } from '../contract/receipt.ts';
import type { ProductionReport } from '../contract/report.ts';
import type { Adapter, LateReceipt } from './adapters/adapter.ts';
import { foreignObject } from './foreign-json.ts';
import { changeItem } from './outbox/change-item.ts';
import { moved } from './outbox/item.ts';
import type { Outbox } from './outbox/outbox.ts';

export interface ReceiptsDeps {
  readonly env: Pick<Env, 'clock'>;
  readonly log: Log;
  readonly outbox: Outbox;
  readonly recipient: string;
  readonly adapter: Pick<Adapter, 'receipts'>;
  /** Keys that sign receipts, by kid; a key without one fits all. */
  platformKeys(): readonly { readonly kid?: string; readonly publicKey: KeyObject }[];
  /** What the keys of all series of this plant begin with. */
  readonly seriesPrefix: string;
}

export interface ReceiptTrouble {
  /** The last receipt did not verify. */
  readonly badReceipt?: { readonly sinceMs: number; readonly reason: string };
  /** A good receipt came for a report of this plant that is not known here. */
  readonly unknownReport?: { readonly sinceMs: number; readonly seriesKey: string; readonly revision: number };
}

/** Receipts of one recipient: a report counts as accepted when one verifies, never because somebody says so. */
export interface Receipts {
  /** Whether `receipt` proves that the report of the item arrived; then the item has it. `report` are the bytes that were sent. */
  accept(id: string, report: Uint8Array, receipt: Uint8Array, isRepeat: boolean): Promise<boolean>;
  /** Takes what came by itself, later than the report was sent. Rejects as the adapter. */
  takeLate(signal: AbortSignal): Promise<void>;
  trouble(): ReceiptTrouble;
}

export function createReceipts(deps: ReceiptsDeps): Receipts {
  const { log, outbox, recipient } = deps;
  const { clock } = deps.env;
  let badReceipt: ReceiptTrouble['badReceipt'];
  let unknownReport: ReceiptTrouble['unknownReport'];

  async function accept(id: string, report: Uint8Array, bytes: Uint8Array, isRepeat: boolean): Promise<boolean> {
    const receipt = foreignObject(bytes) as Receipt | undefined;
    const problem = receipt === undefined ? 'the answer is no receipt' : problemOf(receipt, report);
    if (receipt === undefined || problem !== undefined) {
      badReceipt = { sinceMs: badReceipt?.sinceMs ?? clock.now(), reason: problem ?? '' };
      return false;
    }
    badReceipt = undefined;
    await outbox.files.write('receipts', id, bytes);
    const { receiptId, acceptedAt, log: place } = receipt;
    await changeItem(outbox, id, (item) => {
      const step = { atMs: clock.now(), by: recipient };
      const proof = { receiptId, acceptedAt, leafIndex: place.leafIndex };
      if (item.state === 'sending') return [{ ...moved(item, isRepeat ? 'duplicate' : 'accepted', step), receipt: proof }];
      // It was taken back too late: that it arrived is kept as it is, for people to see.
      const late = { ...step, from: item.state, to: item.state, reason: arrivedBefore };
      return item.receipt === undefined ? [{ ...item, receipt: proof, history: [...item.history, late] }] : undefined;
    });
    return true;
  }

  /** Why it proves nothing; undefined when one of the keys signed it for this report. */
  function problemOf(receipt: Receipt, report: Uint8Array): string | undefined {
    const kid = receipt.signature?.kid;
    const keys = deps.platformKeys().filter((key) => key.kid === undefined || key.kid === kid);
    const sent = JSON.parse(Buffer.from(report).toString('utf8')) as ProductionReport;
    const verdicts = keys.map(({ publicKey }) => verifyReceipt(receipt, sent, publicKey));
    if (verdicts.some(({ ok }) => ok)) return undefined;
    const [first] = verdicts;
    return first?.ok === false ? first.reason : `no key is known for ${kid}`;
  }

  /** Somebody carried a report of this plant that this outbox never made, or has forgotten. */
  function noteUnknown(receipt: Receipt): void {
    const { seriesKey, revision } = receipt;
    if (!deps.platformKeys().some(({ publicKey }) => verifyReceipt(receipt, undefined, publicKey).ok)) return;
    if (!seriesKey.startsWith(deps.seriesPrefix)) return;
    log.error({ recipient, seriesKey, revision, id: receipt.reportId }, 'A receipt came for a report of this plant that is not known here');
    unknownReport = { sinceMs: unknownReport?.sinceMs ?? clock.now(), seriesKey, revision };
  }

  async function takeOne(late: LateReceipt): Promise<void> {
    const receipt = foreignObject(late.bytes) as Receipt | undefined;
    const item = receipt === undefined ? undefined : outbox.find(receipt.reportId);
    if (item === undefined || item.recipient !== recipient) {
      if (receipt !== undefined) noteUnknown(receipt);
      await late.taken(false);
      return;
    }
    const isEnded = (item.state === 'withdrawn' || item.state === 'expired') && item.receipt === undefined;
    if (item.state !== 'sending' && !isEnded) {
      await late.taken(item.receipt?.receiptId === receipt?.receiptId);
      return;
    }
    const bytes = await outbox.files.read('bytes', item.id);
    const isGood = bytes !== undefined && (await accept(item.id, bytes, late.bytes, false));
    if (!isGood) {
      log.error({ id: item.id, recipient, problem: badReceipt?.reason }, 'A receipt does not verify: the report counts as not accepted');
    }
    await late.taken(isGood);
  }

  return {
    accept,
    async takeLate(signal) {
      for (const late of (await deps.adapter.receipts?.(signal)) ?? []) await takeOne(late);
    },
    trouble: () => ({
      ...(badReceipt === undefined ? {} : { badReceipt }),
      ...(unknownReport === undefined ? {} : { unknownReport }),
    }),
  };
}

const arrivedBefore = { vi: 'Đã đến nơi nhận trước khi dừng', en: 'It had arrived before it was stopped' };
