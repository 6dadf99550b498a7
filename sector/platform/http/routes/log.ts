import { HttpProblem } from '@nhip/core/process/http-problem';
import { z } from 'zod';
import type { PublicJwk } from '../../../contract/keys.ts';
import type { ReceiptLog } from '../../store/receipt-log.ts';
import { type Route, route } from '../route.ts';
import { count, digestText, signatureBlock } from '../schemas.ts';

const size = count(Number.MAX_SAFE_INTEGER);

const treeHead = z.strictObject({
  contract: z.string().describe('vn.sector.tree-head'),
  treeSize: z.number().int().describe('Leaves'),
  rootHash: digestText,
  at: z.string().describe('When it was signed'),
  signature: signatureBlock,
});

const proof = z.strictObject({
  kind: z.enum(['inclusion', 'consistency']).describe('What is proved'),
  leafHash: digestText.optional(),
  rootHash: digestText.optional(),
  firstRoot: digestText.optional(),
  secondRoot: digestText.optional(),
  proof: z.array(digestText).describe('RFC 9162 §2.1.3 or §2.1.4'),
});

/** The log for auditors. Open: it holds hashes only. */
export function logRoutes(log: ReceiptLog, keys: () => Promise<readonly PublicJwk[]>): readonly Route[] {
  return [
    route({
      method: 'GET',
      path: '/v1/log/sth',
      summary: 'Signed tree head of the log of receipts',
      tag: 'log',
      access: 'open',
      answers: { 200: { words: 'Size and root, signed', schema: treeHead } },
      handle: () => log.head(),
    }),
    route({
      method: 'GET',
      path: '/v1/log/proof',
      summary: 'Proof that a leaf is in the log (leaf, size), or that a log is the beginning of a later one (first, second)',
      tag: 'log',
      access: 'open',
      query: z.strictObject({
        leaf: size.optional().describe('Inclusion: index of the leaf'),
        size: size.optional().describe('Inclusion: tree size, default the newest'),
        first: size.optional().describe('Consistency: the earlier size'),
        second: size.optional().describe('Consistency: the later size, default the newest'),
      }),
      answers: { 200: { words: 'The proof, for verifyInclusion or verifyConsistency', schema: proof } },
      async handle({ query }) {
        const newest = await log.size();
        const sizeOf = (text: string | undefined): number => {
          const value = text === undefined ? newest : Number(text);
          if (value > newest) throw new HttpProblem(400, `The log has ${newest} leaves.`);
          return value;
        };
        if (query.leaf !== undefined && query.first === undefined) {
          const [leaf, treeSize] = [Number(query.leaf), sizeOf(query.size)];
          if (leaf >= treeSize) throw new HttpProblem(400, `Leaf ${leaf} is not in a tree of ${treeSize}.`);
          return { kind: 'inclusion', ...(await log.inclusion(leaf, treeSize)) };
        }
        if (query.first === undefined || query.leaf !== undefined)
          throw new HttpProblem(400, 'Say leaf (and size), or first (and second).');
        const [first, second] = [Number(query.first), sizeOf(query.second)];
        if (first > second) throw new HttpProblem(400, `${first} is no size before ${second}.`);
        return { kind: 'consistency', ...(await log.consistency(first, second)) };
      },
    }),
    route({
      method: 'GET',
      path: '/v1/log/keys',
      summary: 'Public keys of receipts and tree heads, the earlier ones too, as a JWK set',
      tag: 'log',
      access: 'open',
      answers: {
        200: { words: 'JWK set (RFC 7517)', schema: z.strictObject({ keys: z.array(z.looseObject({})).describe('Ed25519 keys') }) },
      },
      handle: async () => ({ keys: await keys() }),
    }),
  ];
}
