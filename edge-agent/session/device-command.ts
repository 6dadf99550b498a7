import type { Clock } from '@nhip/core/process/env';
import type { Log } from '@nhip/core/process/log';
import type { Value } from '@nhip/core/wire/sample';
import { PayloadReader } from '@nhip/core/wire/sparkplug/payload-reader';
import { commandValue } from './command-value.ts';
import type { DeviceTable } from './device-table.ts';

/** A value that a host wants in a machine. The metric is declared writable and can hold it. */
export interface DeviceCommand {
  readonly deviceId: string;
  readonly metric: string;
  readonly value: NonNullable<Value>;
}

/** Metrics of one DCMD that are looked at, and commands of one second: nobody turns more knobs, and each leaves a line in the log. */
const maxMetrics = 32;
const maxPerS = 32;

/**
 * Makes the function that takes a DCMD and hands on what may be written; everything else is refused with one line in the log.
 * There is no answer and no echo: what the machine says afterwards is reported like any reading.
 */
export function createDeviceCommands(deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: DeviceTable;
  onDeviceCommand(command: DeviceCommand): void;
}): (deviceId: string, payload: Uint8Array) => void {
  const { clock, log, devices } = deps;
  let secondMs = Number.NEGATIVE_INFINITY;
  let taken = 0;

  /** Whether one more may be looked at in this second. */
  function hasPlace(): boolean {
    const nowMs = clock.monotonic();
    if (nowMs - secondMs >= 1000) {
      secondMs = nowMs;
      taken = 0;
    }
    taken++;
    if (taken === maxPerS + 1) log.warn({ audit: 'command', maxPerS }, 'Too many commands: those of this second are refused');
    return taken <= maxPerS;
  }

  /** The command, or why it is none. */
  function judge(deviceId: string, asked: string | number, reader: PayloadReader): DeviceCommand | string {
    const definition = devices.definition(deviceId, asked);
    if (definition === undefined) return 'the device has no such metric';
    if (definition.isWritable !== true) return 'the metric is not writable';
    const value = commandValue(reader, definition.dataType);
    return value === undefined ? `the value is no ${definition.dataType}` : { deviceId, metric: definition.name, value };
  }

  function take(deviceId: string, reader: PayloadReader): void {
    const asked = reader.hasName ? reader.name() : reader.alias;
    const judged = judge(deviceId, asked, reader);
    if (typeof judged === 'string') {
      const metric = typeof asked === 'string' ? asked.slice(0, 80) : `alias ${asked}`;
      log.warn({ audit: 'command', device: deviceId, metric, reason: judged }, 'A command was refused');
      return;
    }
    const { metric, value } = judged;
    log.info({ audit: 'command', device: deviceId, metric, value: String(value).slice(0, 80) }, 'A command was accepted');
    deps.onDeviceCommand(judged);
  }

  return (deviceId, payload) => {
    try {
      const reader = new PayloadReader(payload);
      for (let i = 0; i < maxMetrics && reader.next(); i++) {
        if (!hasPlace()) return;
        take(deviceId, reader);
      }
    } catch (error) {
      log.warn({ audit: 'command', err: error, device: deviceId }, 'A command could not be read and is ignored');
    }
  };
}
