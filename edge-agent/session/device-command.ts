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

/** Who takes commands. There is no answer and no echo: what the machine says afterwards is reported like any reading. */
export interface DeviceCommandHandler {
  /** Why the command must not be obeyed, in one sentence; undefined when it may. */
  problem(command: DeviceCommand): string | undefined;
  /** Called only when there is no problem. */
  obey(command: DeviceCommand): void;
  /** A command that is not obeyed; for the audit trail. */
  refused(refusal: CommandRefusal): void;
}

/** What came from the network is cut to a length that a line can have. */
export interface CommandRefusal {
  readonly deviceId: string;
  /** Undefined when the command was not looked into. */
  readonly metric?: string | undefined;
  /** Undefined when it could not be read as a value of the metric. */
  readonly value?: Value | undefined;
  readonly reason: string;
  /** ms UTC */
  readonly timestampMs: number;
}

export interface DeviceCommands {
  /** Takes the payload of a DCMD and hands on what may be written; everything else is refused with one line in the log. */
  take(deviceId: string, payload: Uint8Array): void;
  /** Refuses a DCMD that must not be looked into. */
  refuse(deviceId: string, reason: string): void;
}

const longestName = 80;
const longestReason = 200;

export function createDeviceCommands(deps: {
  readonly clock: Clock;
  readonly log: Log;
  readonly devices: DeviceTable;
  readonly handler: DeviceCommandHandler;
}): DeviceCommands {
  const { clock, log, devices, handler } = deps;
  let secondMs = Number.NEGATIVE_INFINITY;
  let taken = 0;

  /** Whether one more may be looked at in this second. */
  function hasPlace(deviceId: string): boolean {
    const nowMs = clock.monotonic();
    if (nowMs - secondMs >= 1000) {
      secondMs = nowMs;
      taken = 0;
    }
    taken++;
    if (taken <= maxPerS) return true;
    if (taken === maxPerS + 1) log.warn({ audit: 'command', maxPerS }, 'Too many commands: those of this second are refused');
    keep({ deviceId, reason: `more than ${maxPerS} commands in one second` });
    return false;
  }

  function keep(refusal: Omit<CommandRefusal, 'timestampMs'>): void {
    handler.refused({ ...refusal, deviceId: refusal.deviceId.slice(0, longestName), timestampMs: clock.now() });
  }

  function refuse(refusal: Omit<CommandRefusal, 'timestampMs'>): void {
    const { deviceId, metric, reason } = refusal;
    const line = { audit: 'command', device: deviceId.slice(0, longestName), metric, reason: reason.slice(0, longestReason) };
    log.warn(line, 'A command was refused');
    keep(refusal);
  }

  /** The command, or why it is none. */
  function judge(deviceId: string, asked: string | number, reader: PayloadReader): DeviceCommand | string {
    const definition = devices.definition(deviceId, asked);
    if (definition === undefined) return 'the device has no such metric';
    if (definition.isWritable !== true) return 'the metric is not writable';
    const value = commandValue(reader, definition.dataType);
    return value === undefined ? `the value is no ${definition.dataType}` : { deviceId, metric: definition.name, value };
  }

  function takeOne(deviceId: string, reader: PayloadReader): void {
    const asked = reader.hasName ? reader.name() : reader.alias;
    const command = judge(deviceId, asked, reader);
    if (typeof command === 'string') {
      refuse({ deviceId, metric: typeof asked === 'string' ? asked.slice(0, longestName) : `alias ${asked}`, reason: command });
      return;
    }
    const { metric, value } = command;
    const problem = handler.problem(command);
    if (problem !== undefined) {
      refuse({ deviceId, metric, value, reason: problem });
      return;
    }
    log.info({ audit: 'command', device: deviceId, metric, value: String(value).slice(0, 80) }, 'A command was accepted');
    handler.obey(command);
  }

  return {
    take(deviceId, payload) {
      try {
        const reader = new PayloadReader(payload);
        for (let i = 0; i < maxMetrics && reader.next(); i++) {
          if (!hasPlace(deviceId)) return;
          takeOne(deviceId, reader);
        }
      } catch (error) {
        log.warn({ audit: 'command', err: error, device: deviceId }, 'A command could not be read and is ignored');
        keep({ deviceId, reason: 'it could not be read' });
      }
    },
    refuse: (deviceId, reason) => refuse({ deviceId, reason }),
  };
}
