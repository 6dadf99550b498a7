import { beforeAll, describe, expect, it } from 'vitest';
import { deviations } from './deviations.ts';
import { type EdgeTrace, followPrimaryHost, liveThrough } from './edge-scenario.ts';
import { messageChecks } from './message-checks.ts';
import { primaryHostChecks } from './primary-host-checks.ts';
import { sessionChecks } from './session-checks.ts';
import { requirement } from './spec.ts';
import { markAt, sent } from './trace.ts';
import { problems } from './verdict.ts';

const lifeChecks = Object.entries({ ...messageChecks, ...sessionChecks });

describe('our edge node, strict, against mosquitto', () => {
  let trace: EdgeTrace;
  beforeAll(async () => {
    trace = await liveThrough(true);
  });

  it.each(lifeChecks.map(([id, check]) => [`${id}: ${requirement(id)}`, check] as const))('%s', (_, check) => {
    expect(problems(check, trace)).toEqual([]);
  });

  it('reports a commanded value when the machine confirmed it, not before, and never what was refused', () => {
    const born = sent(trace.events, 'DBIRTH').find(({ levels }) => levels[4] === 'press');
    const alias = born?.payload?.metrics.find(({ name }) => name === 'Setpoint')?.alias;
    expect(alias).toBeDefined();
    const [from, to] = [markAt(trace.events, 'commanded'), markAt(trace.events, 'machine confirmed')];
    expect(sent(trace.events.slice(from, to), 'DDATA')).toEqual([]);
    const [after] = sent(trace.events.slice(to), 'DDATA');
    expect(after?.payload?.metrics.filter((metric) => metric.alias === alias)).toMatchObject([{ double_value: 41.5 }]);
  });

  it('sends what is historical in payloads of its own, and says so', () => {
    const flags = sent(trace.events, 'DDATA').map(({ payload }) => {
      const samples = (payload?.metrics ?? []).filter(({ name }) => name !== 'Outbox/Identity');
      return new Set(samples.map((metric) => metric.is_historical === true));
    });
    expect(flags.every((kinds) => kinds.size === 1)).toBe(true);
    expect(flags.filter((kinds) => kinds.has(true)).length).toBeGreaterThan(1);
  });
});

describe('our edge node, strict, with a primary host and two servers', () => {
  let trace: EdgeTrace;
  beforeAll(async () => {
    trace = await followPrimaryHost();
  });

  it.each(Object.entries(primaryHostChecks).map(([id, check]) => [`${id}: ${requirement(id)}`, check] as const))('%s', (_, check) => {
    expect(problems(check, trace)).toEqual([]);
  });
});

describe('our edge node as it is by default', () => {
  it('differs from the specification in what is named, and in nothing else', async () => {
    const trace = await liveThrough(false);
    const failed = lifeChecks.filter(([, check]) => problems(check, trace).length > 0).map(([id]) => id);
    expect(failed.filter((id) => deviations[id] === undefined)).toEqual([]);
    expect(failed).toContain('tck-id-payloads-ddata-qos');
  });
});
