import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DiffedConfig, type DiffedConnection, diffConfig } from './config-diff.ts';

interface Plan {
  readonly [connection: string]: { readonly endpoint: string; readonly devices: Readonly<Record<string, readonly string[]>> };
}

function config(plan: Plan, settings: Readonly<Record<string, unknown>> = {}): DiffedConfig {
  return {
    settings,
    connections: Object.entries(plan).map(([id, { endpoint, devices }]): DiffedConnection => {
      const all = Object.entries(devices).map(([device, metrics]) => ({
        config: { id: device, intervalMs: 1000, tags: metrics },
        metrics: metrics.map((name) => ({ name, dataType: 'Double' as const })),
      }));
      return { config: { id, endpoint, devices: all.map((device) => device.config) } as DiffedConnection['config'], devices: all };
    }),
  };
}

const ids = (connections: readonly DiffedConnection[]): readonly string[] => connections.map((connection) => connection.config.id);

describe('the difference of two configurations', () => {
  it('tells connections apart that are the same, changed, added and removed', () => {
    const before = config({
      a: { endpoint: 'x', devices: { A: ['M'] } },
      b: { endpoint: 'y', devices: { B: ['M'] } },
      c: { endpoint: 'z', devices: {} },
    });
    const after = config({
      d: { endpoint: 'x', devices: { D: ['M'] } },
      b: { endpoint: 'y2', devices: { B: ['M'] } },
      a: { endpoint: 'x', devices: { A: ['M'] } },
    });
    const diff = diffConfig(before, after);
    expect([diff.same, diff.changed, diff.added, diff.removed].map(ids)).toEqual([['a'], ['b'], ['d'], ['c']]);
    // B is reached elsewhere now: its birth is the same.
    expect(diff.devices).toMatchObject({ changed: [], removed: [] });
    expect(diff.devices.added.map((device) => device.config.id)).toEqual(['D']);
  });

  it('knows that a device moved to another connection is still the same device', () => {
    const diff = diffConfig(
      config({ a: { endpoint: 'x', devices: { A: ['M'], B: ['M'] } }, b: { endpoint: 'y', devices: {} } }),
      config({ a: { endpoint: 'x', devices: { A: ['M'] } }, b: { endpoint: 'y', devices: { B: ['M', 'N'] } } }),
    );
    expect(diff.devices).toMatchObject({ added: [], removed: [] });
    expect(diff.devices.changed.map((device) => device.config.id)).toEqual(['B']);
  });

  it('names the settings that need a restart', () => {
    const diff = diffConfig(
      config({}, { edge: 'e', mqtt: { url: 'a', window: 1 }, outbox: {} }),
      config({}, { edge: 'e', mqtt: { window: 1, url: 'b' } }),
    );
    expect(diff.needRestart).toEqual(['mqtt', 'outbox']);
  });

  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const plan = fc.dictionary(
    names,
    fc.record({
      endpoint: fc.constantFrom('x', 'y'),
      devices: fc.dictionary(names, fc.uniqueArray(fc.constantFrom('M', 'N'), { minLength: 1 })),
    }),
  );
  /** Device ids are unique over all connections: the first one that names a device has it. */
  const unique = (raw: Plan): Plan => {
    const taken = new Set<string>();
    const entries = Object.entries(raw).map(([id, { endpoint, devices }]) => {
      const own = Object.entries(devices).filter(([device]) => !taken.has(device));
      for (const [device] of own) taken.add(device);
      return [id, { endpoint, devices: Object.fromEntries(own) }] as const;
    });
    return Object.fromEntries(entries);
  };

  it('leads from any configuration to any other, and is empty from one to itself', () => {
    fc.assert(
      fc.property(plan, plan, (rawBefore, rawAfter) => {
        const [before, after] = [config(unique(rawBefore)), config(unique(rawAfter))];
        const diff = diffConfig(before, after);
        // Applied to what is there, it makes what is wanted.
        const there = new Map(before.connections.map((connection) => [connection.config.id, connection]));
        for (const { config: gone } of diff.removed) there.delete(gone.id);
        for (const made of [...diff.changed, ...diff.added]) there.set(made.config.id, made);
        const sorted = (connections: Iterable<DiffedConnection>) => [...connections].sort((a, b) => (a.config.id < b.config.id ? -1 : 1));
        expect(sorted(there.values())).toEqual(sorted(after.connections));
        // Each connection of either side stands in exactly one list.
        const listed = [...diff.same, ...diff.changed, ...diff.added, ...diff.removed].map((connection) => connection.config.id).sort();
        expect(listed).toEqual([...new Set([...ids(before.connections), ...ids(after.connections)])].sort());

        const devices = new Map(
          before.connections.flatMap((connection) => connection.devices).map((device) => [device.config.id, device.metrics]),
        );
        for (const id of diff.devices.removed) expect(devices.delete(id)).toBe(true);
        for (const { config: added } of diff.devices.added) expect(devices.has(added.id)).toBe(false);
        for (const { config: changed, metrics } of [...diff.devices.changed, ...diff.devices.added]) devices.set(changed.id, metrics);
        expect(new Map([...devices].sort())).toEqual(
          new Map(
            after.connections
              .flatMap((connection) => connection.devices)
              .map((device) => [device.config.id, device.metrics] as const)
              .sort(),
          ),
        );

        const none = diffConfig(after, after);
        expect(
          [none.changed, none.added, none.removed, none.devices.added, none.devices.removed, none.devices.changed].every(
            (list) => list.length === 0,
          ),
        ).toBe(true);
      }),
    );
  });
});
