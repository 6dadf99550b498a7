import type { KeyObject } from 'node:crypto';
import { canonicalJson } from './canonical.ts';
import { digestOf } from './digest.ts';
import type { SigningKey } from './keys.ts';
import { type Hash, leafHash, verifyInclusion } from './merkle.ts';
import { type Digest, type ProductionReport, type SignatureBlock, seriesKeyOf } from './report.ts';
import { receiptProblems } from './schema-check.ts';
import { signDetached, type Verdict, verifyDetached, withoutSignature } from './signature.ts';

/**
 * The receipt: a platform's signed word that it holds exactly these bytes, and where they stand in its log.
 *
 * The leaf of the log is the canonical JSON of the receipt without `log` and `signature`. So a receipt proves itself: no leaf is sent.
 */

export const receiptContractName = 'vn.sector.receipt';
export const receiptContractVersion = '1.0.0';

export interface ReceiptWarning {
  readonly code: string;
  readonly pointer: string;
}

/** What is logged. */
export interface ReceiptEntry {
  readonly contract: typeof receiptContractName;
  readonly contractVersion: string;
  readonly receiptId: string;
  readonly seriesKey: string;
  readonly reportId: string;
  readonly revision: number;
  /** Of the report with its signature: of the bytes received. */
  readonly digest: Digest;
  readonly acceptedAt: string;
  readonly warnings: readonly ReceiptWarning[];
}

export interface LogProof {
  readonly treeSize: number;
  readonly leafIndex: number;
  readonly rootHash: Digest;
  /** Bottom up. */
  readonly inclusionProof: readonly Digest[];
}

export interface UnsignedReceipt extends ReceiptEntry {
  readonly log: LogProof;
}

export interface Receipt extends UnsignedReceipt {
  readonly signature: SignatureBlock;
}

/** The bytes that the log hashes for a receipt: `leafHash(receiptLeaf(entry))`. */
export function receiptLeaf(receipt: ReceiptEntry): Buffer {
  const { contract, contractVersion, receiptId, seriesKey, reportId, revision, digest, acceptedAt, warnings } = receipt;
  const entry = { contract, contractVersion, receiptId, seriesKey, reportId, revision, digest, acceptedAt, warnings };
  return Buffer.from(canonicalJson(entry), 'utf8');
}

/** Signs a receipt with the platform's key. Throws as signDetached. */
export function signReceipt(unsigned: UnsignedReceipt, key: SigningKey): Receipt {
  return { ...unsigned, signature: signDetached(unsigned, key) };
}

/** `sha-256:<hex>` of a hash of the log. */
export function digestText(hash: Hash): Digest {
  return `sha-256:${hash.toString('hex')}`;
}

/** The hash behind `sha-256:<hex>`. */
export function hashOfText(digest: Digest): Hash {
  return Buffer.from(digest.slice('sha-256:'.length), 'hex');
}

/**
 * Whether a receipt is the platform's, and for exactly this report: form, signature, series, revision, digest, place in the log.
 * Never throws; without a report only the receipt itself is verified. `reason` is one English sentence.
 */
export function verifyReceipt(receipt: Receipt, report: ProductionReport | undefined, platformPublicKey: KeyObject): Verdict {
  const [problem] = receiptProblems(receipt);
  if (problem !== undefined) return { ok: false, reason: `no receipt: ${problem}` };
  const signed = verifyDetached(withoutSignature(receipt), receipt.signature, platformPublicKey);
  if (!signed.ok) return signed;
  const { treeSize, leafIndex, rootHash, inclusionProof } = receipt.log;
  const leaf = leafHash(receiptLeaf(receipt));
  if (!verifyInclusion(leaf, leafIndex, treeSize, inclusionProof.map(hashOfText), hashOfText(rootHash))) {
    return { ok: false, reason: `the receipt is not leaf ${leafIndex} of the log with root ${rootHash}` };
  }
  return report === undefined ? { ok: true } : isFor(receipt, report);
}

function isFor(receipt: Receipt, report: ProductionReport): Verdict {
  try {
    if (receipt.digest !== digestOf(report)) return { ok: false, reason: 'the receipt is for other bytes: the digests differ' };
    if (receipt.seriesKey !== seriesKeyOf(report) || receipt.reportId !== report.reportId || receipt.revision !== report.revision) {
      return { ok: false, reason: 'the receipt names another series, report or revision' };
    }
    return { ok: true };
  } catch (error) {
    return { ok: false, reason: error instanceof Error ? error.message : String(error) };
  }
}
