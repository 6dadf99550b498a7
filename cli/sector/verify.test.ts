import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf, reportBytes } from '@nhip/sector/contract/digest';
import { generateKey, pemOf } from '@nhip/sector/contract/keys';
import { createMerkleTree, leafHash } from '@nhip/sector/contract/merkle';
import { digestText, type ReceiptEntry, receiptLeaf, signReceipt } from '@nhip/sector/contract/receipt';
import { seriesKeyOf } from '@nhip/sector/contract/report';
import { signReport } from '@nhip/sector/contract/signature';
import { exampleKey, exampleReport } from '@nhip/sector/contract/testing/example-report';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { sector } from '../commands/sector.ts';
import { verify } from './verify.ts';

let root: string;
const file = (name: string): string => join(root, name);
const key = exampleKey();
const platform = { kid: 'sector-platform#2026', ...generateKey() };
const report = signReport(exampleReport, key);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'nhip-verify-'));
  writeFileSync(file('report.json'), reportBytes(report));
  writeFileSync(file('changed.json'), reportBytes(report).toString('utf8').replace('"60"', '"61"'));
  writeFileSync(file('factory.pem'), pemOf(key.publicKey));
  writeFileSync(file('private.pem'), pemOf(key.privateKey));
  writeFileSync(file('platform.pem'), pemOf(platform.publicKey));
  const entry: ReceiptEntry = {
    contract: 'vn.sector.receipt',
    contractVersion: '1.0.0',
    receiptId: '0197f0c2-7c1e-7a55-8f0e-2f0b8b4f0b01',
    seriesKey: seriesKeyOf(report),
    reportId: report.reportId,
    revision: report.revision,
    digest: digestOf(report),
    acceptedAt: '2026-03-02T02:00:00.000Z',
    warnings: [],
  };
  const tree = createMerkleTree([leafHash(receiptLeaf(entry))]);
  const log = { treeSize: 1, leafIndex: 0, rootHash: digestText(tree.root()), inclusionProof: [] };
  writeFileSync(file('receipt.json'), JSON.stringify(signReceipt({ ...entry, log }, platform)));
});
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs `nhip sector verify`; resolves with its exit code and what it said. */
async function run(...args: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  let said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
  const code = await verify.run(parseInput(verify, args, {}));
  vi.restoreAllMocks();
  return { code, said };
}

it('says of a report whether it is what the factory signed', async () => {
  const good = await run(file('report.json'), '--key', file('factory.pem'));
  expect(good).toMatchObject({ code: 0, said: expect.stringContaining('is a good report') });
  expect(good.said).toContain(digestOf(report));
  expect(await run(file('changed.json'), '--key', file('factory.pem'))).toMatchObject({ code: 1, said: expect.stringContaining('E111') });
  expect((await run(file('report.json'), '--key', file('platform.pem'))).code).toBe(1);
  const { code, said } = await run(file('report.json'), '--key', file('platform.pem'), '--key', file('factory.pem'), '--json');
  expect([code, JSON.parse(said).ok]).toEqual([0, true]);
});

it('says of a receipt whether it is for this report', async () => {
  const args = [file('receipt.json'), '--key', file('platform.pem')];
  expect(await run(...args)).toMatchObject({ code: 0, said: expect.stringContaining('is a good receipt') });
  expect((await run(...args, '--report', file('report.json'))).code).toBe(0);
  expect(await run(...args, '--report', file('changed.json'))).toMatchObject({ code: 1, said: expect.stringContaining('other bytes') });
  expect((await run(file('receipt.json'), '--key', file('factory.pem'))).code).toBe(1);
});

it('asks for what it needs', async () => {
  await expect(run(file('report.json'))).rejects.toThrow(/--key is missing/);
  await expect(run('--key', file('factory.pem'))).rejects.toThrow(/say one file/);
  await expect(run(file('nothing.json'), '--key', file('factory.pem'))).rejects.toThrow(/cannot be read/);
  await expect(run(file('report.json'), '--key', file('private.pem'))).rejects.toThrow(/private key/);
  await expect(sector.run(parseInput(sector, ['sign'], {}))).rejects.toThrow(/"sign" is not an action; say one of .*verify/);
});
