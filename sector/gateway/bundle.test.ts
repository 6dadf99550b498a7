import { dirname } from 'node:path';
import type { Disk } from '@nhip/core/process/env';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { digestOfBytes } from '../contract/digest.ts';
import { type ModelPlatform, startModelPlatform } from './testing/model-platform.ts';
import { createTestGateway, dayMs, hourMs, policyYaml, startMs, type TestGateway } from './testing/test-gateway.ts';
import { createTestPlant } from './testing/test-plant.ts';

const plant = createTestPlant({ seed: 1, machines: 3, fromMs: startMs, toMs: startMs + 10 * dayMs, lateEvery: 1e9, now: () => 0 });

let platform: ModelPlatform;
let stick: SimDisk;
/** The folder of the bundle, for the gateway and for the person who carries it. */
let disk: Disk;
let test: TestGateway;
beforeAll(async () => {
  platform = await startModelPlatform();
});
afterAll(() => platform.close());

beforeEach(async () => {
  (platform.series as Map<string, Buffer[]>).clear();
  platform.trouble = undefined;
  stick = createSimDisk();
  disk = stick.boot();
  test = begin();
  test.setPolicy(policyYaml({ url: '', adapter: 'file-bundle', hold: 'PT0M' }));
  await test.gateway.start();
  await test.gateway.work();
  await test.approveAll();
});

function begin(seed = 1): TestGateway {
  return createTestGateway({
    figures: () => ({ site: async ({ fromMs, toMs }) => plant.truth(fromMs, toMs) }),
    platformKey: platform.key.privateKey,
    secret: '',
    seed,
    bundle: disk,
    intervalMs: 30 * dayMs,
  });
}

async function work() {
  for (let pass = 0; pass < 3; pass++) await test.gateway.work();
  return (await test.gateway.desk.items({})).items;
}

/** A day is over and two people agree. */
async function aDay() {
  await test.clock.advance(dayMs);
  await work();
  await test.approveAll();
  const [item] = await work();
  if (item === undefined) throw new Error('no report was made');
  return item;
}

const reportFiles = (): readonly string[] => stick.files().filter((path) => /^outbox\/[0-9a-f]{64}\.json$/.test(path));
const inbox = (): readonly string[] => stick.files().filter((path) => path.startsWith('inbox/'));

/** Carries bytes to the platform, as a person with a stick does, and returns its receipt. */
async function carry(bytes: Uint8Array): Promise<Buffer> {
  const origin = new URL(platform.url).origin;
  const form = new URLSearchParams({ client_secret: platform.clientSecret });
  const { access_token: token } = (await (await fetch(`${origin}/oauth/token`, { method: 'POST', body: form })).json()) as {
    access_token: string;
  };
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${platform.url}/reports`, { method: 'POST', headers, body: Buffer.from(bytes) });
  return Buffer.from(await answer.arrayBuffer());
}

async function bringBack(name: string, bytes: Uint8Array): Promise<void> {
  const path = `inbox/${name}`;
  await disk.makeDir(dirname(path));
  const file = await disk.open(path, 'create');
  await file.write(bytes, 0).finally(() => file.close());
}

describe('a plant without a line', () => {
  it('puts the approved report into the folder, and counts it as accepted when its receipt is brought back', async () => {
    await test.clock.advance(dayMs);
    await work();
    expect(reportFiles()).toEqual([]);
    await test.approveAll();
    const [item] = await work();
    expect(item?.state).toBe('sending');
    const [file = ''] = reportFiles();
    const bytes = stick.content(file);
    expect(file).toBe(`outbox/${item?.digest?.slice('sha-256:'.length)}.json`);
    expect(Buffer.from(bytes).toString('utf8')).toBe((await test.gateway.desk.item(item?.id ?? '')).text);

    const receipt = await carry(bytes);
    // It has left, but nobody has said so: nothing is counted.
    expect((await work()).map(({ state }) => state)).toEqual(['sending']);
    await bringBack('bien-nhan.json', receipt);
    const [done] = await work();
    expect(done).toMatchObject({ state: 'accepted', receipt: { receiptId: item?.id } });
    expect((await test.gateway.desk.receipt(item?.id ?? '')).text).toBe(receipt.toString('utf8'));
    expect([reportFiles(), inbox()]).toEqual([[], ['inbox/taken/bien-nhan.json']]);
    expect((await test.gateway.desk.overview()).alarms).toEqual([]);
    await test.gateway.stop();
  });

  it('waits as long as the receipt is missing, and writes again what somebody deleted', async () => {
    await aDay();
    const [file = ''] = reportFiles();
    const before = Buffer.from(stick.content(file)).toString('utf8');
    await disk.unlink(file);
    await test.clock.advance(hourMs);
    expect((await work()).map(({ state }) => state)).toEqual(['sending']);
    expect(Buffer.from(stick.content(file)).toString('utf8')).toBe(before);
    await test.restart();
    await work();
    expect(reportFiles()).toEqual([file]);
    await test.gateway.stop();
  });

  it('takes no receipt that was forged, cut, or is for other bytes, says so, and takes the right one later', async () => {
    const item = await aDay();
    const bytes = stick.content(reportFiles()[0] ?? '');
    platform.trouble = () => 'forged-receipt';
    const forged = await carry(bytes);
    platform.trouble = undefined;
    const good = await carry(bytes);
    const other = Buffer.from(good.toString('utf8').replace(item.digest ?? '', digestOfBytes(Buffer.from('other'))));
    await bringBack('1-forged.json', forged);
    await bringBack('2-cut.json', good.subarray(0, 100));
    await bringBack('3-other.json', other);
    await bringBack('4-empty.json', Buffer.alloc(0));
    await bringBack('5-huge.json', Buffer.alloc(300_000, 32));
    expect((await work()).map(({ state }) => state)).toEqual(['sending']);
    expect((await test.gateway.desk.overview()).alarms).toMatchObject([{ code: 'receipt_invalid', recipient: 'sector-platform' }]);
    expect(inbox()).toHaveLength(5);
    expect(inbox().every((path) => path.startsWith('inbox/not-ours/'))).toBe(true);
    expect(reportFiles()).toHaveLength(1);
    await bringBack('right.json', good);
    expect((await work()).map(({ state }) => state)).toEqual(['accepted']);
    expect((await test.gateway.desk.overview()).alarms).toEqual([]);
    await test.gateway.stop();
  });

  it('says so when a receipt comes for a report of this plant that it does not know', async () => {
    await aDay();
    const bytes = stick.content(reportFiles()[0] ?? '');
    const receipt = await carry(bytes);
    await test.gateway.stop();
    // The same plant without its outbox, as after a disk that died.
    stick = createSimDisk();
    disk = stick.boot();
    test = begin(2);
    test.setPolicy(policyYaml({ url: '', adapter: 'file-bundle', hold: 'PT0M' }));
    await test.gateway.start();
    await test.gateway.work();
    await test.approveAll();
    await aDay();
    await bringBack('old.json', receipt);
    await work();
    const { alarms } = await test.gateway.desk.overview();
    expect(alarms).toMatchObject([{ code: 'report_conflict', text: { en: /which is not here/ } }]);
    expect(inbox()).toEqual(['inbox/not-ours/old.json']);
    await test.gateway.stop();
  });

  it('keeps the receipt of a report whose consent was taken back while it was on its way', async () => {
    const item = await aDay();
    const receipt = await carry(stick.content(reportFiles()[0] ?? ''));
    await test.gateway.desk.revoke('sector-platform', 'vn.sector.production-report', 'giam-doc');
    await bringBack('late.json', receipt);
    await work();
    expect(await test.gateway.desk.item(item.id)).toMatchObject({ state: 'withdrawn', receipt: { receiptId: item.id } });
    expect(inbox()).toEqual(['inbox/taken/late.json']);
    await test.gateway.stop();
  });
});
