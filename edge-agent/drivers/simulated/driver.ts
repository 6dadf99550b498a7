import type { Value } from '@nhip/core/wire/sample';
import { ConnectionLostError, type Driver, type DriverDeps } from '../../driver.ts';
import { createConverter } from '../conversion.ts';
import type { SimulatedConfig, SimulatedTag } from './config.ts';

/** A connection to nothing: every value is a function of the seed and the time. */
export function create(config: SimulatedConfig, deps: DriverDeps): Driver {
  const devices = new Map(
    config.devices.map((device) => [device.id, device.tags.map((tag) => ({ tag, convert: createConverter(tag) }))] as const),
  );
  let open = false;
  let closed = false;

  return {
    connect: async (signal) => {
      signal.throwIfAborted();
      if (closed) throw new ConnectionLostError('a closed driver is not used again');
      open = true;
    },
    read: async (deviceId, signal) => {
      signal.throwIfAborted();
      if (!open) throw new ConnectionLostError('not connected');
      const tags = devices.get(deviceId);
      if (tags === undefined) throw new Error(`connection ${config.id} has no device ${deviceId}`);
      const timestampMs = deps.clock.now();
      return tags.map(({ tag, convert }, i) => {
        const { value, quality } = convert(valueAt(tag, timestampMs, config.seed + i));
        return { metric: tag.metric, value, timestampMs, quality };
      });
    },
    close: async () => {
      open = false;
      closed = true;
    },
  };
}

function valueAt(tag: SimulatedTag, timeMs: number, seed: number): Value {
  const turns = timeMs / tag.periodMs + fraction(seed);
  switch (tag.shape) {
    case 'sine':
      return tag.low + ((tag.high - tag.low) * (1 + Math.sin(2 * Math.PI * turns))) / 2;
    case 'noise':
      return tag.low + (tag.high - tag.low) * fraction(Math.floor(turns) + seed);
    case 'counter':
      return Math.floor(turns);
    case 'switch':
      return turns % 1 < 0.5;
  }
}

/** A number in [0, 1) that looks random and depends on `n` alone. */
function fraction(n: number): number {
  const x = Math.sin(n * 12.9898 + 78.233) * 43_758.5453;
  return x - Math.floor(x);
}
