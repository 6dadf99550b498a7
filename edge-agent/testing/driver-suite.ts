import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { quality } from '@nhip/core/wire/sample';
import type { DataTypeName } from '@nhip/core/wire/sparkplug/datatype';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ConnectionConfig, Driver, DriverDeps, DriverPlugin, Reading } from '../driver.ts';
import { closedPort, startSilentServer } from './listen-locally.ts';
import { waitFor } from './wait-for.ts';

/** Some peers (OPC UA) make keys and parse large files when they start. */
const slowPeerMs = 60_000;

/** What a driver's test gives to the suite. */
export interface DriverUnderTest<C extends ConnectionConfig> {
  readonly plugin: DriverPlugin<C>;
  /** Starts the other side; `config` is what a user would write for it. Every tag must have a good value there. */
  startPeer(): Promise<{ readonly config: unknown; stop(): Promise<void> }>;
  /** The same connection to another port of 127.0.0.1; undefined for a driver that has no network. */
  atPort: ((config: C, port: number) => C) | undefined;
}

/**
 * What every driver promises (edge-agent/driver.ts), as tests. Call it first in a driver's test file.
 */
export function driverSuite<C extends ConnectionConfig>({ plugin, startPeer, atPort }: DriverUnderTest<C>): void {
  describe(`driver ${plugin.name} keeps the driver contract`, () => {
    let peer: { readonly config: unknown; stop(): Promise<void> } | undefined;
    let config: C;
    let deps: DriverDeps;
    const made: Driver[] = [];
    const never = new AbortController().signal;

    beforeAll(async () => {
      peer = await startPeer();
      config = plugin.config.parse(peer.config);
      const stateDir = await mkdtemp(join(tmpdir(), 'nhip-driver-'));
      deps = { clock: createNodeClock(), random: createSimRandom(1), log: silentLog(), stateDir };
    }, slowPeerMs);
    afterAll(async () => {
      for (const driver of made) await driver.close();
      await peer?.stop();
      await rm(deps.stateDir, { recursive: true, force: true });
    });

    const make = async (of = config): Promise<Driver> => {
      const driver = (await plugin.load()).create(of, deps);
      made.push(driver);
      return driver;
    };

    it('describes every field of its config', () => {
      expect(undescribed(plugin.config.toJSONSchema())).toEqual([]);
    });

    it('refuses unknown keys', () => {
      expect(plugin.config.safeParse({ ...config, surprise: 1 }).success).toBe(false);
    });

    it('delivers a good reading of the promised type for every metric', async () => {
      const driver = await make();
      await driver.connect(never);
      const readings = await firstReadings(driver, config);
      for (const device of config.devices) {
        const metrics = plugin.metrics(device);
        expect([...(readings.get(device.id)?.keys() ?? [])].sort()).toEqual(metrics.map((metric) => metric.name).sort());
        for (const { name, dataType } of metrics) {
          const reading = readings.get(device.id)?.get(name);
          expect(reading, name).toMatchObject({ quality: quality.good });
          expect(typesOf(dataType), `${name} is ${dataType}`).toContain(typeof reading?.value);
          expect(Number.isSafeInteger(reading?.timestampMs)).toBe(true);
        }
      }
      await driver.close();
    });

    it('closes before connect, and twice', async () => {
      const driver = await make();
      await driver.close();
      await driver.close();
      await expect(driver.connect(never)).rejects.toThrow();
    });

    it('closes while it reads or subscribes, and settles that call', async () => {
      const driver = await make();
      await driver.connect(never);
      const call = startCall(driver, config, never).then(
        () => 'settled',
        () => 'settled',
      );
      await driver.close();
      expect(await call).toBe('settled');
    });

    it('does not go on after close', async () => {
      const driver = await make();
      await driver.connect(never);
      await driver.close();
      await expect(startCall(driver, config, never)).rejects.toThrow();
    });

    it('obeys a signal that is aborted already', async () => {
      const reason = new Error('not wanted any more');
      const idle = await make();
      await expect(idle.connect(AbortSignal.abort(reason))).rejects.toThrow();
      const driver = await make();
      await driver.connect(never);
      await expect(startCall(driver, config, AbortSignal.abort(reason))).rejects.toThrow();
      await driver.close();
    });

    it('can be made again after close', async () => {
      for (let round = 0; round < 2; round++) {
        const driver = await make();
        await driver.connect(never);
        expect((await firstReadings(driver, config)).size).toBe(config.devices.length);
        await driver.close();
      }
    });

    if (atPort === undefined) return;

    it('rejects when nobody listens', async () => {
      const driver = await make(atPort(config, await closedPort()));
      await expect(driver.connect(never)).rejects.toThrow();
      await driver.close();
    });

    it('obeys its signal while a peer accepts and stays silent, and lets go of the connection', async () => {
      const silent = await startSilentServer();
      const driver = await make(atPort(config, silent.port));
      const patience = new AbortController();
      const work = driver.connect(patience.signal).then(() => startCall(driver, config, patience.signal));
      await waitFor('the driver to connect', () => silent.open.size === 1);
      patience.abort(new Error('enough'));
      await expect(work).rejects.toThrow();
      await driver.close();
      await waitFor('the connection to end', () => silent.open.size === 0);
      await silent.close();
    });
  });
}

async function startCall(driver: Driver, config: ConnectionConfig, signal: AbortSignal): Promise<unknown> {
  if (driver.read !== undefined) return driver.read(config.devices[0]?.id ?? '', signal);
  return driver.subscribe?.(
    () => {},
    () => {},
    signal,
  );
}

/** The first good reading of every metric, by device; waits for notifications from a driver that subscribes. */
async function firstReadings(driver: Driver, config: ConnectionConfig): Promise<Map<string, Map<string, Reading>>> {
  const { signal } = new AbortController();
  const all = new Map(config.devices.map((device) => [device.id, new Map<string, Reading>()]));
  const keep = (deviceId: string, readings: readonly Reading[]): void => {
    for (const reading of readings) all.get(deviceId)?.set(reading.metric, reading);
  };
  if (driver.read !== undefined) {
    for (const device of config.devices) keep(device.id, await driver.read(device.id, signal));
    return all;
  }
  const wanted = config.devices.reduce((sum, device) => sum + ((device as { tags?: readonly unknown[] }).tags?.length ?? 1), 0);
  await driver.subscribe?.(keep, () => {}, signal);
  await waitFor('a value of every tag', () => [...all.values()].reduce((sum, metrics) => sum + metrics.size, 0) >= wanted);
  return all;
}

function typesOf(dataType: DataTypeName): readonly string[] {
  if (dataType === 'Boolean') return ['boolean'];
  return dataType === 'String' ? ['string'] : dataType.endsWith('64') ? ['number', 'bigint'] : ['number'];
}

/** Paths of fields without a description in a JSON Schema. */
function undescribed(schema: unknown, path = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties, items } = schema as { properties?: Record<string, { description?: string }>; items?: unknown };
  const own = Object.entries(properties ?? {}).flatMap(([name, field]) => [
    ...(field.description === undefined ? [`${path}${name}`] : []),
    ...undescribed(field, `${path}${name}.`),
  ]);
  return [...own, ...undescribed(items, path)];
}
