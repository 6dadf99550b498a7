import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Merkle tree of RFC 9162 §2.1 with SHA-256: a log that can prove what is in it and that nothing was taken out.
 *
 * Leaf: SHA-256(0x00 ‖ data). Node: SHA-256(0x01 ‖ left ‖ right). A tree of n > 1 leaves splits at the largest power of two below n, so a
 * complete subtree never changes once its last leaf is there: it is hashed once and kept.
 */

export type Hash = Buffer;

/** Hash of one leaf's data. */
export function leafHash(data: Uint8Array): Hash {
  return createHash('sha256').update(Buffer.of(0)).update(data).digest();
}

/** Hash of two subtrees. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Hash {
  return createHash('sha256').update(Buffer.of(1)).update(left).update(right).digest();
}

export interface MerkleTree {
  size(): number;
  /** Appends the hash of a leaf; returns its index. O(log n) at worst, O(1) on average. */
  append(hash: Hash): number;
  /** Root of the first `size` leaves (default: all). O(log n). Throws when there are not so many. */
  root(size?: number): Hash;
  /** Audit path of a leaf in the tree of the first `size` leaves, bottom up. O(log² n). */
  inclusionProof(index: number, size?: number): Hash[];
  /** Proof that the tree of `first` leaves is the beginning of that of `second` leaves. */
  consistencyProof(first: number, second?: number): Hash[];
}

/** A tree in memory: 64 bytes for each leaf. */
export function createMerkleTree(leafHashes: Iterable<Hash> = []): MerkleTree {
  /** levels[k][i] = hash of the complete subtree of leaves [i·2^k, (i+1)·2^k). */
  const levels: Hash[][] = [[]];
  const leaves = levels[0] as Hash[];

  const append = (hash: Hash): number => {
    leaves.push(hash);
    for (let level = 0; (levels[level] as Hash[]).length % 2 === 0; level += 1) {
      const row = levels[level] as Hash[];
      levels[level + 1] ??= [];
      (levels[level + 1] as Hash[]).push(nodeHash(row.at(-2) as Hash, row.at(-1) as Hash));
    }
    return leaves.length - 1;
  };

  /** Hash of the leaves [start, end); start is a multiple of the power of two that covers the range. */
  const range = (start: number, end: number): Hash => {
    const count = end - start;
    const level = Math.log2(count);
    const complete = Number.isInteger(level) ? levels[level]?.[start / count] : undefined;
    if (complete !== undefined) return complete;
    const split = start + largestPowerBelow(count);
    return nodeHash(range(start, split), range(split, end));
  };

  const checkSize = (size: number): void => {
    if (!Number.isSafeInteger(size) || size < 0 || size > leaves.length) {
      throw new RangeError(`the log has ${leaves.length} leaves, not ${size}`);
    }
  };

  const path = (index: number, start: number, end: number): Hash[] => {
    if (end - start === 1) return [];
    const split = start + largestPowerBelow(end - start);
    return index < split ? [...path(index, start, split), range(split, end)] : [...path(index, split, end), range(start, split)];
  };

  /** SUBPROOF of RFC 9162 §2.1.4.1 over the leaves [start, end); `isWhole`: the old tree is a subtree that the verifier knows. */
  const subproof = (first: number, start: number, end: number, isWhole: boolean): Hash[] => {
    if (first === end) return isWhole ? [] : [range(start, end)];
    const split = start + largestPowerBelow(end - start);
    return first <= split
      ? [...subproof(first, start, split, isWhole), range(split, end)]
      : [...subproof(first, split, end, false), range(start, split)];
  };

  for (const hash of leafHashes) append(hash);
  return {
    size: () => leaves.length,
    append,
    root(size = leaves.length) {
      checkSize(size);
      return size === 0 ? createHash('sha256').digest() : range(0, size);
    },
    inclusionProof(index, size = leaves.length) {
      checkSize(size);
      if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new RangeError(`leaf ${index} is not in a tree of ${size}`);
      return path(index, 0, size);
    },
    consistencyProof(first, second = leaves.length) {
      checkSize(second);
      if (!Number.isSafeInteger(first) || first < 0 || first > second) throw new RangeError(`${first} is no size before ${second}`);
      return first === 0 || first === second ? [] : subproof(first, 0, second, true);
    },
  };
}

/** Root of the leaves with these hashes. */
export function rootOf(leafHashes: readonly Hash[]): Hash {
  return createMerkleTree(leafHashes).root();
}

/** Audit path of leaf `index` in the tree of the first `size` leaves. Hashes the whole tree: a log keeps a `createMerkleTree`. */
export function inclusionProof(leafHashes: readonly Hash[], index: number, size: number = leafHashes.length): Hash[] {
  return createMerkleTree(leafHashes).inclusionProof(index, size);
}

/** Proof that the first `first` leaves are the beginning of the first `second` ones. */
export function consistencyProof(leafHashes: readonly Hash[], first: number, second: number = leafHashes.length): Hash[] {
  return createMerkleTree(leafHashes).consistencyProof(first, second);
}

/** Whether a leaf is number `index` in the tree of `size` leaves with this root (RFC 9162 §2.1.3.2). */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  let [fn, sn, hash] = [index, size - 1, leaf];
  for (const step of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      hash = nodeHash(step, hash);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      hash = nodeHash(hash, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && isSame(hash, root);
}

/** Whether the tree of `first` leaves is the beginning of that of `second` leaves (RFC 9162 §2.1.4.2). */
export function verifyConsistency(first: number, second: number, firstRoot: Hash, secondRoot: Hash, proof: readonly Hash[]): boolean {
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(second) || first < 0 || first > second) return false;
  if (first === second) return proof.length === 0 && isSame(firstRoot, secondRoot);
  // The empty tree is the beginning of every tree.
  if (first === 0) return proof.length === 0;
  const path = isPowerOfTwo(first) ? [firstRoot, ...proof] : proof;
  const [start, ...rest] = path;
  if (start === undefined) return false;
  let [fn, sn] = [first - 1, second - 1];
  while (fn % 2 === 1) [fn, sn] = [half(fn), half(sn)];
  let [fr, sr] = [start, start];
  for (const step of rest) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(step, fr), nodeHash(step, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [half(fn), half(sn)];
    } else {
      sr = nodeHash(sr, step);
    }
    [fn, sn] = [half(fn), half(sn)];
  }
  return sn === 0 && isSame(fr, firstRoot) && isSame(sr, secondRoot);
}

const half = (value: number): number => Math.floor(value / 2);

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(Math.log2(value));
}

function largestPowerBelow(count: number): number {
  let power = 1;
  while (power * 2 < count) power *= 2;
  return power;
}

function isSame(a: Hash, b: Hash): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
