import { ModbusExceptionError, ModbusWrongAnswerError } from './errors.ts';
import { checkFunction, type Exchange, exceptionBytes, maxPduBytes } from './pdu.ts';

/** Function 43/14, "read device identification" (Modbus Application Protocol V1.1b3 §6.21). */

/** What a device says about itself: `VendorName`, `ProductCode`, …; objects without a name in the standard as `Object 128`. */
export type DeviceIdentity = Readonly<Record<string, string>>;

const objectNames = [
  'VendorName',
  'ProductCode',
  'MajorMinorRevision',
  'VendorUrl',
  'ProductName',
  'ModelName',
  'UserApplicationName',
] as const;

/** Bounds a device that announces "more follows" for ever. */
const maxPages = 16;
const maxTextBytes = 245;

interface Page {
  readonly objects: readonly (readonly [number, string])[];
  readonly next: number | undefined;
}

/**
 * Asks for the basic and, where the device has it, the regular identification, page by page. `undefined` when the device has none (it answers
 * with an exception or with nonsense). Rejects as `send` does when it does not answer at all.
 */
export async function identify(unit: number, send: (exchange: Exchange) => Promise<Buffer>): Promise<DeviceIdentity | undefined> {
  const identity = new Map<number, string>();
  for (const readCode of [1, 2]) {
    let objectId: number | undefined = 0;
    for (let page = 0; page < maxPages && objectId !== undefined; page++) {
      const answer = await readPage(unit, readCode, objectId, send);
      if (answer === undefined) break;
      for (const [id, text] of answer.objects) identity.set(id, text);
      // A device that starts over would be asked for ever.
      objectId = answer.next !== undefined && answer.next > objectId ? answer.next : undefined;
    }
    if (identity.size === 0) return undefined;
  }
  return Object.fromEntries([...identity].map(([id, text]) => [objectNames[id] ?? `Object ${id}`, text]));
}

async function readPage(
  unit: number,
  readCode: number,
  objectId: number,
  send: (exchange: Exchange) => Promise<Buffer>,
): Promise<Page | undefined> {
  try {
    return parsePage(await send(identifyExchange(unit, readCode, objectId)));
  } catch (error) {
    if (error instanceof ModbusExceptionError || error instanceof ModbusWrongAnswerError) return undefined;
    throw error;
  }
}

/** One page; the answer carries everything after the function code. */
export function identifyExchange(unit: number, readCode: number, objectId: number): Exchange {
  const what = `identification ${readCode}, object ${objectId}`;
  return {
    unit,
    what,
    pdu: Buffer.from([43, 14, readCode, objectId]),
    answerBytes: (begin) => exceptionBytes(begin) ?? identificationBytes(begin),
    readAnswer: (pdu) => {
      checkFunction({ unit, what }, 43, pdu);
      if (pdu[1] !== 14 || pdu[2] !== readCode || identificationBytes(pdu) !== pdu.length) {
        throw new ModbusWrongAnswerError({ unit, what }, 'no readable identification');
      }
      return pdu.subarray(1);
    },
  };
}

/** The length follows from the objects one by one; capped, so that nonsense is not waited for. */
function identificationBytes(begin: Buffer): number | undefined {
  if (begin.length < 7) return undefined;
  let end = 7;
  for (let left = begin[6] ?? 0; left > 0 && end < maxPduBytes; left--) {
    if (begin.length < end + 2) return undefined;
    end += 2 + (begin[end + 1] ?? 0);
  }
  return Math.min(end, maxPduBytes);
}

function parsePage(data: Buffer): Page {
  const objects: [number, string][] = [];
  let at = 6;
  for (let left = data[5] ?? 0; left > 0 && at + 2 <= data.length; left--) {
    const bytes = Math.min(data[at + 1] ?? 0, maxTextBytes);
    const text = data.toString('utf8', at + 2, at + 2 + bytes);
    objects.push([data[at] ?? 0, text.replaceAll(/[\u0000-\u001f\u007f]/g, '').trim()]);
    at += 2 + bytes;
  }
  return { objects, next: data[3] === 0xff ? data[4] : undefined };
}
