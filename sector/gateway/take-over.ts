import type { KeyObject } from 'node:crypto';
import { digestOf, digestOfBytes } from '../contract/digest.ts';
import { type Receipt, verifyReceipt } from '../contract/receipt.ts';
import { type ProductionReport, seriesKeyOf } from '../contract/report.ts';
import { verifyReport } from '../contract/signature.ts';
import type { HeldReport } from './adapters/adapter.ts';
import { foreignObject } from './foreign-json.ts';
import { comparable } from './make-report.ts';
import type { OutboxItem } from './outbox/item.ts';

/** A revision that this plant sent and has forgotten, as an item of its outbox, with its documents. */
export interface Recovered {
  readonly item: Omit<OutboxItem, 'order'>;
  readonly bytes: Uint8Array;
  readonly receipt: Uint8Array;
}

export interface TakeOverDeps {
  readonly recipient: string;
  readonly seriesKey: string;
  /** Of the plant: only what it signed itself is taken over. */
  readonly ownKey: KeyObject;
  readonly platformKeys: readonly { readonly kid?: string; readonly publicKey: KeyObject }[];
  readonly atMs: number;
}

/**
 * What an outbox that went back in time has forgotten, from what the other side holds. undefined when it is not proved, for each revision,
 * that this plant signed it and that the other side accepted it; or when it differs from what `known` says was accepted: a fork.
 */
export function recover(held: readonly HeldReport[], known: readonly OutboxItem[], deps: TakeOverDeps): readonly Recovered[] | undefined {
  const recovered: Recovered[] = [];
  for (const each of held) {
    const one = proved(each, deps);
    if (one === undefined) return undefined;
    const same = known.find(({ revision, receipt }) => receipt !== undefined && revision === one.item.revision);
    if (same !== undefined && same.digest !== one.item.digest) return undefined;
    if (same === undefined && !known.some(({ id }) => id === one.item.id)) recovered.push(one);
  }
  return recovered.length === 0 ? undefined : recovered;
}

function proved({ bytes, receipt: receiptBytes }: HeldReport, deps: TakeOverDeps): Recovered | undefined {
  const report = foreignObject(bytes) as ProductionReport | undefined;
  const receipt = foreignObject(receiptBytes) as Receipt | undefined;
  if (report === undefined || receipt === undefined) return undefined;
  try {
    if (seriesKeyOf(report) !== deps.seriesKey || !verifyReport(report, deps.ownKey).ok) return undefined;
    const keys = deps.platformKeys.filter(({ kid }) => kid === undefined || kid === receipt.signature?.kid);
    if (!keys.some(({ publicKey }) => verifyReceipt(receipt, report, publicKey).ok)) return undefined;
    if (digestOfBytes(bytes) !== receipt.digest) return undefined;
    return { item: itemOf(report, receipt, bytes.length, deps), bytes, receipt: receiptBytes };
  } catch {
    // Not even of the form of a report.
    return undefined;
  }
}

function itemOf(
  { signature: _, sharing, ...content }: ProductionReport,
  { receiptId, acceptedAt, digest, log }: Receipt,
  bytes: number,
  { recipient, seriesKey, atMs }: TakeOverDeps,
): Omit<OutboxItem, 'order'> {
  return {
    id: content.reportId,
    recipient,
    seriesKey,
    duration: content.period.duration,
    fromMs: Date.parse(content.period.from),
    toMs: Date.parse(content.period.to),
    revision: content.revision,
    status: content.status,
    state: 'duplicate',
    policyDigest: sharing.policyDigest,
    policyVersion: sharing.policyVersion,
    // The figures behind it are not known any more; what it says can be compared.
    sourceDigest: '',
    contentDigest: digestOf(comparable(content)),
    digest,
    bytes,
    approvals: [],
    approvalsNeeded: 0,
    dueMs: atMs,
    warnings: [],
    receipt: { receiptId, acceptedAt, leafIndex: log.leafIndex },
    history: [{ atMs, by: recipient, from: 'sending', to: 'duplicate', reason: words }],
  };
}

const words = {
  vi: 'Lấy lại từ bên nhận: nhà máy đã ký và gửi, nhưng bản sao lưu được khôi phục không có',
  en: 'Taken over from the recipient: signed and sent by this plant, and not in the backup that was put back',
};
