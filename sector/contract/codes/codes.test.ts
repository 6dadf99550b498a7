import { describe, expect, it } from 'vitest';
import { schemas } from '../schema-check.ts';
import { codeStatus } from './code-list.ts';
import { codeLists, isCodeValid, mapCode } from './codes.ts';
import { energyCarriers } from './energy.ts';
import { machineClassList, noteList, reasonList, stateList } from './plant-words.ts';
import { provinceList2004, provinceList2025, provinceSuccessors, reusedProvinceCodes } from './provinces.ts';
import { isTaxCode } from './tax-code.ts';
import { toeOf } from './toe.ts';
import { units } from './units.ts';
import { vsic2018, vsic2025 } from './vsic.ts';

describe('provinces', () => {
  it('are 63 before 1 July 2025 and 34 after it, each old one in one new one', () => {
    expect(provinceList2004.items).toHaveLength(63);
    expect(provinceList2025.items).toHaveLength(34);
    const codes = provinceList2025.items.map(({ code }) => code);
    expect([...new Set(provinceSuccessors.values())].sort()).toEqual([...codes].sort());
    for (const code of codes) expect(mapCode('VN-ADM-2025', 'VN-ADM-2004', code).length).toBeGreaterThan(0);
  });

  it('use seven codes for another province than before', () => {
    expect(reusedProvinceCodes).toEqual(['15', '24', '44', '52', '80', '82', '91']);
    const name = (scheme: string, code: string): string | undefined => codeLists.get(scheme)?.items.find((item) => item.code === code)?.vi;
    expect([name('VN-ADM-2004', '24'), name('VN-ADM-2025', '24')]).toEqual(['Bắc Giang', 'Bắc Ninh']);
    expect([name('VN-ADM-2004', '15'), name('VN-ADM-2025', '15')]).toEqual(['Yên Bái', 'Lào Cai']);
  });

  it('are mapped by scheme, never by the bare code', () => {
    expect(mapCode('VN-ADM-2004', 'VN-ADM-2025', '27')).toEqual(['24']);
    expect(mapCode('VN-ADM-2025', 'VN-ADM-2004', '79')).toEqual(['74', '77', '79']);
    expect(mapCode('VN-ADM-2004', 'VN-ADM-2025', '03')).toEqual([]);
    expect(mapCode('VN-ADM-2025', 'VN-ADM-2025', '74')).toEqual([]);
    expect(() => mapCode('VSIC2018', 'VSIC2025', '1410')).toThrow(/no mapping/);
  });
});

it('accepts codes of incomplete lists by their form and says so', () => {
  expect(codeStatus(vsic2018, '14', '2025-01-01')).toBe('listed');
  expect(codeStatus(vsic2018, '1410', '2025-01-01')).toBe('unlisted');
  expect(codeStatus(vsic2018, '0910', '2025-01-01')).toBe('invalid');
  expect(codeStatus(vsic2018, '1410', '2025-11-15')).toBe('invalid');
  expect(isCodeValid('VSIC2007', '1410', '2025-11-15')).toBe(false);
  expect(isCodeValid('HS2022', '6109.10.00', '2026-01-01')).toBe(true);
  expect(isCodeValid('HS2022', '610', '2026-01-01')).toBe(false);
  expect(isCodeValid('GTIN', '4006381333931', '2026-01-01')).toBe(true);
  expect(isCodeValid('GTIN', '4006381333932', '2026-01-01')).toBe(false);
});

it('knows every industry of VSIC 2025, on each level', () => {
  const at = (code: string): boolean => isCodeValid('VSIC2025', code, '2025-11-15');
  for (const code of ['10', '141', '1410', '14100', '1105', '2611', '2619', '33200']) expect(at(code), code).toBe(true);
  // Of 2018, without a place, of another section.
  for (const code of ['2610', '1411', '14101', '34', '3511', '101010']) expect(at(code), code).toBe(false);
  expect(isCodeValid('VSIC2025', '1410', '2025-11-14')).toBe(false);
  const divisions = new Set(vsic2025.items.map(({ code }) => code));
  expect(new Set(vsic2025.codes?.map((code) => code.slice(0, 2)))).toEqual(divisions);
  expect(new Set(vsic2025.codes).size).toBe(vsic2025.codes?.length);
  for (const code of vsic2025.codes ?? []) {
    expect(code).toMatch(vsic2025.form);
    // A class that is not divided has one code below it, which ends in 0.
    const below = vsic2025.codes?.filter((each) => each.length === 5 && each.startsWith(code)) ?? [];
    if (code.length === 4 && below.length === 1) expect(below).toEqual([`${code}0`]);
    if (code.length === 4 && below.length > 1) expect(below).not.toContain(`${code}0`);
  }
});

it('knows a tax code by its check digit', () => {
  // Codes of three public companies, and a branch.
  for (const code of ['0100109106', '0300588569', '0101248141', '0300588569-001', '0999999983']) expect(isTaxCode(code), code).toBe(true);
  for (const code of ['0100109107', '0300588596', '010010910', '0100109106-1', 'x100109106']) expect(isTaxCode(code), code).toBe(false);
});

it('has a word in both languages for every code of the schemas, and no other', () => {
  const { properties } = schemas.report;
  const codesOf = (list: { readonly items: readonly { readonly code: string }[] }): string[] => list.items.map(({ code }) => code).sort();
  const sorted = (codes: readonly string[]): string[] => [...codes].sort();
  expect(codesOf(stateList)).toEqual(sorted(properties.machines.properties.secondsByState.required));
  expect(codesOf(reasonList)).toEqual(sorted(properties.machines.properties.downtimeByReason.items.properties.reason.enum));
  expect(codesOf({ items: energyCarriers })).toEqual(sorted(properties.energy.items.properties.carrier.enum));
  expect(codesOf(noteList)).toEqual(sorted(properties.quality.properties.flags.items.properties.note.enum));
  expect(codesOf(machineClassList)).toEqual(sorted(schemas.machineStatus.properties.machineClass.enum));
  for (const list of codeLists.values()) {
    for (const { code, vi, en } of list.items) {
      expect(list.form.test(code), `${list.id} ${code}`).toBe(true);
      expect(vi.normalize('NFC') === vi && vi.length > 0 && en.length > 0, `${list.id} ${code}`).toBe(true);
    }
    expect(new Set(list.items.map(({ code }) => code)).size).toBe(list.items.length);
  }
  for (const carrier of energyCarriers) for (const unit of carrier.units) expect(units.map(({ code }) => code)).toContain(unit);
});

describe('tonnes of oil equivalent', () => {
  it('count electricity by its own factor', () => {
    const electricity = (unit: string, quantity: string) => toeOf({ carrier: 'electricity_grid', unit, quantity }, '2026-03-01');
    expect(electricity('KWH', '6480000')).toEqual({ low: '999.864', high: '999.864', table: 'VN-TOE-2011' });
    expect(electricity('MWH', '6480')).toEqual(electricity('KWH', '6480000'));
    expect(electricity('KWH', '1')?.low).toBe('0.000154');
  });

  it('convert within mass and volume, show a printed range, and give nothing where there is no factor', () => {
    const toe = (carrier: string, unit: string, quantity: string) => toeOf({ carrier, unit, quantity }, '2026-03-01');
    expect(toe('diesel', 'LTR', '1000')?.low).toBe('0.88');
    expect(toe('diesel', 'MTQ', '1')?.low).toBe('0.88');
    expect(toe('diesel', 'KGM', '1000')?.low).toBe('1.02');
    expect(toe('coke', 'TNE', '2')).toMatchObject({ low: '1.4', high: '1.5' });
    expect(toe('biomass', 'TNE', '1')).toBeUndefined();
    expect(toeOf({ carrier: 'diesel', unit: 'LTR', quantity: '1' }, '2010-01-01')).toBeUndefined();
  });
});
