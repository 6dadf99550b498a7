import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  consistencyProof,
  createMerkleTree,
  type Hash,
  inclusionProof,
  leafHash,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';

/** Test data that certificate transparency logs share: eight leaves and the roots of their beginnings. */
const data = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
const known = data.map((hex) => leafHash(Buffer.from(hex, 'hex')));
const knownRoots = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

describe('RFC 9162 §2.1', () => {
  it('gives the roots that other logs give', () => {
    expect(knownRoots.map((_, index) => rootOf(known.slice(0, index + 1)).toString('hex'))).toEqual(knownRoots);
    expect(rootOf([]).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  it('splits at the largest power of two below the size', () => {
    const [a, b, c] = known as [Hash, Hash, Hash];
    expect(rootOf([a, b, c])).toEqual(nodeHash(nodeHash(a, b), c));
    expect(inclusionProof([a, b, c], 2)).toEqual([nodeHash(a, b)]);
    expect(inclusionProof([a, b, c], 0)).toEqual([b, c]);
  });
});

/** A tree of up to 70 leaves and two sizes of it. */
const sizes = fc.integer({ min: 1, max: 70 }).chain((size) => fc.tuple(fc.constant(size), fc.integer({ min: 0, max: size - 1 })));
const leaves = Array.from({ length: 70 }, (_, index) => leafHash(Buffer.from(`leaf ${index}`)));
const tree = createMerkleTree(leaves);

it('proves every leaf of every size, and nothing else', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 0, max: 69 }), ([size, index], other) => {
      const proof = tree.inclusionProof(index, size);
      const root = tree.root(size);
      const leaf = leaves[index] as Hash;
      expect(rootOf(leaves.slice(0, size))).toEqual(root);
      expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true);
      expect(verifyInclusion(leaves[other] as Hash, index, size, proof, root)).toBe(other === index);
      // A path fixes its index: no other place of the same tree can be claimed with it.
      expect(verifyInclusion(leaf, other, size, proof, root)).toBe(other === index);
      expect(verifyInclusion(leaf, index, size, [...proof, leaf], root)).toBe(false);
      if (proof.length > 0) expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(false);
      for (const [step, hash] of proof.entries()) {
        const changed = proof.with(step, nodeHash(hash, hash));
        expect(verifyInclusion(leaf, index, size, changed, root)).toBe(false);
      }
    }),
  );
});

it('proves that nothing was taken out, and that something was', () => {
  fc.assert(
    fc.property(sizes, ([second, first]) => {
      const proof = tree.consistencyProof(first, second);
      const [before, after] = [tree.root(first), tree.root(second)];
      expect(verifyConsistency(first, second, before, after, proof)).toBe(true);
      expect(consistencyProof(leaves, first, second)).toEqual(proof);
      if (first === 0) return;
      const forged = leaves.with(first - 1, leafHash(Buffer.from('another')));
      const other = createMerkleTree(forged);
      expect(verifyConsistency(first, second, before, other.root(second), other.consistencyProof(first, second))).toBe(false);
      expect(verifyConsistency(first, second, other.root(first), after, proof)).toBe(false);
      expect(verifyConsistency(first, second, before, after, [...proof, before])).toBe(false);
      if (proof.length > 0) expect(verifyConsistency(first, second, before, after, proof.slice(0, -1))).toBe(false);
    }),
  );
});

it('grows leaf by leaf to the same roots', () => {
  const growing = createMerkleTree();
  for (const [index, leaf] of leaves.entries()) {
    expect(growing.append(leaf)).toBe(index);
    expect(growing.root()).toEqual(tree.root(index + 1));
  }
  expect(growing.size()).toBe(70);
});

it('refuses sizes and places that are not there', () => {
  const [leaf] = leaves as [Hash];
  expect(() => tree.root(71)).toThrow(/70 leaves/);
  expect(() => tree.inclusionProof(3, 3)).toThrow(/not in a tree of 3/);
  expect(() => tree.consistencyProof(5, 4)).toThrow(/no size/);
  expect(verifyInclusion(leaf, 0, 0, [], leaf)).toBe(false);
  expect(verifyInclusion(leaf, -1, 1, [], leaf)).toBe(false);
  expect(verifyInclusion(leaf, 0.5, 1, [], leaf)).toBe(false);
  expect(verifyConsistency(2, 1, leaf, leaf, [])).toBe(false);
  expect(verifyConsistency(1, 2, leaf, leaf, [])).toBe(false);
});
