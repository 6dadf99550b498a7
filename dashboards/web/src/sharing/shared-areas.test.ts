import type { PlainLine } from '@nhip/core/wire/sharing';
import { describe, expect, it } from 'vitest';
import { byArea, newestUnder, sharedAreas } from './shared-areas.ts';

const words = { vi: '', en: '' };
const line = (pointer: string): PlainLine => ({ pointer, label: words, value: words });

describe('byArea', () => {
  it('puts every line into exactly one area, and unknown ones to the head', () => {
    const lines = ['/energy/0/unit', '/contract', '/energyBill', '/production/output/1/good', '/energy'].map(line);
    const groups = byArea(lines).map(({ area, lines: own }) => [area, ...own.map(({ pointer }) => pointer)]);
    expect(groups).toEqual([
      ['head', '/contract', '/energyBill'],
      ['output', '/production/output/1/good'],
      ['energy', '/energy/0/unit', '/energy'],
    ]);
  });
});

describe('sharedAreas', () => {
  it('tells what stays whole from what stays in part', () => {
    const leaves = [line('/contract'), line('/production/kpi/aptSeconds')];
    const stays = [line('/production/kpi/ttrSeconds'), line('/machines/downtimeByReason/0/seconds')];
    expect(sharedAreas({ leaves, stays })).toEqual({
      leaves: ['head', 'kpi'],
      stays: [
        { area: 'downtime', isPart: false },
        { area: 'kpi', isPart: true },
      ],
    });
  });
});

describe('newestUnder', () => {
  it('takes one report of each recipient, made under that version, and no withdrawal', () => {
    const report = (id: string, recipient: string, policy = 'b', status = 'final') => ({
      ...{ id, recipient, status, digest: 'd' },
      policy: { digest: policy, version: 1 },
    });
    const reports = [report('5', 'x', 'b', 'withdrawn'), report('4', 'x'), report('3', 'y', 'a'), report('2', 'x'), report('1', 'y')];
    expect(newestUnder(reports, 'b').map(({ id }) => id)).toEqual(['4', '1']);
  });
});
