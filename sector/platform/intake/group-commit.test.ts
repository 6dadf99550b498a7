import { createNodeClock } from '@nhip/core/process/node-clock';
import { expect, it } from 'vitest';
import type { Candidate, Outcome } from '../store/candidate.ts';
import { createGroupCommit } from './group-commit.ts';

const clock = createNodeClock();
const candidate = (seriesKey: string, digest = seriesKey) => ({ seriesKey, digest }) as unknown as Candidate;
const accepted = (text: string): Outcome => ({ kind: 'accepted', receipt: Buffer.from(text) });
const options = { lingerMs: 1, maxGroup: 3, maxWaiting: 6 };

it('commits together what arrives together, of each series one, in order', async () => {
  const groups: string[][] = [];
  const groupCommit = createGroupCommit(
    async (group) => {
      groups.push(group.map(({ digest }) => digest));
      return group.map(({ digest }) => accepted(digest));
    },
    clock,
    options,
  );
  const sent = [
    candidate('a', 'a1'),
    candidate('a', 'a2'),
    candidate('b', 'b1'),
    candidate('a', 'a3'),
    candidate('c', 'c1'),
    candidate('d', 'd1'),
  ];
  const outcomes = await Promise.all(sent.map((each) => groupCommit.submit(each)));
  expect(outcomes.map((outcome) => ('receipt' in outcome ? String(outcome.receipt) : ''))).toEqual(['a1', 'a2', 'b1', 'a3', 'c1', 'd1']);
  expect(groups).toEqual([['a1', 'b1', 'c1'], ['a2', 'd1'], ['a3']]);
});

it('tries each alone when the data of one are refused, and none again when the database is away', async () => {
  let calls = 0;
  const groupCommit = createGroupCommit(
    async (group) => {
      calls += 1;
      if (group.some(({ digest }) => digest === 'bad')) throw Object.assign(new Error('duplicate key'), { code: '23505' });
      if (group.some(({ digest }) => digest === 'away')) throw Object.assign(new Error('terminated'), { code: '57P01' });
      return group.map(({ digest }) => accepted(digest));
    },
    clock,
    options,
  );
  const settled = await Promise.allSettled(['x', 'bad', 'y'].map((each) => groupCommit.submit(candidate(each))));
  expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  calls = 0;
  const away = await Promise.allSettled(['x', 'away'].map((each) => groupCommit.submit(candidate(each))));
  expect([calls, ...away.map(({ status }) => status)]).toEqual([1, 'rejected', 'rejected']);
});

it('refuses more than it may hold, finishes what it has, and takes nothing after', async () => {
  const groupCommit = createGroupCommit(async (group) => group.map(({ digest }) => accepted(digest)), clock, options);
  const held = Array.from({ length: 6 }, (_, i) => groupCommit.submit(candidate(`s${i}`)));
  await expect(groupCommit.submit(candidate('more'))).rejects.toMatchObject({ code: 'sector.busy' });
  await groupCommit.stop();
  expect((await Promise.allSettled(held)).every(({ status }) => status === 'fulfilled')).toBe(true);
  await expect(groupCommit.submit(candidate('late'))).rejects.toMatchObject({ code: 'sector.busy' });
});
