import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openLogReader } from '@nhip/core/log/log-reader';
import { ConfigError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { decodeLogMessage } from '@nhip/core/telemetry/log-record';
import { formatTime } from '@nhip/core/wire/time';
import { type DeadLetter, listDeadLetters } from '@nhip/ingest/dead-letters';
import { type Command, commonFlags } from '../arguments.ts';
import { dataFolder } from '../folders.ts';

const shownBytes = 512;

export const dlq: Command = {
  name: 'dlq',
  usage: 'list | show SOURCE-INDEX',
  summary: 'Dead letters: messages that could not be stored, with the reason. Works while the server runs.',
  flags: { data: commonFlags.data, json: { summary: 'One line of JSON a letter' } },
  async run(input) {
    const [action, wanted] = input.positionals;
    if (action !== 'list' && action !== 'show') throw new ConfigError('nhip dlq', ['say list or show; nhip dlq --help']);
    const folder = dataFolder(input.text('data'));
    if (!existsSync(join(folder.server, 'dead-letters'))) {
      process.stdout.write(input.isSet('json') ? '' : 'No dead letters.\n');
      return 0;
    }
    const reader = await openLogReader(createNodeEnv(folder.server), 'dead-letters', { reader: 'dlq', log: createLog('dlq', 'error') });
    let count = 0;
    for await (const letter of listDeadLetters(reader)) {
      if (action === 'show' && String(letter.sourceIndex) !== wanted) continue;
      count++;
      process.stdout.write(
        input.isSet('json') ? `${JSON.stringify(describe(letter))}\n` : `${line(letter)}\n${action === 'show' ? body(letter) : ''}`,
      );
    }
    await reader.close();
    if (count === 0 && !input.isSet('json')) process.stdout.write('No dead letters.\n');
    return action === 'show' && count === 0 ? 1 : 0;
  },
};

function describe({ record, ...head }: DeadLetter): object {
  const { receivedMs, sender, topic, payload } = decodeLogMessage(record);
  return { ...head, received: formatTime(receivedMs), sender, topic, payloadBase64: Buffer.from(payload).toString('base64') };
}

function line({ record, sourceIndex, reason, detail, samples }: DeadLetter): string {
  const { receivedMs, topic } = decodeLogMessage(record);
  return `${String(sourceIndex).padStart(8)}  ${formatTime(receivedMs)}  ${reason.padEnd(20)} ${samples} sample(s)  ${topic}  ${harmless(detail)}`;
}

/** A publisher chose this text: control characters could make the terminal show something else. */
function harmless(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '·');
}

function body({ record }: DeadLetter): string {
  const { sender, payload } = decodeLogMessage(record);
  return `  sender  ${sender}\n  bytes   ${payload.length}\n  start   ${Buffer.from(payload.subarray(0, shownBytes))
    .toString('latin1')
    .replaceAll(/[^\x20-\x7e]/g, '.')}\n`;
}
