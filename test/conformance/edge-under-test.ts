import type { Clock } from '@nhip/core/process/env';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createSimDisk } from '@nhip/core/process/simulation/sim-disk';
import { createSimRandom } from '@nhip/core/process/simulation/sim-random';
import { createDelivery, type Delivery } from '@nhip/edge-agent/delivery';
import type { MetricDefinition, Reading } from '@nhip/edge-agent/driver';
import type { DeviceCommand } from '@nhip/edge-agent/session/device-command';
import { createDeviceTable } from '@nhip/edge-agent/session/device-table';
import { createMqttConnect } from '@nhip/edge-agent/session/mqtt-connection';

export interface EdgeOptions {
  /** Servers, in order. */
  readonly urls: readonly string[];
  readonly isStrict: boolean;
  readonly primaryHostId?: string;
  readonly password?: string;
  /** Default 30: long, so that a busy computer does not end a session that a scenario needs. */
  readonly keepaliveS?: number;
  /** Without it the clock is the computer's. */
  readonly speed?: number;
}

/** Our edge agent from its readings to its socket: outbox, publisher, session and the MQTT library, as `nhip edge run` puts them together. */
export interface EdgeUnderTest {
  readonly delivery: Delivery;
  /** What hosts asked for; nobody writes it anywhere. */
  readonly commands: readonly DeviceCommand[];
  report(device: string, ...readings: readonly (Pick<Reading, 'metric' | 'value'> & Partial<Reading>)[]): Promise<void>;
}

const press: readonly MetricDefinition[] = [
  { name: 'Temperature', dataType: 'Double', unit: '°C' },
  { name: 'Count', dataType: 'Int64' },
  { name: 'Offset', dataType: 'Int16' },
  { name: 'State', dataType: 'String' },
  { name: 'Running', dataType: 'Boolean' },
  { name: 'Setpoint', dataType: 'Double', isWritable: true },
];

/** `press` answers, `oven` never does. */
export async function startEdge({
  urls,
  isStrict,
  primaryHostId,
  speed,
  password = 'x',
  keepaliveS = 30,
}: EdgeOptions): Promise<EdgeUnderTest> {
  const clock = speed === undefined ? createNodeClock() : fastClock(speed);
  const devices = createDeviceTable();
  devices.add({ id: 'press', intervalMs: 0, displayName: 'Press' }, press);
  devices.add({ id: 'oven', intervalMs: 0 }, [{ name: 'Temperature', dataType: 'Float' }]);
  const [url = '', ...backupUrls] = urls;
  const commands: DeviceCommand[] = [];
  const delivery = createDelivery(
    {
      ...{ group: 'plant', edge: 'gateway', maxPayloadBytes: 100_000, window: 64, backlogMessagesPerS: undefined },
      ...{ strictHoldMs: isStrict ? Math.min(keepaliveS, 2) * 1500 : undefined, servers: urls.length, primaryHostId },
      outbox: { maxBytes: 4_194_304, commitDelayMs: 1, ledgerSlotBytes: 16_384 },
    },
    {
      env: { clock, random: createSimRandom(7), disk: createSimDisk().boot() },
      log: silentLog(),
      devices,
      connect: createMqttConnect({
        ...{ url, backupUrls, keepaliveS, ca: undefined, connectTimeoutMs: 2000 },
        ...{ clientId: 'plant/gateway', username: 'plant/gateway', password },
      }),
      onFatal: (error) => {
        throw error;
      },
      deviceCommands: { problem: () => undefined, obey: (command) => commands.push(command), refused: () => undefined },
    },
  );
  await delivery.start();
  delivery.deviceChanged('press', true);
  return {
    delivery,
    commands,
    report: (device, ...readings) =>
      delivery.report(
        device,
        readings.map((reading) => ({ timestampMs: clock.now(), quality: 192, ...reading })),
      ),
  };
}

/** Waits of the agent are shorter; times of day stay. */
function fastClock(speed: number): Clock {
  const clock = createNodeClock();
  return {
    now: () => clock.now(),
    monotonic: () => clock.monotonic() * speed,
    after: (delayMs, run) => clock.after(delayMs / speed, run),
    sleep: (delayMs, signal) => clock.sleep(delayMs / speed, signal),
  };
}
