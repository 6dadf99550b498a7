import { createHash } from 'node:crypto';
import type { Clock, Timer } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import { createNodeDisk } from '@nhip/core/process/node-disk';
import { readSmallFile, replaceSmallFile } from '@nhip/core/process/small-file';
import { z } from 'zod';
import { tables } from './address.ts';
import type { ModbusConfig, ModbusDeviceConfig } from './config.ts';
import type { LearnedRefusals } from './refusals.ts';

/**
 * Keeps what the devices of a connection refuse over restarts: one small JSON file per connection. Everything in it can be learned again, so a
 * damaged file is ignored and a file that cannot be written is only warned about.
 */
export interface LearnedFile {
  /** What is known about a device; undefined when nothing is, or when its configuration has changed since. */
  load(): Promise<(device: ModbusDeviceConfig) => LearnedRefusals | undefined>;
  /** Something changed: it is written soon, together with what changes until then. */
  changed(all: () => ReadonlyMap<ModbusDeviceConfig, LearnedRefusals>): void;
  /** Writes what is not written yet. Never rejects. */
  close(): Promise<void>;
}

const folder = 'modbus';
/** Learning comes in bursts; memory cards wear. */
const writeAfterMs = 10_000;
const maxFileBytes = 4 * 1024 * 1024;

const addressNumber = z.number().int().min(0).max(65_536);
const fileShape = z.object({
  version: z.literal(1),
  devices: z.record(
    z.string(),
    z.object({
      config: z.string(),
      cuts: z.partialRecord(z.enum(tables), z.array(addressNumber)),
      bad: z.array(z.object({ table: z.enum(tables), start: addressNumber, end: addressNumber })),
    }),
  ),
});

export function createLearnedFile(config: ModbusConfig, stateDir: string, clock: Clock, log: Log): LearnedFile {
  const disk = createNodeDisk(stateDir);
  const name = `${hashOf(config.id)}.json`;
  let unwritten: (() => ReadonlyMap<ModbusDeviceConfig, LearnedRefusals>) | undefined;
  let timer: Timer | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async (): Promise<void> => {
    timer?.cancel();
    timer = undefined;
    const all = unwritten?.();
    unwritten = undefined;
    if (all === undefined) return;
    const devices = Object.fromEntries(
      [...all].map(([device, learned]) => [device.id, { config: configHash(config, device), ...learned }]),
    );
    try {
      await replaceSmallFile(disk, folder, name, Buffer.from(JSON.stringify({ version: 1, devices })));
    } catch (error) {
      log.warn({ err: error, stateDir }, 'What was learned about the devices cannot be kept; it will be learned again after a restart.');
    }
  };
  return {
    load: async () => {
      const bytes = await readSmallFile(disk, folder, name).catch((error: unknown) => {
        log.warn({ err: error }, 'What was learned about the devices cannot be read; it will be learned again.');
        return undefined;
      });
      const devices = bytes === undefined ? {} : parse(bytes, log);
      return (device) => {
        const known = Object.hasOwn(devices, device.id) ? devices[device.id] : undefined;
        return known?.config === configHash(config, device) ? known : undefined;
      };
    },
    changed: (all) => {
      unwritten = all;
      timer ??= clock.after(writeAfterMs, () => {
        writing = writing.then(write);
      });
    },
    close: () => {
      writing = writing.then(write);
      return writing;
    },
  };
}

function parse(bytes: Uint8Array, log: Log): z.infer<typeof fileShape>['devices'] {
  try {
    if (bytes.length > maxFileBytes) throw new Error(`the file has ${bytes.length} bytes`);
    return fileShape.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).devices;
  } catch (error) {
    log.warn({ err: error }, 'The file with what was learned about the devices is damaged; it will be learned again.');
    return {};
  }
}

/** All that decides which requests a device gets. */
function configHash(config: ModbusConfig, device: ModbusDeviceConfig): string {
  const { endpoint, maxWords, maxBits, maxGapWords, maxGapBits } = config;
  const places = device.tags.map((tag) => [tag.address, tag.scaleFactor]);
  return hashOf(JSON.stringify([endpoint, maxWords, maxBits, maxGapWords, maxGapBits, device.unit, device.byteOrder, places]));
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}
