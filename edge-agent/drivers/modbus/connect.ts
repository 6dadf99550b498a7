import type { Clock } from '@nhip/core/process/env';
import { reasonOf } from '@nhip/core/process/errors';
import { ConnectionLostError } from '../../driver.ts';
import type { ModbusConfig } from './config.ts';
import { parseEndpoint } from './endpoint.ts';
import { ModbusExceptionError } from './errors.ts';
import { abortError } from './link.ts';
import { readExchange } from './pdu.ts';
import { addressOf } from './tag-config.ts';
import { createTransport, type ModbusTransport } from './transport.ts';

/** Connecting, to the endpoint or to its backup. */

/** So that an endpoint that swallows everything leaves time for the backup within the host's patience, to which `connectExtraMs` is added. */
const endpointPatienceMs = 5_000;
/** Devices that are asked whether anybody is there before the other endpoint is tried. */
const devicesAsked = 3;

/** What the configuration adds to the time that opening the connection may take: pauses, and answers of devices that say nothing. */
export function connectExtraMs(config: ModbusConfig): number {
  if (config.backupEndpoint === undefined) return config.pauseAfterConnectMs;
  const devices = Math.min(devicesAsked, config.devices.length);
  return 2 * (config.pauseAfterConnectMs + devices * (config.timeoutMs + config.lateAnswerMs));
}

/** The transport for one of the endpoints of a connection. */
export function transportFor(config: ModbusConfig, endpoint: string, clock: Clock): ModbusTransport {
  const parsed = parseEndpoint(endpoint);
  if (parsed === undefined) throw new Error(`${endpoint} is not a Modbus endpoint`);
  return createTransport(parsed, { ...config, acceptsAnyUnit: config.acceptAnyUnit }, clock);
}

/**
 * Connects the first transport that somebody answers on; closes the others. Without a backup it is the first one, whether anybody answers or
 * not. Rejects with `ConnectionLostError` when there is none, or with the signal's reason.
 */
export async function connectFirst(
  config: ModbusConfig,
  transports: readonly ModbusTransport[],
  clock: Clock,
  signal: AbortSignal,
): Promise<ModbusTransport> {
  const [only] = transports;
  if (transports.length === 1 && only !== undefined) {
    await only.connect(signal);
    await pause(config, clock, signal);
    return only;
  }
  const problems: string[] = [];
  for (const transport of transports) {
    const patience = new AbortController();
    const abort = (): void => patience.abort(abortError(signal));
    signal.addEventListener('abort', abort, { once: true });
    const timer = clock.after(endpointPatienceMs, () => patience.abort(new Error(`no connection within ${endpointPatienceMs} ms`)));
    try {
      signal.throwIfAborted();
      await transport.connect(patience.signal);
      timer.cancel();
      await pause(config, clock, signal);
      await askWhoIsThere(config, transport, signal);
      return transport;
    } catch (error) {
      transport.close();
      signal.throwIfAborted();
      problems.push(reasonOf(error));
    } finally {
      timer.cancel();
      signal.removeEventListener('abort', abort);
    }
  }
  throw new ConnectionLostError(`neither the endpoint nor its backup answers: ${problems.join('; ')}`);
}

async function pause(config: ModbusConfig, clock: Clock, signal: AbortSignal): Promise<void> {
  if (config.pauseAfterConnectMs > 0) await clock.sleep(config.pauseAfterConnectMs, signal);
}

/** Resolves when one of the first devices answers anything. */
async function askWhoIsThere(config: ModbusConfig, transport: ModbusTransport, signal: AbortSignal): Promise<void> {
  let last: unknown;
  for (const device of config.devices.slice(0, devicesAsked)) {
    const [tag] = device.tags;
    if (tag === undefined) continue;
    const { table, start, count } = addressOf(tag.address, device.byteOrder);
    try {
      await transport.send(readExchange({ unit: device.unit, table, start, count }), signal);
      return;
    } catch (error) {
      if (error instanceof ModbusExceptionError && error.exceptionCode !== 10 && error.exceptionCode !== 11) return;
      last = error;
    }
  }
  throw last;
}
