import { beforeAll, describe, expect, it } from 'vitest';
import { hostChecks } from './host-checks.ts';
import { type HostTrace, hostThrough } from './host-scenario.ts';
import { requirement } from './spec.ts';

describe('our server as host application and MQTT server', () => {
  let run: HostTrace;
  beforeAll(async () => {
    run = await hostThrough();
  });

  it.each(Object.entries(hostChecks).map(([id, check]) => [`${id}: ${requirement(id)}`, check] as const))('%s', (_, check) => {
    const verdicts = check(run);
    expect(verdicts.length).toBeGreaterThan(0);
    expect(verdicts.filter((verdict) => verdict !== true)).toEqual([]);
  });

  it('keeps a historical value from becoming the current one, and stores it', () => {
    const current = run.stored.get('data')?.find(({ machine, metric }) => machine === 'plant/gateway/press' && metric === 'T');
    expect(current?.v).toBe(3);
  });
});
