import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createSimClock, type SimClock } from '@nhip/core/process/simulation/sim-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { DriverDeps } from '../../driver.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { type HistoryProgress, type NodeProgress, openHistoryProgress } from './history-progress.ts';

let stateDir: string;
let clock: SimClock;
let deps: DriverDeps;
const id = 'cell 1/../x';
beforeAll(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'nhip-opcua-progress-'));
});
afterAll(() => rm(stateDir, { recursive: true, force: true }));
beforeEach(async () => {
  await rm(join(stateDir, 'opcua-history'), { recursive: true, force: true });
  clock = createSimClock(0);
  deps = { clock, random: createSimRandom(1), log: silentLog(), stateDir };
});

const stored = async (): Promise<NodeProgress | undefined> => (await openHistoryProgress(id, deps)).get('k');
const files = (): Promise<readonly string[]> => readdir(join(stateDir, 'opcua-history')).catch(() => []);

async function open(now: { progress: NodeProgress }): Promise<HistoryProgress> {
  const progress = await openHistoryProgress(id, deps);
  progress.keep(() => [['k', now.progress]]);
  return progress;
}

it('keeps what is true at the end, with gaps', async () => {
  const now = { progress: { lastMs: 5, gaps: [{ fromMs: 1, toMs: 2 }] } };
  const progress = await open(now);
  progress.changed();
  await progress.close();
  await progress.close();
  expect(await stored()).toEqual(now.progress);
  expect(await files()).toEqual(['cell%201%2F..%2Fx.json']);
});

it('writes nothing when nothing changed', async () => {
  const progress = await open({ progress: { lastMs: 5, gaps: [] } });
  await clock.advance(60_000);
  await progress.close();
  expect(await files()).toEqual([]);
});

it('lags one period behind while it runs: what was delivered a moment ago may not be durable', async () => {
  const now = { progress: { lastMs: 1, gaps: [] } };
  const progress = await open(now);
  progress.changed();
  await clock.advance(5_000);
  now.progress = { lastMs: 2, gaps: [] };
  progress.changed();
  await clock.advance(5_000);
  await waitForFile();
  expect((await stored())?.lastMs).toBe(1);
  // Nothing changes any more: the newest is written too.
  await clock.advance(5_000);
  await waitForLast(2);
  await progress.close();
});

it('begins anew with a damaged file', async () => {
  const progress = await open({ progress: { lastMs: 5, gaps: [] } });
  progress.changed();
  await progress.close();
  const [name = ''] = await files();
  await writeFile(join(stateDir, 'opcua-history', name), '{"version":1,"nodes":{"k":["x"]}}');
  expect(await stored()).toBeUndefined();
});

async function waitForFile(): Promise<void> {
  let names: readonly string[] = [];
  await waitFor('the file', () => {
    void files().then((found) => {
      names = found;
    });
    return names.some((name) => name.endsWith('.json'));
  });
}

async function waitForLast(lastMs: number): Promise<void> {
  let last: number | undefined;
  await waitFor(`the value ${lastMs}`, () => {
    void stored().then((found) => {
      last = found?.lastMs;
    });
    return last === lastMs;
  });
}
