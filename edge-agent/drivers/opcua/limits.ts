import { AttributeIds, type ClientSession } from 'node-opcua-client';
import type { ServerProfile } from './profiles.ts';

/** How many nodes go into one request of each service: the profile's number, or the server's own limit where that is lower. */
export interface CallLimits {
  readonly monitoredItems: number;
  readonly read: number;
  readonly historyRead: number;
  readonly browsePaths: number;
}

/** OperationLimits of Server/ServerCapabilities (OPC UA Part 5 §6.3.11). */
const limitNodes = { monitoredItems: 11714, read: 11705, historyRead: 12165, browsePaths: 11712 } as const;

/** Reads the server's limits; 0 and "not there" mean unknown. */
export async function readLimits(session: ClientSession, { nodesPerCall }: ServerProfile): Promise<CallLimits> {
  const names = Object.keys(limitNodes) as (keyof CallLimits)[];
  const answers = await session.read(names.map((name) => ({ nodeId: `ns=0;i=${limitNodes[name]}`, attributeId: AttributeIds.Value })));
  const limitOf = (name: keyof CallLimits): number => {
    const limit: unknown = answers[names.indexOf(name)]?.value.value;
    return typeof limit === 'number' && limit > 0 ? Math.min(limit, nodesPerCall) : nodesPerCall;
  };
  return {
    monitoredItems: limitOf('monitoredItems'),
    read: limitOf('read'),
    historyRead: limitOf('historyRead'),
    browsePaths: limitOf('browsePaths'),
  };
}

/** What a server answers to a request that is too large, one way or the other. */
const tooLarge: ReadonlySet<string> = new Set([
  'BadTooManyOperations',
  'BadRequestTooLarge',
  'BadResponseTooLarge',
  'BadEncodingLimitsExceeded',
  'BadTcpMessageTooLarge',
  'BadOutOfMemory',
]);

/**
 * Calls `request` with consecutive chunks of `all`, one after the other. A chunk that the server finds too large is halved, and later
 * ones are as small. Rejects with the error of a single entry that is still too large, and with any other error.
 */
export async function inChunks<T>(
  all: readonly T[],
  size: number,
  request: (chunk: readonly T[], from: number) => Promise<void>,
): Promise<void> {
  let limit = Math.max(1, size);
  for (let from = 0; from < all.length; ) {
    const chunk = all.slice(from, from + limit);
    try {
      await request(chunk, from);
      from += chunk.length;
    } catch (error) {
      if (chunk.length === 1 || !tooLarge.has(faultOf(error) ?? '')) throw error;
      limit = Math.ceil(chunk.length / 2);
    }
  }
}

/** Name of the status that the server refused a whole request with; undefined when it did not answer at all. */
export function faultOf(error: unknown): string | undefined {
  const { response } = error as { response?: { responseHeader?: { serviceResult?: { name?: string } } } };
  return response?.responseHeader?.serviceResult?.name;
}
