import { describe, expect, it } from 'vitest';
import { deviations, readings } from './deviations.ts';
import { hostChecks } from './host-checks.ts';
import { messageChecks } from './message-checks.ts';
import { notTested } from './not-tested.ts';
import { primaryHostChecks } from './primary-host-checks.ts';
import { sessionChecks } from './session-checks.ts';
import { requirement, specIds } from './spec.ts';

const tables = [messageChecks, sessionChecks, primaryHostChecks, hostChecks];
const tested = tables.flatMap((table) => Object.keys(table));

describe('the requirements of Sparkplug 3.0.0', () => {
  it('are 299, each with a paraphrase', () => {
    expect(specIds).toHaveLength(299);
    for (const id of specIds) expect(requirement(id).length, id).toBeGreaterThan(10);
  });

  it('are each tested, or listed with the reason why not, never both', () => {
    const all = [...tested, ...notTested.keys()].sort();
    expect(all).toEqual([...specIds].sort());
  });

  it('are what deviations and readings are about', () => {
    for (const id of [...Object.keys(deviations), ...Object.keys(readings)]) expect(tested).toContain(id);
  });
});
