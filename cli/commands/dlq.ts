import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openLogReader } from '@nhip/core/log/log-reader';
import { ConfigError, RetryableError } from '@nhip/core/process/errors';
import { createLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { parseTime } from '@nhip/core/wire/time';
import { replayAnswer } from '@nhip/live/http/routes/dead-letters';
import type { z } from 'zod';
import { type Command, commonFlags, type Input } from '../arguments.ts';
import { isWanted, type KeptLetter, type LetterFilter, readLetters } from '../dead-letters/letters.ts';
import { createSummary, letterJson, letterLine, letterText } from '../dead-letters/show-letter.ts';
import { dataFolder } from '../folders.ts';
import { findServer, serverFlags } from '../server-client.ts';

const defaultLimit = 100;

export const dlq: Command = {
  name: 'dlq',
  usage: 'list [--summary] | show SOURCE-INDEX | replay SOURCE-INDEX … | replay --reason REASON [--edge EDGE] [--force]',
  summary:
    'Dead letters: messages that could not be stored, with the reason. list and show work while the server runs and when it does not; replay puts messages back to the running server, e.g. when the birth that they lacked is there.',
  flags: {
    data: commonFlags.data,
    reason: { summary: 'Only letters with this reason, e.g. beforeBirth', value: 'REASON' },
    edge: { summary: 'Only letters of <group>/<edge>', value: 'EDGE' },
    since: { summary: 'list: only what arrived since then: 2h, 30m, 3d, or 2026-01-31T08:00Z', value: 'TIME' },
    limit: { summary: `list: the newest N (default ${defaultLimit})`, value: 'N' },
    summary: { summary: 'list: counts by reason and edge' },
    force: { summary: 'replay: also samples whose time is out of range, e.g. after the server’s clock was wrong' },
    ...serverFlags,
    json: { summary: 'One line of JSON a letter, or of the answer' },
  },
  async run(input) {
    const [action, ...wanted] = input.positionals;
    switch (action) {
      case 'list':
        return list(input, filterOf(input, []));
      case 'show':
        return show(input, filterOf(input, wanted.slice(0, 1)));
      case 'replay':
        return replay(input, filterOf(input, wanted));
      default:
        throw new ConfigError('nhip dlq', ['say list, show or replay; nhip dlq --help']);
    }
  },
};

function filterOf(input: Input, indexes: readonly string[]): LetterFilter {
  const problem = indexes.find((text) => !/^\d{1,15}$/.test(text));
  if (problem !== undefined) throw new ConfigError('nhip dlq', [`"${problem}" is no index of a letter: nhip dlq list shows them first`]);
  return {
    sourceIndexes: indexes.length === 0 ? undefined : indexes.map(Number),
    reason: input.text('reason'),
    edge: input.text('edge'),
    sinceMs: readSince(input.text('since'), createNodeClock().now()),
  };
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A time, or how long ago. Throws ConfigError when it is neither. */
export function readSince(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ago = /^(\d{1,6})([smhd])$/.exec(text);
  if (ago !== null) return nowMs - Number(ago[1]) * unitMs[ago[2] as keyof typeof unitMs];
  const atMs = parseTime(text);
  if (atMs === undefined)
    throw new ConfigError('--since', [`"${text}" is neither a time (2026-01-31T08:00Z) nor how long ago (30m, 2h, 3d)`]);
  return atMs;
}

/** The letters of the data folder, of the server and of an ingest that runs apart; none where there is no log of them. */
async function* lettersOf(input: Input): AsyncGenerator<KeptLetter> {
  const { server, ingest } = dataFolder(input.text('data'));
  for (const folder of [server, ingest]) {
    if (!existsSync(join(folder, 'dead-letters'))) continue;
    const reader = await openLogReader(createNodeEnv(folder), 'dead-letters', { log: createLog('dlq', 'error') });
    try {
      yield* readLetters(reader);
    } finally {
      await reader.close();
    }
  }
}

async function list(input: Input, filter: LetterFilter): Promise<number> {
  const limitText = input.text('limit') ?? String(defaultLimit);
  const limit = Number(limitText);
  if (!Number.isInteger(limit) || limit < 1 || limit > 100_000) throw new ConfigError('--limit', [`"${limitText}" is not 1–100000`]);
  const summary = createSummary();
  const newest: KeptLetter[] = [];
  let count = 0;
  for await (const kept of lettersOf(input)) {
    if (!isWanted(kept, filter)) continue;
    count++;
    summary.add(kept);
    if (input.isSet('summary')) continue;
    newest.push(kept);
    if (newest.length > limit) newest.shift();
  }
  const isJson = input.isSet('json');
  if (input.isSet('summary')) process.stdout.write(isJson ? `${JSON.stringify(summary.rows())}\n` : summary.text());
  else for (const kept of newest) process.stdout.write(isJson ? `${JSON.stringify(letterJson(kept))}\n` : letterLine(kept));
  if (count === 0 && !isJson) process.stdout.write('No dead letters.\n');
  if (count > newest.length && !isJson && !input.isSet('summary')) {
    process.stdout.write(`The newest ${newest.length} of ${count}: --summary counts them, --limit, --reason, --edge and --since choose.\n`);
  }
  return 0;
}

async function show(input: Input, filter: LetterFilter): Promise<number> {
  if (filter.sourceIndexes === undefined)
    throw new ConfigError('nhip dlq show', ['say the index of a letter: nhip dlq list shows them first']);
  let count = 0;
  for await (const kept of lettersOf(input)) {
    if (!isWanted(kept, filter)) continue;
    count++;
    process.stdout.write(input.isSet('json') ? `${JSON.stringify(letterJson(kept))}\n` : letterText(kept));
  }
  if (count === 0) process.stderr.write(`There is no dead letter ${filter.sourceIndexes[0]}; nhip dlq list shows all.\n`);
  return count === 0 ? 1 : 0;
}

async function replay(input: Input, { sourceIndexes, reason, edge }: LetterFilter): Promise<number> {
  if (sourceIndexes === undefined && reason === undefined) {
    throw new ConfigError('nhip dlq replay', ['say which letters: indexes of nhip dlq list, or --reason REASON']);
  }
  const server = findServer(input, dataFolder(input.text('data')).server, process.env);
  if (server === undefined) {
    throw new RetryableError(
      'cli.serverUnreachable',
      'Letters are put back to the running `nhip server`: start it first, then say the same again',
    );
  }
  const total = { replayed: 0, samples: 0, stored: 0 as number | null };
  let until: number | undefined;
  for (let from: number | null = 0; from !== null; ) {
    const choice: object = { sourceIndexes, reason, edge, force: input.isSet('force'), from, until };
    const answer: z.infer<typeof replayAnswer> = await server.post('/api/v1/dead-letters/replay', choice, replayAnswer);
    total.replayed += answer.replayed;
    total.samples += answer.samples;
    total.stored = answer.stored === null || total.stored === null ? null : total.stored + answer.stored;
    from = answer.next;
    until = answer.until;
  }
  if (input.isSet('json')) process.stdout.write(`${JSON.stringify(total)}\n`);
  else process.stdout.write(`${replayText(total)}\n`);
  return total.replayed === 0 ? 1 : 0;
}

type Replayed = Pick<z.infer<typeof replayAnswer>, 'replayed' | 'samples' | 'stored'>;

function replayText({ replayed, samples, stored }: Replayed): string {
  if (replayed === 0) return 'There is no such dead letter.';
  const put = `${replayed} letter(s) with ${samples} sample(s) are put back`;
  if (stored === null) return `${put}; ingest is behind and will come to them.`;
  const rest = samples - stored > 0 ? ' The rest can still not be stored, or was stored by an earlier replay.' : '';
  return `${put}; ${stored} sample(s) are stored now.${rest}`;
}
