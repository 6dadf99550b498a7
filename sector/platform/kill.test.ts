import { chmodSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { startProcess } from '../../test/harness/nhip.ts';
import { hasPostgres, type Postgres, startPostgres } from '../../test/harness/postgres.ts';
import { publicKeyFromJwk } from '../contract/keys.ts';
import { verifyConsistency } from '../contract/merkle.ts';
import { hashOfText, type Receipt, verifyReceipt } from '../contract/receipt.ts';
import type { ProductionReport } from '../contract/report.ts';
import { enrolOver, type HttpFactory, postReport } from './testing/http-factory.ts';
import { signedSample } from './testing/sample-report.ts';
import { makeTestCluster } from './testing/test-database.ts';

const script = join(import.meta.dirname, 'testing/server-process.ts');
const rounds = 2;
const senders = 6;
const receiptsPerRound = 40;
/** Many, so that the periods stay in the past. */
const plants = Array.from({ length: 20 }, (_, i) => `nm-${i}`);

const undo: (() => Promise<void> | void)[] = [];
afterAll(async () => {
  for (const each of undo.reverse()) await each();
}, 60_000);

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'nhip-sector-kill-'));
  chmodSync(folder, 0o755);
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function startServer(folder: string, database: object) {
  const server = startProcess([process.execPath, '--import', 'tsx', script, join(folder, 'data'), JSON.stringify({ port: 0, database })]);
  undo.push(() => server.kill());
  const { http } = await server.ready;
  return { server, base: `http://127.0.0.1:${http}` };
}

interface Head {
  readonly treeSize: number;
  readonly rootHash: string;
}

async function getJson<T>(url: string, token?: string): Promise<T> {
  const response = await fetch(url, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

/** Six senders at once until enough receipts are there, then SIGKILL in the middle of what they send. */
async function sendUntilKilled(
  at: { readonly base: string; kill(): Promise<void> },
  token: string,
  next: () => ProductionReport,
  receipts: Map<ProductionReport, string>,
): Promise<readonly ProductionReport[]> {
  const unanswered: ProductionReport[] = [];
  let [count, isOver] = [0, false];
  const send = async (): Promise<void> => {
    while (!isOver) {
      const report = next();
      try {
        const { status, text } = await postReport(at.base, token, report);
        if (status !== 201) throw new Error(`${status} ${text}`);
        receipts.set(report, text);
        count += 1;
      } catch (error) {
        if (!isOver) throw error;
        unanswered.push(report);
      }
    }
  };
  const sending = Promise.all(Array.from({ length: senders }, send));
  while (count < receiptsPerRound) await Promise.race([sending, new Promise((resolve) => setImmediate(resolve))]);
  isOver = true;
  await Promise.all([at.kill(), sending]);
  return unanswered;
}

async function killStorm(folder: string, database: object): Promise<void> {
  let made = 0;
  const receipts = new Map<ProductionReport, string>();
  let { server, base } = await startServer(folder, database);
  const operatorToken = readFileSync(join(folder, 'data/operator-token'), 'utf8').trim();
  const factory: HttpFactory = await enrolOver(base, operatorToken, '0999999983', plants);
  const next = (): ProductionReport => {
    const number = made++;
    const establishmentId = plants[number % plants.length] ?? '';
    return signedSample({ enterpriseId: factory.enterpriseId, establishmentId, day: Math.floor(number / plants.length) }, factory.key);
  };
  let before: Head = await getJson<Head>(`${base}/v1/log/sth`);

  for (let round = 0; round < rounds; round++) {
    const token = await factory.login(base);
    const unanswered = await sendUntilKilled({ base, kill: () => server.kill() }, token, next, receipts);
    ({ server, base } = await startServer(folder, database));
    // What the sender does not know of it sends again: it was stored or not, never twice.
    const again = await factory.login(base);
    for (const report of unanswered) {
      const { status, text } = await postReport(base, again, report);
      expect([200, 201]).toContain(status);
      receipts.set(report, text);
    }
    const after = await getJson<Head>(`${base}/v1/log/sth`);
    expect(after.treeSize).toBe(receipts.size);
    const { proof } = await getJson<{ proof: string[] }>(`${base}/v1/log/proof?first=${before.treeSize}`);
    const [firstRoot, secondRoot] = [hashOfText(before.rootHash), hashOfText(after.rootHash)];
    expect(verifyConsistency(before.treeSize, after.treeSize, firstRoot, secondRoot, proof.map(hashOfText))).toBe(true);
    before = after;
  }

  const { keys } = await getJson<{ keys: object[] }>(`${base}/v1/log/keys`);
  expect(keys).toHaveLength(1);
  const platformKey = publicKeyFromJwk(keys[0]);
  const token = await factory.login(base);
  const leaves = new Set<number>();
  for (const [report, text] of receipts) {
    const receipt = JSON.parse(text) as Receipt;
    expect(verifyReceipt(receipt, report, platformKey)).toEqual({ ok: true });
    leaves.add(receipt.log.leafIndex);
    expect(await (await postReport(base, token, report)).text).toBe(text);
  }
  expect(leaves.size).toBe(receipts.size);
  expect((await getJson<Head>(`${base}/v1/log/sth`)).treeSize).toBe(receipts.size);
  await server.stop();
}

describe('killed in the middle of the intake, again and again', () => {
  it('the embedded database has each report that got a receipt, once, and its log goes on', { timeout: 180_000 }, async () => {
    const folder = newFolder();
    mkdirSync(join(folder, 'data'), { mode: 0o700 });
    renameSync(await makeTestCluster(), join(folder, 'data/database'));
    await killStorm(folder, { type: 'embedded' });
  });

  it.skipIf(!hasPostgres)('a PostgreSQL server (apt-get install postgresql) too', { timeout: 180_000 }, async () => {
    const folder = newFolder();
    const postgres: Postgres = await startPostgres(folder);
    undo.push(() => postgres.stop());
    await killStorm(folder, { type: 'postgres', url: postgres.url });
  });
});
