import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { drivers } from '../drivers/index.ts';
import { parseAddress } from '../drivers/modbus/address.ts';
import { loadProfiles } from './catalogue.ts';
import { profileMetric } from './metrics.ts';
import { catalogueText, profileFolder, readProfileFiles } from './profile-files.ts';
import { withTables } from './profile-table.ts';
import { inputsOf } from './select-metrics.ts';

const files = readProfileFiles();
const profiles = [...loadProfiles().values()];

/** From a unit that sources use to ours. */
const scales: readonly (number | undefined)[] = [undefined, 0.001, 0.1, 0.01, -0.001, 1 / 3_600_000];

describe('profile files', () => {
  it('are current in the catalogue and in the guide', () => {
    expect(readFileSync(join(profileFolder, 'catalogue.gen.ts'), 'utf8')).toBe(catalogueText(files.values()));
    const guide = readFileSync(join(profileFolder, '../../docs/device-profiles.md'), 'utf8');
    expect(withTables(guide, files, profiles)).toBe(guide);
  });

  it.each([...files])('%s: every address has its sources', (name, file) => {
    expect(file.id).toBe(name);
    for (const { metric, from, checked } of [...file.tags, ...file.derived]) {
      const sources = Object.keys(from);
      expect(
        sources.filter((id) => !Object.hasOwn(file.sources, id)),
        `${metric} names sources that are not there`,
      ).toEqual([]);
      const isOurs = file.isTemplate || (sources.length === 0 && file.derived.some((tag) => tag.metric === metric));
      if (!isOurs) expect(sources.length, `${metric} has no source`).toBeGreaterThan(0);
      expect(checked, `${metric}: checked: 1 stands where there is one source, and only there`).toBe(sources.length === 1 ? 1 : undefined);
    }
    const used = new Set([...file.tags, ...file.derived].flatMap(({ from }) => Object.keys(from)));
    expect(
      Object.keys(file.sources).filter((id) => !used.has(id)),
      'sources that nothing refers to',
    ).toEqual([]);
  });
});

describe.each(profiles.map((profile) => [profile.id, profile] as const))('profile %s', (_, profile) => {
  const all = [...profile.tags, ...profile.derived];

  it('uses metrics of the vocabulary, once, in their unit', () => {
    const names = all.map(({ metric }) => metric.toLowerCase());
    expect(new Set(names).size).toBe(names.length);
    for (const { metric, unitName, scale } of all) {
      const known = profileMetric(metric);
      expect(known, `${metric} is not in metrics.ts`).toBeDefined();
      if (!metric.startsWith('Internal/') && profile.derived.every((tag) => tag.metric !== metric || tag.unitName !== undefined)) {
        expect(unitName, metric).toBe(known?.unit);
      }
      expect(scales, `${metric}: scale ${String(scale)} leads from no unit to another`).toContain(scale);
      if (scale === 0.001 || scale === -0.001) expect(unitName, `${metric} is scaled to a kilo-unit`).toMatch(/^k(W|Wh|var|varh|VA)$/);
    }
  });

  it('has inner values only for what it derives, and derives from what it has', () => {
    const seen = new Set(profile.tags.map(({ metric }) => metric));
    const read = new Set<string>();
    for (const { metric, expression } of profile.derived) {
      const inputs = inputsOf(expression);
      expect(
        inputs.filter((input) => !seen.has(input)),
        `${metric} reads`,
      ).toEqual([]);
      expect(String(expression).replaceAll(/\btag\("[^"]+"\)/g, ''), 'inputs are written tag("…")').not.toMatch(/\btag\b/);
      for (const input of inputs) read.add(input);
      seen.add(metric);
    }
    const inner = all.filter(({ metric }) => metric.startsWith('Internal/'));
    expect(inner.filter(({ metric, publish }) => publish !== false || !read.has(metric))).toEqual([]);
    expect(all.filter(({ metric, publish }) => publish === false && !metric.startsWith('Internal/'))).toEqual([]);
  });

  it('is of a driver that exists, with addresses that do not overlap', () => {
    expect(drivers.has(profile.driver)).toBe(true);
    if (profile.driver !== 'modbus') {
      expect(new Set(profile.tags.map(({ node, field }) => `${String(node)} ${String(field)}`)).size).toBe(profile.tags.length);
      expect(profile.tags.filter(({ node }) => !String(node).startsWith('/'))).toEqual([]);
      return;
    }
    const taken = new Map<string, string>();
    const clashes: string[] = [];
    for (const { metric, address } of profile.tags) {
      const place = parseAddress(String(address));
      if ('problem' in place) throw new Error(`${metric}: ${place.problem}`);
      for (let i = 0; i < place.count; i++) {
        for (let bit = place.bits?.from ?? 0; bit < (place.bits === undefined ? 16 : place.bits.from + place.bits.count); bit++) {
          const key = `${place.table}:${place.start + i}.${bit}`;
          if (taken.has(key)) clashes.push(`${metric} lies on ${taken.get(key)} at ${key}`);
          taken.set(key, metric);
        }
      }
    }
    expect(clashes).toEqual([]);
  });

  it('has a whole version and texts in both languages', () => {
    expect(Number.isInteger(profile.version) && profile.version >= 1).toBe(true);
    for (const text of [profile.title, profile.notes, profile.base?.meaning]) if (text !== undefined) expect(text.vi).not.toBe(text.en);
  });
});
