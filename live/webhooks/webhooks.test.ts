import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createLiveHub } from '../hub.ts';
import { plant, press } from '../testing/plant.ts';
import { eventually, type Rig, startRig } from '../testing/rig.ts';
import { webhooksConfig } from './config.ts';
import { createEventSource } from './events.ts';
import { readSigningKey } from './sign.ts';
import { isWanted } from './webhooks.ts';

const startMs = Date.now() - 60_000;
let folder: string;
let server: Server;
let rig: Rig;
const bodies: Record<string, unknown>[] = [];
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-hook-'));
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, `whsec_${Buffer.alloc(32, 9).toString('base64')}\n`);
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      bodies.push(JSON.parse(text) as Record<string, unknown>);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const hanging = { name: 'hangs', url: 'http://127.0.0.1:9/', secretFile };
  const webhooks = webhooksConfig.parse([{ name: 'erp', url, secretFile, allowPrivateNetwork: true, machines: [press] }, hanging]);
  const history = [[press, 'State', startMs, 'running'] as const, [press, 'Alarm/Old', startMs, true] as const];
  rig = await startRig({ config: { webhooks, demo: true }, history });
});
afterAll(async () => {
  await rig.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

it('tells a change of state and of alarms, not what was so before the start, and counts it', async () => {
  await rig.publish(press, { State: 'fault', 'State/Reason': 'jam', 'Alarm/Feeder': true, 'Count/Good': 5 });
  await eventually(() => (bodies.length >= 2 ? true : undefined));
  await rig.publish(press, { 'Alarm/Feeder': false, 'Alarm/Old': true });
  await rig.publish('hoalac/other/M09', { State: 'fault' });
  await eventually(() => (bodies.some(({ type }) => type === 'alarm.cleared') ? true : undefined));
  const about = { machine: press, name: 'Máy dập 1', line: 'L1' };
  const timestamp = expect.stringMatching(/^\d{4}-.+Z$/);
  expect(bodies.filter(({ type }) => type !== 'machine.connection')).toEqual([
    { type: 'machine.state', timestamp, data: { ...about, state: 'fault', previousState: 'running', reason: 'jam' } },
    { type: 'alarm.raised', timestamp, data: { ...about, alarm: 'Feeder' } },
    { type: 'alarm.cleared', timestamp, data: { ...about, alarm: 'Feeder' } },
  ]);
  const metrics = await (await fetch(`${rig.url}/metrics`)).text();
  expect(metrics).toMatch(/live_webhook_events_total\{webhook="erp",outcome="delivered"\} [3-9]/);
  expect(metrics).toContain('live_webhook_up{webhook="hangs"} 0');
});

it('gives an event the same id when it is told again, and no event for what only has a new time', () => {
  const tell = () => {
    const hub = createLiveHub({ epoch: '', plant });
    hub.advance(startMs);
    hub.applySample(press, 'State', startMs, 'running', 192);
    hub.tick(startMs);
    const source = createEventSource(hub);
    hub.applySample(press, 'State', startMs + 5, 'fault', 192);
    hub.applySample(press, 'Alarm/A', startMs + 5, true, 192);
    const events = source.read(hub.tick(startMs + 10_000));
    hub.applySample(press, 'State', startMs + 9000, 'fault', 192);
    expect(source.read(hub.tick(startMs + 20_000))).toEqual([]);
    return events.map(({ id, type }) => `${type} ${id}`);
  };
  const told = tell();
  expect(told).toEqual([expect.stringMatching(/^machine.state evt_[\w-]{22}$/), expect.stringMatching(/^alarm.raised evt_/)]);
  expect(tell()).toEqual(told);
});

it('does not tell an alarm as gone that others pushed out of the overview', () => {
  const hub = createLiveHub({ epoch: '', plant });
  hub.advance(startMs);
  hub.tick(startMs);
  const source = createEventSource(hub);
  const raise = (names: readonly string[], active: boolean, atMs: number) => {
    for (const name of names) hub.applySample(press, `Alarm/${name}`, atMs, active, 192);
    return source.read(hub.tick(atMs)).filter(({ type }) => type !== 'machine.connection');
  };
  expect(raise(['z'], true, startMs + 1000)).toHaveLength(1);
  const many = Array.from({ length: 100 }, (_, i) => `a${i}`);
  expect(raise(many, true, startMs + 2000).map(({ type }) => type)).toEqual(many.map(() => 'alarm.raised'));
  expect(raise(['z'], false, startMs + 4000).map(({ type }) => type)).toEqual(['alarm.cleared']);
});

it('chooses by machine, folder of machines and kind', () => {
  const event = { id: '', type: 'alarm.raised', machine: 'g/e/M1', body: '' } as const;
  const wants = (machines: readonly string[]) => isWanted({ events: ['alarm.raised'], machines: [...machines] }, event);
  expect([[], ['g/e/M1'], ['g/e/'], ['g/']].map(wants)).toEqual([true, true, true, true]);
  expect([['g/e/M'], ['g/e/M11'], ['e/']].map(wants)).toEqual([false, false, false]);
  expect(isWanted({ events: ['machine.state'], machines: [] }, event)).toBe(false);
});

it('refuses a secret that is none, and two of one name', () => {
  const weak = join(folder, 'weak');
  writeFileSync(weak, 'whsec_c2hvcnQ=');
  expect(() => readSigningKey('erp', weak)).toThrow(/24 to 64 bytes/);
  expect(() => readSigningKey('erp', join(folder, 'none'))).toThrow(/cannot be read/);
  const hook = { name: 'a', url: 'https://example.vn', secretFile: 'x' };
  expect(webhooksConfig.safeParse([hook, hook]).success).toBe(false);
  expect(webhooksConfig.safeParse([{ ...hook, url: 'ftp://example.vn' }]).success).toBe(false);
});
