import { type Hash, nodeHash } from '../../contract/merkle.ts';

/**
 * Appending to a Merkle tree (RFC 9162) without the tree: its frontier is enough.
 *
 * A node (level, index) is the hash of the complete subtree of leaves [index·2^level, (index+1)·2^level); it never changes. The frontier of
 * a tree of `size` leaves are the nodes that cover it, largest first, one for each bit of `size` that is 1: at most 53. Every left
 * neighbour that the audit path of a new leaf needs is in the frontier or new.
 */
export interface Head {
  readonly size: number;
  /** Largest subtree first. */
  readonly frontier: readonly Hash[];
}

export interface LogNode {
  readonly level: number;
  readonly index: number;
  readonly hash: Hash;
}

export const emptyHead: Head = { size: 0, frontier: [] };

export interface Appended {
  readonly head: Head;
  readonly root: Hash;
  /** Leaves (level 0) and the subtrees that they complete. */
  readonly nodes: readonly LogNode[];
  /** Audit path of new leaf `index` (of the whole log) in the tree after the append, bottom up. */
  proof(index: number): readonly Hash[];
}

/** Appends leaves; O(1) hashes per leaf on average. */
export function appendLeaves(before: Head, leaves: readonly Hash[]): Appended {
  const known = new Map<string, Hash>();
  const nodes: LogNode[] = [];
  for (const [position, { level, index }] of frontierPlaces(before.size).entries()) {
    const hash = before.frontier[position];
    if (hash === undefined) throw new RangeError(`the frontier of ${before.size} leaves has ${before.frontier.length} hashes`);
    known.set(placeKey(level, index), hash);
  }
  const add = (level: number, index: number, hash: Hash): void => {
    known.set(placeKey(level, index), hash);
    nodes.push({ level, index, hash });
    if (index % 2 === 0) return;
    const left = known.get(placeKey(level, index - 1));
    if (left !== undefined) add(level + 1, (index - 1) / 2, nodeHash(left, hash));
  };
  for (const [i, hash] of leaves.entries()) add(0, before.size + i, hash);
  const size = before.size + leaves.length;
  const find: FindNode = (level, index) => {
    const hash = known.get(placeKey(level, index));
    if (hash === undefined) throw new RangeError(`node ${level}/${index} is neither new nor in the frontier`);
    return hash;
  };
  return {
    head: { size, frontier: frontierPlaces(size).map(({ level, index }) => find(level, index)) },
    root: rangeHash(0, size, find),
    nodes,
    proof: (index) => auditPath(index, size).map(([start, end]) => rangeHash(start, end, find)),
  };
}

export interface Place {
  readonly level: number;
  readonly index: number;
}
type FindNode = (level: number, index: number) => Hash;
type Range = readonly [start: number, end: number];

/** Which nodes cover the leaves [start, end) where start is aligned as in every proof: largest first. */
export function placesOf(start: number, end: number): Place[] {
  const places: Place[] = [];
  for (let from = start; from < end; ) {
    const level = Math.floor(Math.log2(end - from));
    places.push({ level, index: from / 2 ** level });
    from += 2 ** level;
  }
  return places;
}

export function frontierPlaces(size: number): Place[] {
  return placesOf(0, size);
}

/** Hash of the leaves [start, end) from the nodes that cover them. */
export function rangeHash(start: number, end: number, find: FindNode): Hash {
  const hashes = placesOf(start, end).map(({ level, index }) => find(level, index));
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** Ranges of leaves whose hashes are the audit path of a leaf, bottom up (RFC 9162 §2.1.3.1). */
export function auditPath(leaf: number, size: number): Range[] {
  const path: Range[] = [];
  for (let [start, end] = [0, size]; end - start > 1; ) {
    const split = start + largestPowerBelow(end - start);
    if (leaf < split) {
      path.unshift([split, end]);
      end = split;
    } else {
      path.unshift([start, split]);
      start = split;
    }
  }
  return path;
}

/** Ranges of leaves whose hashes prove that the tree of `first` leaves is the beginning of that of `second` (RFC 9162 §2.1.4.1). */
export function consistencyPath(first: number, second: number): Range[] {
  if (first === 0 || first === second) return [];
  const path: Range[] = [];
  let isWhole = true;
  let [start, end] = [0, second];
  while (first !== end) {
    const split = start + largestPowerBelow(end - start);
    if (first <= split) {
      path.unshift([split, end]);
      end = split;
    } else {
      path.unshift([start, split]);
      start = split;
      isWhole = false;
    }
  }
  return isWhole ? path : [[start, end], ...path];
}

function placeKey(level: number, index: number): string {
  return `${level}/${index}`;
}

function largestPowerBelow(count: number): number {
  return 2 ** Math.ceil(Math.log2(count) - 1);
}
