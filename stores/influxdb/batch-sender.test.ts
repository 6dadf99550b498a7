import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { SampleBatch } from '@nhip/core/telemetry/sample-batch';
import { expect, it } from 'vitest';
import { type BatchSender, createBatchSender } from './batch-sender.ts';
import type { WriteAnswer } from './influx-server.ts';
import { createSampleEncoder } from './sample-lines.ts';
import { numbered } from './testing/numbered.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function senderTo(answer: (body: string) => Promise<WriteAnswer>): BatchSender {
  const write = (_place: unknown, body: string | Uint8Array) => answer(Buffer.from(body).toString());
  return createBatchSender({ write }, createSampleEncoder(), 2);
}

it('keeps nothing of the batches that went ahead when they have arrived', async () => {
  const sender = senderTo(async (body) => (body.includes(' v=7 ') ? { kind: 'refused', reason: 'seven' } : { kind: 'stored' }));
  const sendOne = async (batch: SampleBatch): Promise<WeakRef<object>> => {
    sender.ahead(batch, () => []);
    const refused = await sender.takeAhead(batch)?.refused;
    expect(refused).toEqual([{ row: 7, reason: 'seven' }]);
    return new WeakRef(refused ?? []);
  };
  const answers = [await sendOne(numbered(0, 10)), await sendOne(numbered(0, 10)), await sendOne(numbered(0, 10))];
  await sender.settled();
  // A reference stays until the end of the turn that made it.
  await new Promise((resolve) => setImmediate(resolve));
  collectGarbage();
  expect(answers.map((answer) => answer.deref())).toEqual([undefined, undefined, undefined]);
});

it('is settled only when what went ahead has been answered for, taken or not', async () => {
  let answerNow: (() => void) | undefined;
  const sender = senderTo(
    () =>
      new Promise((resolve) => {
        answerNow = () => resolve({ kind: 'stored' });
      }),
  );
  const batch = numbered(0, 10);
  sender.ahead(batch, () => []);
  sender.takeAhead(batch);
  let isSettled = false;
  const settled = sender.settled().then(() => {
    isSettled = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(isSettled).toBe(false);
  answerNow?.();
  await settled;
});
