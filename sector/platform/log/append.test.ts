import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMerkleTree, type Hash, leafHash, rootOf, verifyInclusion } from '../../contract/merkle.ts';
import { appendLeaves, auditPath, consistencyPath, emptyHead, rangeHash } from './append.ts';

const leaf = (i: number): Hash => leafHash(Buffer.from(`leaf ${i}`));

describe('append by frontier', () => {
  it('gives the root, the nodes and the proofs of the whole tree, however the leaves are grouped', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), (groups) => {
        const all: Hash[] = [];
        const nodes = new Map<string, Hash>();
        const tree = createMerkleTree();
        let head = emptyHead;
        for (const count of groups) {
          const leaves = Array.from({ length: count }, (_, i) => leaf(all.length + i));
          const appended = appendLeaves(head, leaves);
          for (const { level, index, hash } of appended.nodes) nodes.set(`${level}/${index}`, hash);
          all.push(...leaves);
          for (const each of leaves) tree.append(each);
          for (let i = head.size; i < all.length; i++) {
            expect(appended.proof(i)).toEqual(tree.inclusionProof(i));
            expect(verifyInclusion(leaf(i), i, all.length, [...appended.proof(i)], appended.root)).toBe(true);
          }
          expect(appended.root).toEqual(rootOf(all));
          head = appended.head;
        }
        // From the kept nodes alone: every later proof.
        const find = (level: number, index: number): Hash => nodes.get(`${level}/${index}`) as Hash;
        for (let size = 1; size <= all.length; size += 7) {
          expect(auditPath(size - 1, all.length).map(([a, b]) => rangeHash(a, b, find))).toEqual(tree.inclusionProof(size - 1));
          expect(consistencyPath(size, all.length).map(([a, b]) => rangeHash(a, b, find))).toEqual(tree.consistencyProof(size));
        }
      }),
      { numRuns: 30 },
    );
  });

  it('refuses a frontier of another tree', () => {
    expect(() => appendLeaves({ size: 3, frontier: [leaf(0)] }, [leaf(1)])).toThrow(/frontier/);
  });
});
