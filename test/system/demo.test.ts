import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DescribedAnswers, readDescription } from '../harness/described-answers.ts';
import { nhip, type Process, runNhip } from '../harness/nhip.ts';
import { type DataFolder, makeDataFolder } from '../harness/plant.ts';
import { until } from '../harness/until.ts';

/** `npm start` as a whole: a visitor sees a report held, agrees as two people, and gets a receipt that holds without us. */

interface Login {
  readonly username: string;
  readonly password: string;
}
interface Started {
  readonly http: number;
  readonly sector: number;
  readonly secondLogin?: Login;
}
interface Report {
  readonly id: string;
  readonly state: string;
  readonly digest: string;
  readonly text?: string;
  readonly period: { readonly from: string; readonly to: string };
}

const admin: Login = { username: 'admin', password: 'test-admin-password' };
let data: DataFolder;
let demo: Process;
let started: Started;
let described: DescribedAnswers;

async function start(): Promise<Started> {
  demo = nhip(['demo', '--data', data.path, '--http-port', '0', '--mqtt-port', '0', '--json']);
  return (await demo.ready) as unknown as Started;
}

beforeAll(async () => {
  data = makeDataFolder();
  started = await start();
  described = await readDescription(`http://127.0.0.1:${started.http}`);
}, 180_000);
afterAll(async () => {
  await demo?.stop();
  data.remove();
});

async function ask<T>(path: string, who: Login, body?: object): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${started.http}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`${who.username}:${who.password}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  const answer = JSON.parse(text) as T;
  described.check(body === undefined ? 'GET' : 'POST', `/api/v1${path}`, response.status, answer);
  return answer;
}

const reports = async (): Promise<readonly Report[]> => (await ask<{ reports: readonly Report[] }>('/sharing/reports', admin)).reports;
const leaves = async (): Promise<number> => {
  const head = (await (await fetch(`http://127.0.0.1:${started.sector}/v1/log/sth`)).json()) as { readonly treeSize: number };
  return head.treeSize;
};

describe('the demo', () => {
  it('has sent every day but the last, which waits for two people', async () => {
    const all = await until(
      'only yesterday is held',
      async () => {
        const found = await reports();
        const [newest, ...older] = found;
        return newest?.state === 'held' && older.length >= 4 && older.every(({ state }) => state === 'accepted') ? found : undefined;
      },
      120_000,
    );
    expect(all.map(({ period }) => period.from)).toEqual([...all.map(({ period }) => period.from)].sort().reverse());
  }, 150_000);

  it('sends exactly the bytes that two people saw, and the receipt can be verified without a network', async () => {
    const [held] = await reports();
    if (held === undefined || started.secondLogin === undefined) throw new Error('nothing is held, or nobody can agree');
    const seen = await ask<Report>(`/sharing/reports/${held.id}`, admin);
    const approve = (who: Login) => ask<Report>(`/sharing/reports/${held.id}/approve`, who, { digest: held.digest });
    expect((await approve(admin)).state).toBe('held');
    await expect(approve(admin)).rejects.toThrow(/409/);
    await approve(started.secondLogin);
    await until('it is accepted', async () => (await ask<Report>(`/sharing/reports/${held.id}`, admin)).state === 'accepted', 30_000);
    const receipt = await ask<object>(`/sharing/reports/${held.id}/receipt`, admin);
    const folder = join(data.path, 'given');
    mkdirSync(folder);
    writeFileSync(join(folder, 'report.json'), seen.text ?? '');
    writeFileSync(join(folder, 'receipt.json'), JSON.stringify(receipt));
    const { publicKey } = await ask<{ publicKey: object }>('/sharing', admin);
    writeFileSync(join(folder, 'plant.json'), JSON.stringify(publicKey));
    const good = await runNhip(['sector', 'verify', join(folder, 'report.json'), '--key', join(folder, 'plant.json')]);
    expect([good.code, good.stdout]).toEqual([0, expect.stringContaining(held.digest)]);
    const platformKey = join(data.path, 'sector-platform-key.json');
    const args = ['sector', 'verify', join(folder, 'receipt.json'), '--key', platformKey, '--report', join(folder, 'report.json')];
    expect(await runNhip(args)).toMatchObject({ code: 0 });
    writeFileSync(join(folder, 'report.json'), (seen.text ?? '').replace('"running":', '"running":1'));
    expect(await runNhip(args)).toMatchObject({ code: 1 });
  }, 60_000);

  it('shows the policy, its versions and every report as the description of the interface says', async () => {
    const { recipients, policy } = await ask<{ recipients: readonly { sharing: string }[]; policy?: object }>('/sharing', admin);
    expect([recipients.map(({ sharing }) => sharing), policy]).toEqual([['on'], expect.anything()]);
    expect((await ask<{ policies: readonly { state: string }[] }>('/sharing/policies', admin)).policies[0]?.state).toBe('in-force');
    for (const { id } of await reports()) expect((await ask<Report>(`/sharing/reports/${id}`, admin)).id).toBe(id);
  }, 30_000);

  it('says the same on the board as in the report, to the second, the piece and the Wh', async () => {
    const [last] = await reports();
    const { text = '', period } = await ask<Report>(`/sharing/reports/${last?.id}`, admin);
    const report = JSON.parse(text) as {
      machines: { secondsByState: Record<string, number> };
      production: { output: { produced: string; good: string }[] };
      energy: { quantity: string }[];
    };
    const query = new URLSearchParams({ scope: 'site', from: period.from, to: period.to });
    const { rows } = await ask<{
      rows: { parts: { statesMs: Record<string, number>; produced: number; good: number; energyWh: number } }[];
    }>(`/kpi?${query}`, admin);
    const parts = rows[0]?.parts;
    for (const [state, seconds] of Object.entries(report.machines.secondsByState))
      expect(Math.abs(seconds - (parts?.statesMs[state] ?? 0) / 1000)).toBeLessThan(1);
    const sum = (list: readonly string[]): number => Math.round(list.reduce((total, each) => total + Number(each) * 1000, 0)) / 1000;
    expect(sum(report.production.output.map(({ produced }) => produced))).toBe(parts?.produced);
    expect(sum(report.production.output.map(({ good }) => good))).toBe(parts?.good);
    expect(Math.round(Number(report.energy[0]?.quantity) * 1000)).toBe(parts?.energyWh);
  }, 30_000);

  it('is joined by two factories of other sectors, and sends nothing twice after a restart', async () => {
    const own = (await reports()).length;
    const all = await until(
      'the other factories have reported seven days each',
      async () => {
        const size = await leaves();
        return size >= own + 14 ? size : undefined;
      },
      120_000,
    );
    const { code } = await demo.stop();
    expect(code).toBe(0);
    started = { ...started, ...(await start()) };
    await until('reports can be read', async () => (await reports()).length === own, 60_000);
    expect((await reports()).every(({ state }) => state === 'accepted')).toBe(true);
    expect(await leaves()).toBe(all);
  }, 240_000);
});
