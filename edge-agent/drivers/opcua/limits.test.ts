import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quality } from '@nhip/core/wire/sample';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followDriver, opcuaDeps } from '../../testing/opcua-follow.ts';
import { startOpcuaServer, type TestOpcuaServer } from '../../testing/opcua-server.ts';
import { waitFor } from '../../testing/wait-for.ts';
import { inChunks } from './limits.ts';

const fault = (name: string): Error => Object.assign(new Error(name), { response: { responseHeader: { serviceResult: { name } } } });

describe('requests in chunks', () => {
  it('get smaller when the server finds them too large, and lose nothing', async () => {
    const sizes: number[] = [];
    const done: number[] = [];
    const all = Array.from({ length: 100 }, (_, i) => i);
    await inChunks(all, 64, async (chunk, from) => {
      sizes.push(chunk.length);
      if (chunk.length > 20) throw fault('BadTooManyOperations');
      expect(chunk[0]).toBe(from);
      done.push(...chunk);
    });
    expect(done).toEqual(all);
    expect(sizes).toEqual([64, 32, 16, 16, 16, 16, 16, 16, 4]);
  });

  it('fail with what is no matter of size', async () => {
    const refuse = (name: string) => inChunks([1, 2, 3, 4], 4, () => Promise.reject(fault(name)));
    await expect(refuse('BadSessionIdInvalid')).rejects.toThrow('BadSessionIdInvalid');
    await expect(refuse('BadEncodingLimitsExceeded')).rejects.toThrow('BadEncodingLimitsExceeded');
    await expect(inChunks([1, 2], 2, () => Promise.reject(new Error('timeout')))).rejects.toThrow('timeout');
  });
});

describe('a server with limits', { timeout: 60_000 }, () => {
  const uri = 'urn:plant';
  let folder: string;
  let server: TestOpcuaServer;
  const lines: string[] = [];
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nhip-opcua-limits-'));
    server = await startOpcuaServer({
      namespaces: [uri],
      nodes: [
        ...Array.from({ length: 40 }, (_, i) => ({ node: `nsu=${uri};s=n${i}`, dataType: 'Double' as const, value: i })),
        { node: `nsu=${uri};s=when`, dataType: 'DateTime', value: new Date(1_700_000_000_000) },
      ],
      capabilities: { maxSubscriptionsPerSession: 1, operationLimits: { maxMonitoredItemsPerCall: 7, maxNodesPerRead: 50 } },
    });
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const follow = (tags: readonly object[], more: object = {}) => {
    const connection = { id: 'c', driver: 'opcua', endpoint: server.endpoint, securityMode: 'None', ...more };
    const deps = { ...opcuaDeps(folder), log: pino({ base: null }, { write: (line: string) => lines.push(line) }) };
    return followDriver({ ...connection, devices: [{ id: 'd', intervalMs: 50, tags }] }, deps);
  };
  const tag = (i: number, more: object = {}): object => ({ metric: `m${i}`, node: `nsu=${uri};s=n${i}`, dataType: 'Double', ...more });

  it('puts scan classes together when it has no room for more subscriptions', async () => {
    const before = server.subscriptions();
    const tags = Array.from({ length: 40 }, (_, i) => tag(i, { intervalMs: [50, 100, 250][i % 3] }));
    const { driver, last } = await follow(tags, { profile: 'kepware' });
    await waitFor('all values', () => tags.every((_, i) => last(`m${i}`)?.value === i));
    expect(server.subscriptions()).toBe(before + 1);
    await driver.close();
  });

  it('lets the server apply deadbands, and takes every change where it cannot', async () => {
    const tags = [
      tag(0, { metric: 'filtered', deadband: 5, scale: 10 }),
      tag(1, { metric: 'plain' }),
      tag(2, { metric: 'Count/Good', deadband: 5 }),
      { metric: 'when', node: `nsu=${uri};s=when`, dataType: 'Double', deadband: 10_000 },
    ];
    const { driver, all, last } = await follow(tags, { profile: 's7-1500' });
    await waitFor('all values', () => ['filtered', 'plain', 'Count/Good', 'when'].every((metric) => last(metric) !== undefined));
    expect(last('when')).toMatchObject({ value: 1_700_000_000_000, quality: quality.good });
    expect(lines.filter((line) => line.includes('cannot be followed'))).toEqual([]);
    server.set(`nsu=${uri};s=n0`, 0.4);
    server.set(`nsu=${uri};s=n2`, 3);
    server.set(`nsu=${uri};s=when`, new Date(1_700_000_000_001));
    await waitFor('the small changes', () => last('Count/Good')?.value === 3 && last('when')?.value === 1_700_000_000_001);
    server.set(`nsu=${uri};s=n0`, 0.6);
    await waitFor('the large change', () => last('filtered')?.value === 6);
    expect(all('filtered').map(({ value }) => value)).toEqual([0, 6]);
    await driver.close();
  });

  it('takes every change of a server that nobody has described: its deadband may lose a slow drift', async () => {
    const node = `nsu=${uri};s=n3`;
    const { driver, all, last } = await follow([tag(3, { metric: 'drift', deadband: 5 })]);
    await waitFor('the first value', () => last('drift')?.value === 3);
    for (const value of [4, 5, 6, 7]) {
      server.set(node, value);
      await waitFor('the small change', () => last('drift')?.value === value);
    }
    expect(all('drift').map(({ value }) => value)).toEqual([3, 4, 5, 6, 7]);
    await driver.close();
  });

  it('names the first of many nodes that are not there, and counts the others', async () => {
    lines.length = 0;
    const tags = Array.from({ length: 60 }, (_, i) => ({ metric: `x${i}`, node: `nsu=${uri};s=x${i}`, dataType: 'Double' }));
    const { driver, last } = await follow(tags);
    await waitFor('all refusals', () => tags.every((_, i) => last(`x${i}`)?.quality === quality.bad));
    expect(lines.filter((line) => line.includes('The node cannot be followed')).length).toBe(20);
    expect(lines.at(-1)).toContain('"nodes":40');
    await driver.close();
  });
});
