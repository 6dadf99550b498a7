import { ConfigError } from '@nhip/core/process/errors';
import { describe, expect, it } from 'vitest';
import { parseAgentConfig } from '../config.ts';
import { drivers } from '../drivers/index.ts';
import { ruleProblems } from '../rules/derived-problems.ts';
import { loadProfiles } from './catalogue.ts';
import { expandProfiles } from './testing/expand-profiles.ts';

type Device = Readonly<Record<string, unknown>> & { readonly tags: readonly Readonly<Record<string, unknown>>[] };

function connection(devices: unknown, driver = 'modbus'): Readonly<Record<string, unknown>> {
  const settings =
    driver === 'opcua' ? { endpoint: 'opc.tcp://127.0.0.1:4840', securityMode: 'None' } : { endpoint: 'tcp://127.0.0.1:502' };
  return { id: 'c', driver, ...settings, devices };
}

function expand(device: unknown, driver?: string): Device {
  const { connections } = expandProfiles({ connections: [connection([device], driver)] }, 'edge.yaml') as {
    connections: { devices: Device[] }[];
  };
  const [only] = connections[0]?.devices ?? [];
  if (only === undefined) throw new Error('there is no device');
  return only;
}

function problemsOf(device: unknown, driver?: string): readonly string[] {
  try {
    expand(device, driver);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const baseOf = (id: string): unknown => {
  const base = loadProfiles().get(id)?.base;
  if (base === undefined) return {};
  return { base: base.is === 'path' ? 'path:/Objects/{urn:example}Machine1' : 40_069 };
};

describe('expandProfiles', () => {
  it.each(
    [...loadProfiles().values()].map(({ id, driver }) => [id, driver] as const),
  )('%s becomes a device that its driver takes', (id, driver) => {
    const device = expand({ id: 'd', ...(driver === 'modbus' ? { unit: 1 } : {}), profile: id, ...(baseOf(id) as object) }, driver);
    const plugin = drivers.get(driver);
    const result = plugin?.config.safeParse(connection([device], driver));
    expect(result?.error?.issues).toBeUndefined();
    if (plugin !== undefined && result?.success === true) expect(ruleProblems(plugin, result.data)).toEqual([]);
    expect(device.profile).toBe(`${id}@${loadProfiles().get(id)?.version}`);
  });

  it('is part of reading a configuration', () => {
    const text = `
group: g
edge: e
mqtt: { url: "mqtt://127.0.0.1" }
connections:
  - { id: c, driver: modbus, endpoint: "tcp://127.0.0.1:502", devices: [{ id: d, unit: 1, profile: eastron-sdm120@1 }] }
`;
    const [connection] = parseAgentConfig(text, 'edge.yaml', {}).connections as unknown as { maxWords: number; devices: Device[] }[];
    expect(connection).toMatchObject({ maxWords: 60, devices: [{ profile: 'eastron-sdm120@1', kind: 'energyMeter' }] });
    expect(connection?.devices[0]?.tags).toHaveLength(11);
    expect(() => parseAgentConfig(text.replace('sdm120@1', 'sdm121'), 'edge.yaml', {})).toThrow(/do you mean eastron-sdm120/);
  });

  it('its problems are told together with all others', () => {
    const text = `
group: g g
edge: e
mqtt: { url: "mqtt://127.0.0.1" }
connections:
  - id: c
    driver: modbus
    endpoint: "tcp://127.0.0.1:502"
    devices:
      - { id: a, unit: 1, profile: eastron-sdm121@1 }
      - { id: b, unit: 300, tags: [{ metric: M, address: "holding:0:uint16" }] }
`;
    expect(() => parseAgentConfig(text, 'edge.yaml', {})).toThrow(
      /: 3 problems\n.*devices\[0\]\.profile: "eastron-sdm121".*\n.*group: .*\n.*devices\[1\]\.unit: /,
    );
  });

  it('leaves everything else as it is', () => {
    for (const raw of [null, 'text', { connections: 7 }, { connections: [7, { devices: 'x' }, { devices: [null, { profile: 7 }] }] }]) {
      expect(expandProfiles(raw, 'edge.yaml')).toEqual(raw);
    }
    const plain = { group: 'g', connections: [connection([{ id: 'd', unit: 1, tags: [] }])] };
    expect(expandProfiles(plain, 'edge.yaml')).toEqual(plain);
  });

  it('keeps what the device says about itself', () => {
    const device = expand({ id: 'd', unit: 7, intervalMs: 5000, kind: 'submeter', displayName: 'Tủ 1', profile: 'eastron-sdm120' });
    expect(device).toMatchObject({ id: 'd', unit: 7, intervalMs: 5000, kind: 'submeter', displayName: 'Tủ 1' });
    expect(expand({ id: 'd', unit: 7, profile: 'eastron-sdm120' }).kind).toBe('energyMeter');
  });

  it('changes a tag by its metric and adds others', () => {
    const tags = [
      { metric: 'Power/Active', deadband: 0.05 },
      { metric: 'Temperature', address: 'input:500:float32' },
    ];
    const device = expand({ id: 'd', unit: 1, profile: 'eastron-sdm120', only: ['Power/Active'], tags });
    expect(device.tags).toEqual([
      { metric: 'Power/Active', address: 'input:12:float32', unitName: 'kW', scale: 0.001, deadband: 0.05 },
      { metric: 'Temperature', address: 'input:500:float32' },
    ]);
  });

  it('keeps what a wanted derived metric reads, without sending it', () => {
    const device = expand({ id: 'd', unit: 1, profile: 'danfoss-fc51', only: ['State'] });
    expect(device.tags).toEqual([{ metric: 'Drive/StatusWord', address: 'holding:50199:uint16', publish: false }]);
    expect(device.derived).toMatchObject([{ metric: 'State' }]);
    const without = expand({ id: 'd', unit: 1, profile: 'schneider-iem3000', without: ['PowerFactor'] });
    expect(without.tags.some(({ metric }) => metric === 'Internal/PowerFactor4Q')).toBe(false);
    expect(without).not.toHaveProperty('derived');
  });

  it('a tag of the device takes the place of what the profile derives', () => {
    const own = { metric: 'State', address: 'holding:9:uint16', enum: { 0: 'idle' } };
    const device = expand({ id: 'd', unit: 1, profile: 'danfoss-fc51', tags: [own] });
    expect(device.tags).toContainEqual(own);
    expect((device.derived as { metric: string }[]).map(({ metric }) => metric)).not.toContain('State');
    const expression = { metric: 'State', expression: 'tag("Drive/StatusWord") == 0 ? "idle" : "running"', dataType: 'String' };
    expect(expand({ id: 'd', unit: 1, profile: 'danfoss-fc51', derived: [expression] }).derived).toContainEqual(expression);
  });

  it('puts relative addresses in their place, scale factors too', () => {
    const { tags } = expand({ id: 'd', unit: 1, profile: 'sunspec-203', base: 40_069, only: ['Current/Sum'] });
    expect(tags).toEqual([
      { metric: 'Current/Sum', address: 'holding:40071:int16', unitName: 'A', scaleFactor: 'holding:40075:int16', invalid: ['0x8000'] },
    ]);
    const machine = expand({ id: 'd', profile: 'opcua-machinery', base: 'path:/Objects/{urn:a}M1', only: ['Mode'] }, 'opcua');
    expect(machine.tags[0]?.node).toMatch(/^path:\/Objects\/\{urn:a\}M1\/\{http.*MachineryOperationMode\/CurrentState$/);
  });

  it('a connection takes the smallest limit of its devices, or its own', () => {
    const devices = ['eastron-sdm630', 'eastron-sdm120', 'danfoss-fc51'].map((profile, i) => ({ id: `d${i}`, unit: i + 1, profile }));
    const raw = { connections: [connection(devices), { ...connection(devices), maxWords: 20 }] };
    expect((expandProfiles(raw, 'edge.yaml') as { connections: unknown[] }).connections).toMatchObject([
      { maxWords: 60, maxGapWords: 0 },
      { maxWords: 20, maxGapWords: 0 },
    ]);
  });

  it('says what is wrong, where, and what to do', () => {
    const at = 'connections[0].devices[0]';
    const ids = [...loadProfiles().keys()].join(', ');
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm631' })).toEqual([
      `${at}.profile: "eastron-sdm631" is not a profile; do you mean eastron-sdm630 or eastron-sdm230 or eastron-sdm120?; there are ${ids}`,
    ]);
    expect(problemsOf({ id: 'd', profile: 'zzzz' })).toEqual([`${at}.profile: "zzzz" is not a profile; there are ${ids}`]);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630@9' })[0]).toMatch(/this agent has version 1 of eastron-sdm630, not "9"/);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630' }, 'opcua')).toEqual([
      `${at}.profile: eastron-sdm630 is for the driver modbus, the connection has "opcua"`,
    ]);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630', base: 5 })).toEqual([
      `${at}.base: the addresses of eastron-sdm630 are fixed; leave it out`,
    ]);
    expect(problemsOf({ id: 'd', profile: 'sunspec-203' })[0]).toMatch(/base: is missing; The address of the register that says 203/);
    expect(problemsOf({ id: 'd', profile: 'sunspec-203', base: 65_500 })[0]).toMatch(/would be beyond register 65535/);
    expect(problemsOf({ id: 'd', profile: 'opcua-packml', base: 12 }, 'opcua')[0]).toMatch(/base: must be a path such as path:/);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630', only: ['Power/Activ'] })[0]).toMatch(
      /only\[0\]: the profile has no metric "Power\/Activ"; do you mean Power\/Active/,
    );
    expect(problemsOf({ id: 'd', profile: 'schneider-iem3000', without: ['Internal/PowerFactor4Q'] })[0]).toMatch(/has no metric/);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630', only: ['Power/Active'], without: ['Frequency'] })).toEqual([
      `${at}.only: give only or without, not both`,
    ]);
    expect(problemsOf({ id: 'd', profile: 'eastron-sdm630', only: [] })[0]).toMatch(/only: must be a list of metrics/);
  });

  it('a device with a profile refuses keys that nobody knows, like any other', () => {
    const device = expand({ id: 'd', unit: 1, profile: 'eastron-sdm120', surprise: 1 });
    expect(drivers.get('modbus')?.config.safeParse(connection([device])).success).toBe(false);
  });
});
