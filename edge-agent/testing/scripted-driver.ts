import { quality, type Value } from '@nhip/core/wire/sample';
import { z } from 'zod';
import type { ConnectionConfig, DeviceSink, Driver, DriverPlugin, Reading } from '../driver.ts';

/** A driver that does what a test says: the host's other side. */
export interface Script {
  /** Called for each connection; throw to refuse. */
  connect?(signal: AbortSignal): Promise<void>;
  readonly connectExtraMs?: number;
  /** Called for each read of a polled driver. */
  read?: Driver['read'];
  /** Called for each connection of a subscribing driver. */
  subscribe?: Driver['subscribe'];
  close?(): Promise<void>;
}

export interface ScriptedPlugin {
  readonly plugin: DriverPlugin;
  /** Drivers made so far, and how many of them are not closed. */
  made(): number;
  open(): number;
}

export function scriptedPlugin(script: Script): ScriptedPlugin {
  let made = 0;
  let open = 0;
  const { connectExtraMs, read, subscribe } = script;
  const create = (): Driver => {
    made++;
    let isOpen = false;
    return {
      connect: async (signal) => {
        isOpen = true;
        open++;
        await script.connect?.(signal);
      },
      ...(connectExtraMs === undefined ? {} : { connectExtraMs }),
      ...(read === undefined ? {} : { read }),
      ...(subscribe === undefined ? {} : { subscribe }),
      close: async () => {
        if (isOpen) open--;
        isOpen = false;
        await script.close?.();
      },
    };
  };
  return {
    plugin: {
      name: 'scripted',
      summary: 'does what a test says',
      config: z.custom<ConnectionConfig>(),
      metrics: () => [{ name: 'Level', dataType: 'Double' }],
      load: async () => ({ create }),
    },
    made: () => made,
    open: () => open,
  };
}

export function level(value: Value, timestampMs = 0): readonly Reading[] {
  return [{ metric: 'Level', value, timestampMs, quality: quality.good }];
}

/** A sink that keeps a line for everything it is told. */
export function recordingSink(now: () => number): DeviceSink & { readonly lines: readonly string[] } {
  const lines: string[] = [];
  return {
    lines,
    online: (deviceId) => lines.push(`${now()} ${deviceId} online`),
    offline: (deviceId, reason) => lines.push(`${now()} ${deviceId} offline: ${reason}`),
    report: (deviceId, readings) => {
      for (const { metric, value } of readings) lines.push(`${now()} ${deviceId} ${metric}=${value}`);
    },
  };
}
