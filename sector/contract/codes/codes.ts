import { type CodeList, codeStatus, hasCode } from './code-list.ts';
import { energyCarrierList } from './energy.ts';
import { machineClassList, noteList, reasonList, stateList } from './plant-words.ts';
import { productLists } from './products.ts';
import { provinceList2004, provinceList2025, provinceSuccessors } from './provinces.ts';
import { unitList } from './units.ts';
import { vsic2018, vsic2025 } from './vsic.ts';

/** Every list by the name of its scheme. */
export const codeLists: ReadonlyMap<string, CodeList> = new Map(
  [
    vsic2018,
    vsic2025,
    provinceList2004,
    provinceList2025,
    ...productLists,
    unitList,
    energyCarrierList,
    stateList,
    reasonList,
    machineClassList,
    noteList,
  ].map((list) => [list.id, list]),
);

const provinceSchemes: readonly string[] = [provinceList2004.id, provinceList2025.id];

/** Whether a scheme has a code at a local date `YYYY-MM-DD`. A code of an incomplete list passes by its form; see codeStatus. */
export function isCodeValid(scheme: string, code: string, atDate: string): boolean {
  const list = codeLists.get(scheme);
  return list !== undefined && codeStatus(list, code, atDate) !== 'invalid';
}

/** Whether `mapCode` knows a pair of schemes. */
export function hasMapping(from: string, to: string): boolean {
  return from === to || (provinceSchemes.includes(from) && provinceSchemes.includes(to));
}

/**
 * The codes of another scheme that a code corresponds to: one for a former province, one to three for a province of today, none when the
 * code is unknown. Throws for a pair of schemes without a mapping; see vsic.ts for VSIC 2018 ↔ 2025.
 */
export function mapCode(from: string, to: string, code: string): readonly string[] {
  if (from === to) {
    const list = codeLists.get(from);
    return list !== undefined && hasCode(list, code) ? [code] : [];
  }
  if (from === 'VN-ADM-2004' && to === 'VN-ADM-2025') {
    const successor = provinceSuccessors.get(code);
    return successor === undefined ? [] : [successor];
  }
  if (from === 'VN-ADM-2025' && to === 'VN-ADM-2004') {
    return [...provinceSuccessors].filter(([, successor]) => successor === code).map(([former]) => former);
  }
  throw new RangeError(`there is no mapping from ${from} to ${to}`);
}
