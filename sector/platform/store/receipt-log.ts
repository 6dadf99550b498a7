import type { SigningKey } from '../../contract/keys.ts';
import { type Hash, rootOf } from '../../contract/merkle.ts';
import { digestText } from '../../contract/receipt.ts';
import type { SignatureBlock } from '../../contract/report.ts';
import { signDetached } from '../../contract/signature.ts';
import type { Database } from '../database.ts';
import { auditPath, consistencyPath, frontierPlaces, placesOf, rangeHash } from '../log/append.ts';

export const treeHeadContract = 'vn.sector.tree-head';

/** The platform's signed word that its log has exactly these leaves. */
export interface SignedTreeHead {
  readonly contract: typeof treeHeadContract;
  readonly treeSize: number;
  readonly rootHash: string;
  readonly at: string;
  readonly signature: SignatureBlock;
}

/** The log of receipts as auditors read it; it is public and holds nothing but hashes. */
export interface ReceiptLog {
  head(): Promise<SignedTreeHead>;
  size(): Promise<number>;
  /** Hash of a leaf and its audit path in the tree of the first `size` leaves; `leaf` < `size` ≤ size of the log. */
  inclusion(
    leaf: number,
    size: number,
  ): Promise<{ readonly leafHash: string; readonly rootHash: string; readonly proof: readonly string[] }>;
  /** Roots of both trees and the proof that the first is the beginning of the second; 0 ≤ `first` ≤ `second` ≤ size of the log. */
  consistency(
    first: number,
    second: number,
  ): Promise<{ readonly firstRoot: string; readonly secondRoot: string; readonly proof: readonly string[] }>;
}

type Range = readonly [number, number];

export function createReceiptLog(database: Database, key: SigningKey, now: () => number): ReceiptLog {
  /** Hashes of ranges of leaves, by one query for all nodes that they need. */
  async function hashesOf(ranges: readonly Range[]): Promise<readonly Hash[]> {
    const places = ranges.flatMap(([start, end]) => placesOf(start, end));
    const rows = await database.query<{ level: number; idx: number; hash: Uint8Array }>(
      `SELECT level, idx, hash FROM log_node JOIN unnest($1::smallint[], $2::bigint[]) AS wanted (level, idx) USING (level, idx)`,
      [places.map(({ level }) => level), places.map(({ index }) => index)],
    );
    const found = new Map(rows.map(({ level, idx, hash }) => [`${level}/${idx}`, Buffer.from(hash)]));
    return ranges.map(([start, end]) => {
      if (start === end) return rootOf([]);
      return rangeHash(start, end, (level, index) => {
        const hash = found.get(`${level}/${index}`);
        if (hash === undefined) throw new Error(`the log lacks node ${level}/${index}`);
        return hash;
      });
    });
  }

  async function readHead(): Promise<{ readonly size: number; readonly frontier: readonly Uint8Array[] }> {
    const [row] = await database.query<{ size: number; frontier: Uint8Array[] }>('SELECT size, frontier FROM log_head');
    if (row === undefined) throw new Error('log_head has no row: the database was not migrated');
    return row;
  }

  return {
    async head() {
      const { size, frontier } = await readHead();
      const byPlace = new Map(frontierPlaces(size).map(({ level, index }, i) => [`${level}/${index}`, Buffer.from(frontier[i] ?? [])]));
      const root = size === 0 ? rootOf([]) : rangeHash(0, size, (level, index) => byPlace.get(`${level}/${index}`) ?? Buffer.alloc(0));
      const head = { contract: treeHeadContract, treeSize: size, rootHash: digestText(root), at: new Date(now()).toISOString() } as const;
      return { ...head, signature: signDetached(head, key) };
    },
    size: async () => (await readHead()).size,
    async inclusion(leaf, size) {
      const path = auditPath(leaf, size);
      const [leafHash, root, ...proof] = (await hashesOf([[leaf, leaf + 1], [0, size], ...path])).map(digestText);
      return { leafHash: leafHash ?? '', rootHash: root ?? '', proof };
    },
    async consistency(first, second) {
      const [firstRoot, secondRoot, ...proof] = (await hashesOf([[0, first], [0, second], ...consistencyPath(first, second)])).map(
        digestText,
      );
      return { firstRoot: firstRoot ?? '', secondRoot: secondRoot ?? '', proof };
    },
  };
}
