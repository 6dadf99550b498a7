import { openLogReader } from '@nhip/core/log/log-reader';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import type { Env } from '@nhip/core/process/env';
import { RetryableError } from '@nhip/core/process/errors';
import type { Part } from '@nhip/core/process/lifecycle';
import type { Log } from '@nhip/core/process/log';
import { decodeLogMessage, encodeLogMessage } from '@nhip/core/telemetry/log-record';
import { parseTopic, sparkplugTopic } from '@nhip/core/wire/topic';

/**
 * Commands from ingest or live to the edges, when the broker is another process: a small log that the one writes and the broker follows.
 * No credential may publish commands; who can write into the data folder could do anything anyway.
 */
export type SendCommand = (group: string, edge: string, payload: Uint8Array) => void;

const dir = 'commands';
/** A command is about what arrived just now; after an outage it is asked for again. */
const maxAgeMs = 30_000;
const pollMs = 200;
const retryMs = 1000;

/** The writing end, in the folder of the role that asks. */
export async function openCommandLog(
  env: Env,
  log: Log,
  onFatal: (error: Error) => void,
): Promise<{ send: SendCommand; close(): Promise<void> }> {
  const commands = await openSegmentLog(env, dir, { commitDelayMs: 0, maxBytes: 4_194_304, readers: [], log, onFatal });
  return {
    send(group, edge, payload) {
      const message = encodeLogMessage({ receivedMs: env.clock.now(), sender: '', topic: sparkplugTopic(group, 'NCMD', edge), payload });
      commands.append(message).catch((err: unknown) => log.warn({ err, group, edge }, 'A command could not be sent'));
    },
    close: () => commands.close(),
  };
}

/** The broker's end: sends on what the role asks from now on. `env` is of its folder, which may not be there yet. */
export function followCommands(env: Env, log: Log, send: SendCommand): Part {
  const abort = new AbortController();
  let running: Promise<void> | undefined;

  function sendOn(record: Uint8Array): void {
    const { topic, payload, receivedMs } = decodeLogMessage(record);
    const parsed = parseTopic(topic);
    const isCommand = parsed.lane === 'sparkplug' && parsed.type === 'NCMD' && Math.abs(env.clock.now() - receivedMs) < maxAgeMs;
    if (isCommand) send(parsed.group, parsed.edge, payload);
  }

  async function follow(): Promise<void> {
    const commands = await openLogReader(env, dir, { pollMs, log });
    try {
      for (let next = commands.stats().nextIndex; !abort.signal.aborted; ) {
        const records = await commands.read(next, { maxRecords: 100, maxBytes: 1_048_576, waitMs: 5000, signal: abort.signal });
        for (const { index, payload } of records) {
          next = index + 1;
          sendOn(payload);
        }
      }
    } finally {
      await commands.close();
    }
  }

  async function run(): Promise<void> {
    let said = '';
    while (!abort.signal.aborted) {
      try {
        await follow();
      } catch (error) {
        if (abort.signal.aborted) return;
        const code = error instanceof RetryableError ? error.code : String(error);
        // Without the role there is nothing to follow.
        if (code !== said && code !== 'log.notThere')
          log.warn({ err: error }, 'The commands of another role cannot be read, trying until they can');
        said = code;
        await env.clock.sleep(retryMs, abort.signal).catch(() => undefined);
      }
    }
  }

  return {
    name: 'commands',
    start: async () => {
      running = run();
    },
    stop: async () => {
      abort.abort();
      await running;
    },
  };
}
