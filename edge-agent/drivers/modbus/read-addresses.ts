import { quality, type Value } from '@nhip/core/wire/sample';
import { ConnectionLostError } from '../../driver.ts';
import { createConverter } from '../conversion.ts';
import { type ModbusAddress, parseAddress } from './address.ts';
import { createDecoder } from './decode.ts';
import { ModbusRequestError, ModbusTimeoutError } from './errors.ts';
import { isBitTable, readExchange } from './pdu.ts';
import { type ScanTarget, type Send, withTransport } from './scan.ts';

/** One value of a unit, or why there is none. */
export interface AddressReading {
  /** As it was asked for. */
  readonly address: string;
  /** Null when it is bad. */
  readonly value: Value;
  /** Why it is bad: one short sentence; null when it is good. */
  readonly reason: string | null;
}

/**
 * Reads addresses of one unit once, each with a request of its own, so that each has its own answer: the driver reads many at once and
 * does not say which answer was whose. A unit that does not answer the first request is not asked again. Throws RangeError for a text
 * that is no address; rejects as `scanUnits` does.
 */
export async function readAddresses(
  target: ScanTarget,
  { unit, timeoutMs }: { readonly unit: number; readonly timeoutMs: number },
  addresses: readonly string[],
  signal: AbortSignal,
): Promise<readonly AddressReading[]> {
  const wanted = addresses.map((address) => ({ address, parsed: parsedAddress(address) }));
  return withTransport(target, timeoutMs, signal, async (send) => {
    const readings: AddressReading[] = [];
    let hasAnswered = false;
    let isLost: string | undefined;
    for (const { address, parsed } of wanted) {
      if (isLost !== undefined) {
        readings.push({ address, value: null, reason: isLost });
        continue;
      }
      try {
        readings.push({ address, ...(await readOne(unit, parsed, send)) });
        hasAnswered = true;
      } catch (error) {
        if (error instanceof ConnectionLostError) isLost = error.message;
        else if (!(error instanceof ModbusRequestError)) throw error;
        const reason = error instanceof ModbusRequestError ? error.what : error.message;
        readings.push({ address, value: null, reason });
        if (!(error instanceof ModbusTimeoutError)) hasAnswered = true;
        else if (!hasAnswered) isLost = 'not asked: the unit does not answer';
      }
    }
    return readings;
  });
}

function parsedAddress(text: string): ModbusAddress {
  const address = parseAddress(text);
  if ('problem' in address) throw new RangeError(`"${text}": ${address.problem}`);
  return address;
}

const unscaled = createConverter({ scale: 1, offset: 0 });

async function readOne(unit: number, address: ModbusAddress, send: Send): Promise<Pick<AddressReading, 'value' | 'reason'>> {
  const { table, start, count, type } = address;
  const data = await send(readExchange({ unit, table, start, count }));
  const raw = createDecoder(address)(data, 0);
  const converted = raw === null ? undefined : unscaled(raw);
  if (converted !== undefined && converted.problem === undefined && converted.quality === quality.good) {
    return { value: converted.value, reason: null };
  }
  const bytes = isBitTable(table) ? String(raw) : `0x${data.toString('hex')}`;
  return { value: null, reason: `${bytes} is no ${type}` };
}
