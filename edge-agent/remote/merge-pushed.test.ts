import { ConfigError } from '@nhip/core/process/errors';
import { describe, expect, it } from 'vitest';
import { resolveConnections } from '../agent.ts';
import { agentConfigOf } from '../config.ts';
import type { Connection } from '../reload/connection-set.ts';
import { mergePushed, pushedProblems } from './merge-pushed.ts';

const device = (tag: object = {}) => ({
  id: 'm',
  intervalMs: 100,
  tags: [{ metric: 'Speed', node: 'nsu=urn:x;s=Speed', dataType: 'Double', ...tag }],
});
const cell = (more: object = {}, tag: object = {}) => ({
  id: 'cell',
  driver: 'opcua',
  endpoint: 'opc.tcp://10.0.0.1',
  securityMode: 'SignAndEncrypt',
  devices: [device(tag)],
  ...more,
});
const own = {
  group: 'g',
  edge: 'e',
  mqtt: { url: 'mqtt://127.0.0.1', password: `\${${'MQTT_PASSWORD'}}` },
  remote: { configKeyFile: '/k.pub' },
  connections: [cell()],
};
const env = { MQTT_PASSWORD: 'secret', HOME: '/root' };

function merge(pushed: object, file: object = own): unknown {
  return mergePushed(JSON.stringify(pushed), JSON.stringify(file), 'pushed', env);
}

const problemsOf = (run: () => unknown): readonly string[] => {
  try {
    run();
    return [];
  } catch (error) {
    return error instanceof ConfigError ? error.problems : [String(error)];
  }
};

describe('what a pushed configuration may say', () => {
  it('is the connections; everything else is that of the file', () => {
    const connections = [cell({ endpoint: 'opc.tcp://10.0.0.2' })];
    const expected = { ...own, mqtt: { ...own.mqtt, password: 'secret' }, connections };
    expect(merge({ connections })).toEqual(expected);
    expect(merge({ ...own, connections })).toEqual(expected);
  });

  it.each([
    ['remote', { remote: { configKeyFile: '/other.pub' } }],
    ['remote', { remote: {} }],
    ['mqtt', { mqtt: { url: 'mqtt://evil', password: 'x' } }],
    ['edge', { edge: 'other' }],
    ['commands', { commands: { enabled: true } }],
    ['outbox', { outbox: { maxBytes: 5_000_000 } }],
  ])('is nothing else: %s', (key, change) => {
    const problems = problemsOf(() => merge({ connections: own.connections, ...change }));
    expect(problems).toEqual([`${key}: is not as in the file on the gateway, and may be changed only there`]);
  });

  it('names no environment variable, and has connections', () => {
    for (const name of ['MQTT_PASSWORD', 'HOME']) {
      const leak = [cell({ endpoint: `opc.tcp://\${${name}}` })];
      expect(problemsOf(() => merge({ connections: leak }))).toEqual([expect.stringContaining(name)]);
    }
    expect(problemsOf(() => merge({ group: 'g' }))).toEqual(['connections: is missing']);
    expect(problemsOf(() => mergePushed('[]', JSON.stringify(own), 'pushed', env))).toEqual(['connections: is missing']);
    expect(problemsOf(() => mergePushed('a: [', JSON.stringify(own), 'pushed', env)).length).toBeGreaterThan(0);
  });
});

describe('what a pushed configuration must not do', () => {
  const connections = (...list: object[]): readonly Connection[] =>
    resolveConnections(agentConfigOf({ ...own, connections: list }, 'test'), 'test');
  const problems = (pushed: object, before: object, allowsWritable = false): readonly string[] =>
    pushedProblems(connections(pushed), connections(before), allowsWritable);
  const user = { username: 'u', passwordFile: '/etc/nhip/plc' };

  it('is to name files that the file on the gateway does not name', () => {
    expect(problems(cell({ ...user, endpoint: 'opc.tcp://10.0.0.9' }), cell(user))).toEqual([]);
    expect(problems(cell({ ...user, passwordFile: '/etc/nhip/mqtt' }), cell(user))).toEqual([expect.stringContaining('/etc/nhip/mqtt')]);
    expect(problems(cell(user), cell())).toEqual([expect.stringContaining('/etc/nhip/plc')]);
  });

  it('is to have writable tags elsewhere than in a connection that is as in the file', () => {
    const writable = cell({}, { writable: true });
    expect(problems(writable, cell())).toEqual([expect.stringContaining('writable')]);
    expect(problems(writable, writable)).toEqual([]);
    const moved = cell({ endpoint: 'opc.tcp://10.0.0.9' }, { writable: true });
    expect(problems(moved, writable)).toEqual([expect.stringContaining('writable')]);
    expect(problems({ ...writable, id: 'other' }, writable)).toEqual([expect.stringContaining('connection other')]);
    expect(problems(moved, cell(), true)).toEqual([]);
    expect(problems(cell(), writable)).toEqual([]);
  });
});
