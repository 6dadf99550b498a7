import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogBus } from '@nhip/core/log/log-bus';
import { openSegmentLog } from '@nhip/core/log/segment-log';
import { silentLog } from '@nhip/core/process/log';
import { createNodeClock } from '@nhip/core/process/node-clock';
import { createNodeEnv } from '@nhip/core/process/node-env';
import { type DeadLetter, decodeReplay, encodeDeadLetter, replayTopic } from '@nhip/core/telemetry/dead-letter';
import { decodeLogMessage, encodeLogMessage } from '@nhip/core/telemetry/log-record';
import type { ReplayAnswer } from '@nhip/live/http/routes/dead-letters';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isWanted, type KeptLetter, readLetters } from './letters.ts';
import { createDeadLetters } from './replay-letters.ts';
import { createSummary, letterJson, letterLine, letterText } from './show-letter.ts';

let folder: string;
let kept: LogBus;
let logBus: LogBus;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nhip-letters-'));
  const env = createNodeEnv(folder);
  const options = { commitDelayMs: 0, maxBytes: 67_108_864, readers: [], log: silentLog() };
  kept = await openSegmentLog(env, 'dead-letters', options);
  logBus = await openSegmentLog(env, 'log', options);
});
afterEach(async () => {
  await kept.close();
  await logBus.close();
  rmSync(folder, { recursive: true });
});

const atMs = Date.UTC(2026, 0, 1);

function letter(sourceIndex: number, change: Partial<DeadLetter> = {}, edge = 'g/e', body = '{"values":{"A":1}}'): DeadLetter {
  const record = encodeLogMessage({
    receivedMs: atMs + sourceIndex * 1000,
    sender: edge,
    topic: `json/${edge}/d`,
    payload: Buffer.from(body),
  });
  const rows = [{ machine: `${edge}/d`, metric: 'A', samples: 1, fromMs: atMs, toMs: atMs, places: [[0, 1]] as const }];
  return { reason: 'beforeBirth', detail: 'why', samples: 1, rows, sourceLog: 'log', sourceIndex, part: 0, record, ...change };
}

async function read(from?: number): Promise<readonly KeptLetter[]> {
  const list: KeptLetter[] = [];
  for await (const each of readLetters(kept, from)) list.push(each);
  return list;
}

const indexes = (list: readonly KeptLetter[]) => list.map((each) => each.letter.sourceIndex);

describe('the dead letters that are kept', () => {
  it('are listed once each, whatever a crash doubled and the disk damaged', async () => {
    await kept.append(encodeDeadLetter(letter(1)));
    await kept.append(encodeDeadLetter(letter(1)));
    await kept.append(Buffer.from('garbage'));
    await kept.append(encodeDeadLetter(letter(1, { reason: 'notANumber' })));
    await kept.append(encodeDeadLetter(letter(2)));
    expect(indexes(await read())).toEqual([1, 1, 2]);
    expect(indexes(await read(4))).toEqual([2]);
  });

  it('are chosen by index, reason, edge and time', async () => {
    await kept.append(encodeDeadLetter(letter(1)));
    await kept.append(encodeDeadLetter(letter(2, { reason: 'timestampOutOfRange' }, 'g/f')));
    const list = await read();
    const chosen = (filter: Parameters<typeof isWanted>[1]) => indexes(list.filter((each) => isWanted(each, filter)));
    expect(chosen({})).toEqual([1, 2]);
    expect(chosen({ sourceIndexes: [2, 9] })).toEqual([2]);
    expect(chosen({ reason: 'beforeBirth' })).toEqual([1]);
    expect(chosen({ edge: 'g/f' })).toEqual([2]);
    expect(chosen({ sinceMs: atMs + 2000 })).toEqual([2]);
    expect(chosen({ edge: 'g/f', reason: 'beforeBirth' })).toEqual([]);
  });

  it('are shown without what a publisher could do to a terminal, and not at length', async () => {
    await kept.append(encodeDeadLetter(letter(1, { detail: 'a\u001b[2Jb\u202ec' }, 'g/e', `\u001b]0;x\u0007${'z'.repeat(100_000)}`)));
    const [each] = await read();
    if (each === undefined) throw new Error('no letter');
    const text = letterLine(each) + letterText(each);
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(text).toContain('a·[2Jb·c');
    expect(text.length).toBeLessThan(5000);
    expect(letterJson(each)).toMatchObject({ sourceIndex: 1, sender: 'g/e', edge: 'g/e', received: expect.stringContaining('2026-01-01') });
  });

  it('are counted by reason and edge', async () => {
    await kept.append(encodeDeadLetter(letter(1)));
    await kept.append(encodeDeadLetter(letter(2, { samples: 5 })));
    await kept.append(encodeDeadLetter(letter(3, {}, 'g/f')));
    const summary = createSummary();
    for (const each of await read()) summary.add(each);
    expect(summary.rows()).toMatchObject([
      { reason: 'beforeBirth', edge: 'g/e', letters: 2, samples: 6 },
      { edge: 'g/f', letters: 1, samples: 1 },
    ]);
  });
});

/** An ingest that is through with everything at once. */
const ingest = { storedBelow: () => Number.POSITIVE_INFINITY, replayed: () => 0 };
const clock = { ...createNodeClock(), now: () => 77 };

describe('replay', () => {
  it('puts the chosen letters whole into the log of the broker, in their order', async () => {
    for (const index of [1, 2, 3]) await kept.append(encodeDeadLetter(letter(index, index === 2 ? { reason: 'notANumber' } : {})));
    const letters = createDeadLetters({ clock, deadLetters: kept, logBus, ingest });
    expect(await letters.replay({ reason: 'beforeBirth', force: true, from: 0 })).toEqual({
      replayed: 2,
      samples: 2,
      stored: 0,
      next: null,
    });
    const records = await logBus.read(0, { maxRecords: 10, maxBytes: 1e6, waitMs: 0 });
    const replays = records.map(({ payload }) => {
      const { topic, receivedMs, payload: body } = decodeLogMessage(payload);
      expect({ topic, receivedMs }).toEqual({ topic: replayTopic, receivedMs: 77 });
      return decodeReplay(body);
    });
    expect(replays.map(({ letter: each, force }) => [each.sourceIndex, force])).toEqual([
      [1, true],
      [3, true],
    ]);
    expect(Buffer.compare(replays[0]?.letter.record ?? Buffer.alloc(0), letter(1).record)).toBe(0);
  });

  it('goes on where a request ended, so that no request is endless', async () => {
    const big = 'x'.repeat(200_000);
    for (let index = 0; index < 100; index++) await kept.append(encodeDeadLetter(letter(index, {}, 'g/e', big)));
    const letters = createDeadLetters({ clock, deadLetters: kept, logBus, ingest });
    let replayed = 0;
    let requests = 0;
    for (let from: number | null = 0; from !== null; requests++) {
      const answer: { replayed: number; next: number | null } = await letters.replay({ reason: 'beforeBirth', force: false, from });
      replayed += answer.replayed;
      from = answer.next;
    }
    expect(replayed).toBe(100);
    expect(requests).toBe(2);
  });

  it('ends with the letters that were there when it began, also when the store refuses all of them again', async () => {
    const letterCount = 10;
    const big = 'x'.repeat(2_000_000);
    for (let index = 0; index < letterCount; index++) {
      await kept.append(encodeDeadLetter(letter(index, { reason: 'storeRefused' }, 'g/e', big)));
    }
    const refusing: Pick<LogBus, 'append'> = {
      async append(record) {
        const sourceIndex = await logBus.append(record);
        await kept.append(encodeDeadLetter(letter(sourceIndex, { reason: 'storeRefused', sourceLog: 'broker' })));
        return sourceIndex;
      },
    };
    const letters = createDeadLetters({ clock, deadLetters: kept, logBus: refusing, ingest });
    let replayed = 0;
    let requests = 0;
    let page: { readonly from: number; readonly until?: number | undefined } | undefined = { from: 0 };
    while (page !== undefined && requests < letterCount) {
      const answer: ReplayAnswer = await letters.replay({ reason: 'storeRefused', force: false, ...page });
      replayed += answer.replayed;
      requests++;
      page = answer.next === null ? undefined : { from: answer.next, until: answer.until };
    }
    expect({ replayed, requests }).toEqual({ replayed: letterCount, requests: 2 });
    // What was refused again is there for whoever replays after the cause is gone.
    expect(await letters.replay({ reason: 'storeRefused', force: false, from: letterCount })).toMatchObject({ replayed: letterCount });
  });

  it('counts as stored also what ingest stores while letters are still being read', async () => {
    for (const index of [1, 2, 3]) await kept.append(encodeDeadLetter(letter(index)));
    let storedSamples = 0;
    const prompt: Pick<LogBus, 'append'> = {
      append(record) {
        storedSamples++;
        return logBus.append(record);
      },
    };
    const letters = createDeadLetters({ clock, deadLetters: kept, logBus: prompt, ingest: { ...ingest, replayed: () => storedSamples } });
    expect(await letters.replay({ reason: 'beforeBirth', force: false, from: 0 })).toMatchObject({ replayed: 3, stored: 3 });
  });
});
