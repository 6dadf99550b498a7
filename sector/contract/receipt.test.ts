import { expect, it } from 'vitest';
import { canonicalJson } from './canonical.ts';
import { digestOf } from './digest.ts';
import { generateKey } from './keys.ts';
import { createMerkleTree, leafHash } from './merkle.ts';
import { digestText, type Receipt, type ReceiptEntry, receiptLeaf, signReceipt, verifyReceipt } from './receipt.ts';
import { seriesKeyOf } from './report.ts';
import { signReport } from './signature.ts';
import { exampleKey, exampleReport } from './testing/example-report.ts';

const platform = { kid: 'sector-platform#2026', ...generateKey() };
const report = signReport(exampleReport, exampleKey());
const entry: ReceiptEntry = {
  contract: 'vn.sector.receipt',
  contractVersion: '1.0.0',
  receiptId: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0b01',
  seriesKey: seriesKeyOf(report),
  reportId: report.reportId,
  revision: 1,
  digest: digestOf(report),
  acceptedAt: '2026-03-02T02:00:00.000Z',
  warnings: [{ code: 'W205', pointer: '/coverage/secondsObserved' }],
};
const tree = createMerkleTree(Array.from({ length: 11 }, (_, index) => leafHash(Buffer.from(String(index)))));
const leafIndex = tree.append(leafHash(receiptLeaf(entry)));
tree.append(leafHash(Buffer.from('later')));
const receipt = signReceipt(
  {
    ...entry,
    log: {
      treeSize: tree.size(),
      leafIndex,
      rootHash: digestText(tree.root()),
      inclusionProof: tree.inclusionProof(leafIndex).map(digestText),
    },
  },
  platform,
);

it('says of exactly one report that the platform has it', () => {
  expect(verifyReceipt(receipt, report, platform.publicKey)).toEqual({ ok: true });
  expect(verifyReceipt(JSON.parse(canonicalJson(receipt)), undefined, platform.publicKey)).toEqual({ ok: true });
});

it('is for no other report, from no other platform', () => {
  const other = signReport({ ...exampleReport, issuedAt: '2026-03-02T08:00:01+07:00' }, exampleKey());
  expect(verifyReceipt(receipt, other, platform.publicKey)).toMatchObject({ ok: false, reason: expect.stringMatching(/other bytes/) });
  expect(verifyReceipt(receipt, report, generateKey().publicKey)).toMatchObject({ ok: false });
  const wrongSeries = signReceipt({ ...receipt, revision: 2 }, platform);
  expect(verifyReceipt(wrongSeries, report, platform.publicKey)).toMatchObject({ ok: false });
});

it('is not believed when the log does not have it, even with a good signature', () => {
  const resigned = (change: Partial<Receipt>): Receipt => {
    const { signature: _, ...unsigned } = { ...receipt, ...change };
    return signReceipt(unsigned, platform);
  };
  const { log } = receipt;
  const notThere = expect.stringMatching(/not leaf/);
  for (const wrong of [
    { acceptedAt: '2026-03-02T03:00:00.000Z' },
    { log: { ...log, leafIndex: 3 } },
    { log: { ...log, treeSize: 12 } },
    { log: { ...log, rootHash: digestOf(1) } },
    { log: { ...log, inclusionProof: log.inclusionProof.slice(1) } },
  ]) {
    expect(verifyReceipt(resigned(wrong), report, platform.publicKey)).toMatchObject({ ok: false, reason: notThere });
  }
});

it('must have the form of a receipt', () => {
  expect(verifyReceipt({ ...receipt, note: 'x' } as Receipt, report, platform.publicKey)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/\/note/),
  });
  expect(verifyReceipt({} as Receipt, report, platform.publicKey)).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/no receipt/),
  });
});
