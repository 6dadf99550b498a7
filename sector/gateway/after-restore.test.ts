import { dirname } from 'node:path';
import { createSimDisk, type SimDisk } from '@nhip/core/process/simulation/sim-disk';
import { replaceSmallFile } from '@nhip/core/process/small-file';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoredMark } from './after-restore.ts';
import { type ModelPlatform, startModelPlatform } from './testing/model-platform.ts';
import { createTestGateway, dayMs, hourMs, policyYaml, startMs, type TestGateway } from './testing/test-gateway.ts';
import { createTestPlant } from './testing/test-plant.ts';

const plant = createTestPlant({ seed: 1, machines: 3, fromMs: startMs, toMs: startMs + 10 * dayMs, lateEvery: 1e9, now: () => 0 });

let platform: ModelPlatform;
let running: TestGateway[] = [];
beforeEach(async () => {
  platform = await startModelPlatform();
});
afterEach(async () => {
  await Promise.all(running.splice(0).map(({ gateway }) => gateway.stop()));
  await platform.close();
});

function plantGateway(options: Partial<Parameters<typeof createTestGateway>[0]> = {}): TestGateway {
  const test = createTestGateway({
    figures: () => ({ site: async ({ fromMs, toMs }) => plant.truth(fromMs, toMs) }),
    platformKey: platform.key.privateKey,
    secret: platform.clientSecret,
    approval: 'standing',
    intervalMs: 30 * dayMs,
    ...options,
  });
  running = [...running, test];
  return test;
}

async function begin(test: TestGateway, version = 1): Promise<void> {
  test.setPolicy(policyYaml({ url: platform.url, hold: 'PT0M', version }));
  await test.gateway.start();
  await test.gateway.work();
  await test.approveAll();
  await test.gateway.work();
}

async function work(test: TestGateway) {
  for (let pass = 0; pass < 3; pass++) await test.gateway.work();
  return (await test.gateway.desk.items({ limit: 200 })).items;
}

async function copyOf(test: TestGateway, isMarked: boolean): Promise<SimDisk> {
  const copy = createSimDisk();
  const disk = copy.boot();
  for (const path of test.disk.files().filter((each) => each.startsWith('outbox/'))) {
    await disk.makeDir(dirname(path));
    const file = await disk.open(path, 'create');
    await file.write(test.disk.content(path), 0).finally(() => file.close());
  }
  if (isMarked) await replaceSmallFile(copy.boot(), 'outbox', restoredMark, Buffer.from('{}'));
  return copy;
}

describe('a gateway whose outbox was put back from a backup', () => {
  it('sends nothing, makes and keeps everything, until people have approved a version of the policy anew', async () => {
    const test = plantGateway();
    await begin(test);
    const disk = await copyOf(test, true);
    await test.gateway.stop();
    const again = plantGateway({ disk, clock: test.clock, key: test.key });
    await begin(again);
    await again.clock.advance(dayMs + hourMs);
    expect((await work(again)).map(({ state }) => state)).toEqual(['held']);
    // The mark is in the journal now: another start does not end it.
    await again.restart();
    await work(again);
    expect(disk.files()).not.toContain(`outbox/${restoredMark}`);
    expect((await again.gateway.desk.overview()).alarms).toMatchObject([{ code: 'restored' }]);
    expect(platform.arrivals.size).toBe(0);

    again.setPolicy(policyYaml({ url: platform.url, hold: 'PT0M', version: 2 }));
    await work(again);
    await again.approveAll();
    expect((await work(again)).map(({ state }) => state)).toEqual(['accepted', 'superseded']);
    expect((await again.gateway.desk.overview()).alarms).toEqual([]);
  });

  it('takes over what it sent since, and the next revision follows it', async () => {
    const test = plantGateway();
    await begin(test);
    const disk = await copyOf(test, false);
    await test.clock.advance(dayMs + hourMs);
    const [sent] = await work(test);
    expect(sent?.state).toBe('accepted');
    const { text } = await test.gateway.desk.item(sent?.id ?? '');
    await test.gateway.stop();

    const again = plantGateway({ disk, clock: test.clock, key: test.key, seed: 2 });
    await begin(again);
    const items = await work(again);
    expect(items).toMatchObject([
      { id: sent?.id, state: 'duplicate', digest: sent?.digest, receipt: sent?.receipt },
      { state: 'superseded', revision: 1 },
    ]);
    expect((await again.gateway.desk.item(sent?.id ?? '')).text).toBe(text);
    expect(JSON.parse((await again.gateway.desk.receipt(sent?.id ?? '')).text)).toMatchObject({ digest: sent?.digest });
    // The figures are the same: there is nothing to tell.
    await again.clock.advance(hourMs);
    expect(await work(again)).toHaveLength(2);
    await again.gateway.desk.withdraw(sent?.id ?? '', 'giam-doc');
    const [withdrawal] = await work(again);
    expect(withdrawal).toMatchObject({ state: 'accepted', revision: 2, status: 'withdrawn' });
    expect([...platform.series.values()].map((revisions) => revisions.length)).toEqual([2]);
  });

  it('does not take over what another key signed: it stops and says so, and goes on with other periods', async () => {
    const stranger = plantGateway();
    await begin(stranger);
    await stranger.clock.advance(dayMs + hourMs);
    await work(stranger);
    await stranger.gateway.stop();

    const test = plantGateway({ seed: 2 });
    await begin(test);
    await test.clock.advance(dayMs + hourMs);
    expect((await work(test)).map(({ state }) => state)).toEqual(['rejected']);
    const { alarms } = await test.gateway.desk.overview();
    expect(alarms).toMatchObject([{ code: 'report_conflict', recipient: 'sector-platform', text: { vi: /hãy hỏi bên nhận/ } }]);
    await test.clock.advance(dayMs);
    expect((await work(test)).map(({ state }) => state)).toEqual(['accepted', 'rejected']);
    expect([...platform.series.values()].map((revisions) => revisions.length)).toEqual([1, 1]);
  });
});
