import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTestDatabase, type TestDatabase } from '@nhip/sector/platform/testing/test-database';
import { createTestPlatform, operatorToken, taxCodes } from '@nhip/sector/platform/testing/test-platform';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { parseInput } from '../arguments.ts';
import { agreementCommand } from './agreement.ts';

let database: TestDatabase;
let root: string;
let url: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'nhip-agreement-'));
  mkdirSync(join(root, 'sector'));
  writeFileSync(join(root, 'sector', 'operator-token'), `${operatorToken}\n`);
  database = await openTestDatabase();
  const { platform, enrol } = await createTestPlatform(database.database);
  url = await platform.app.listen({ host: '127.0.0.1', port: 0 });
  stop = () => platform.stop();
  await enrol(taxCodes[0]);
}, 120_000);
afterAll(async () => {
  await stop?.();
  await database?.remove();
  rmSync(root, { recursive: true });
});
afterEach(() => vi.restoreAllMocks());

/** Runs `nhip sector agreement`; resolves with what it said. */
async function run(...args: readonly string[]): Promise<string> {
  let said = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((chunk) => {
    said += String(chunk);
    return true;
  });
  expect(await agreementCommand.run(parseInput(agreementCommand, [...args, '--data', root, '--url', url], {}))).toBe(0);
  return said;
}

it('records an agreement, lists and revokes it', async () => {
  const [taxCode] = taxCodes;
  const id = 'urn:agreement:2026-0012';
  expect(await run('list', taxCode)).toMatch(/No agreements yet/);
  const terms = [
    '--purpose',
    'sector_statistics',
    '--purpose',
    'research',
    '--from',
    '2026-01-01T00:00:00+07:00',
    '--reference',
    '12/2026/HD',
  ];
  const added =
    'urn:agreement:2026-0012  12/2026/HD  2025-12-31T17:00:00.000Z – open end  vn.sector.production-report  sector_statistics,research\n';
  expect(await run('add', taxCode, id, ...terms)).toBe(added);
  expect(await run('add', taxCode, id, ...terms)).toBe(added);
  await expect(run('add', taxCode, id, ...terms, '--to', '2027-01-01T00:00:00+07:00')).rejects.toThrow(/recorded with other terms/);
  expect(JSON.parse(await run('revoke', taxCode, id, '--json'))).toMatchObject({ agreementId: id, revokedBy: 'operator' });
  expect(await run('list', taxCode)).toMatch(/^urn:agreement:2026-0012 .* revoked 20.* by operator\n$/);
  await expect(run('revoke', taxCode, 'urn:agreement:other')).rejects.toThrow(/has no agreement/);
});

it('says what is missing', async () => {
  await expect(run('add', taxCodes[0])).rejects.toThrow(/say the agreement/);
  await expect(run('add', taxCodes[0], 'urn:a1:b')).rejects.toThrow(/--purpose is missing/);
  await expect(run('add', taxCodes[0], 'urn:a1:b', '--purpose', 'research')).rejects.toThrow(/--from is missing/);
  await expect(run('add', taxCodes[0], 'urn:a1:b', '--purpose', 'fun', '--from', '2026-01-01T00:00:00Z')).rejects.toThrow(/purposes/);
  await expect(run('list')).rejects.toThrow(/say one tax code/);
  await expect(run('sing', taxCodes[0], 'x')).rejects.toThrow(/say add, list or revoke/);
});
