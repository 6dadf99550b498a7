import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@nhip/core/process/errors';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runAction } from './testing/run-action.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-check-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Every problem that `edge check` tells of a file; none when it is good. */
async function check(text: string): Promise<readonly string[]> {
  const file = join(folder, 'edge.yaml');
  writeFileSync(file, text);
  try {
    await runAction('check', '--config', file);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const device = (id: string, ...metrics: readonly string[]): string =>
  `{ id: ${id}, unit: 1, tags: [${metrics.map((metric, i) => `{ metric: ${metric}, address: "holding:${i}:uint16" }`).join(', ')}] }`;
const connection = (id: string, ...devices: readonly string[]): string =>
  `  - { id: ${id}, driver: modbus, endpoint: "modbus-tcp://127.0.0.1:502", devices: [${devices.join(', ')}] }`;
const mqtt = 'mqtt: { url: "mqtt://127.0.0.1:1", passwordFile: mqtt-password, caFile: ca.pem }';
const head = `group: g\nedge: e\n${mqtt}\nconnections:\n`;

describe('edge check', () => {
  it('finds nothing wrong with a good file, whichever way its addresses are written', async () => {
    writeFileSync(join(folder, 'mqtt-password'), 'x\n');
    writeFileSync(join(folder, 'ca.pem'), 'x\n');
    const other = connection('b', device('N', 'A')).replace('modbus-tcp:', 'tcp:');
    expect(await check(`${head}${connection('a', device('M', 'A', 'B'))}\n${other}\n`)).toEqual([]);
  });

  it('tells of a file whose parts are good what is wrong with the whole', async () => {
    const text = `${head}${connection('a', device('M', 'A'))}\n${connection('a', device('M', 'A'))}\n`;
    expect(await check(text)).toEqual([
      'connections[1].id: the connection "a" is there twice, also at connections[0].id',
      'connections[1].devices[0].id: the device "M" is there twice, also at connections[0].devices[0].id',
      `mqtt.passwordFile: ${join(folder, 'mqtt-password')} cannot be read (ENOENT)`,
      `mqtt.caFile: ${join(folder, 'ca.pem')} cannot be read (ENOENT)`,
    ]);
  });

  it('tells the same along with what the schema says, each once', async () => {
    const wrong = device('O', 'A', 'a').replace('unit: 1', 'unti: 1');
    const twice = device('P', 'B', 'b');
    const text = `${head}${connection('a', device('M', 'A'))}\n${connection('c', device('M', 'A'), wrong)}\n${connection('d', twice)}\n`;
    expect(await check(text)).toEqual([
      expect.stringMatching(/^connections\[1\]\.devices\[1\]\.unit: is missing/),
      'connections[1].devices[1].unti: unknown key; check the spelling or remove it',
      expect.stringMatching(/^connections\[2\]\.devices\[0\]\.tags\[1\]\.metric: "b" is already the metric of tags\[0\]/),
      'connections[1].devices[0].id: the device "M" is there twice, also at connections[0].devices[0].id',
      'connections[1].devices[1].tags[1].metric: the tag "a" is there twice, also at connections[1].devices[1].tags[0].metric',
      `mqtt.passwordFile: ${join(folder, 'mqtt-password')} cannot be read (ENOENT)`,
      `mqtt.caFile: ${join(folder, 'ca.pem')} cannot be read (ENOENT)`,
    ]);
  });

  it('asks for a password also when the rest is wrong', async () => {
    expect(await check('group: g\nmqtt: { url: "mqtt://127.0.0.1:1" }\nconnections: []\n')).toEqual([
      'edge: is missing; expected string',
      expect.stringContaining('mqtt: password or passwordFile is missing'),
    ]);
  });

  it.each([
    'connections: [1, null, { devices: 3 }]',
    'mqtt: 5',
    '[]',
    '5',
    'a: [',
    'mqtt: { passwordFile: 7 }',
  ])('takes nonsense for what it is: %s', async (text) => {
    expect((await check(text)).length).toBeGreaterThan(0);
  });
});
