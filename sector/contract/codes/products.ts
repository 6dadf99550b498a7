import type { CodeList } from './code-list.ts';

/** Products. These lists have thousands of codes and are not kept here: a code is accepted by its form, a GTIN by its check digit. */
export const productLists: readonly CodeList[] = [
  {
    id: 'VCPA2018',
    title: { vi: 'Hệ thống ngành sản phẩm Việt Nam', en: 'Viet Nam Product Classification' },
    validFrom: '2018-08-20',
    source: 'Decision 43/2018/QĐ-TTg; no successor for VSIC 2025 is known, so it stays valid',
    isComplete: false,
    form: /^[0-9]{2,7}$/,
    items: [],
  },
  {
    id: 'HS2022',
    title: { vi: 'Danh mục hàng hóa HS 2022', en: 'Harmonized System 2022' },
    validFrom: '2022-01-01',
    source: 'World Customs Organization',
    isComplete: false,
    form: /^[0-9]{2}([0-9]{2}(\.?[0-9]{2}){0,3})?$/,
    items: [],
  },
  {
    id: 'GTIN',
    title: { vi: 'Mã thương phẩm toàn cầu (GTIN)', en: 'Global Trade Item Number' },
    validFrom: '1974-01-01',
    source: 'GS1 General Specifications',
    isComplete: false,
    form: /^([0-9]{8}|[0-9]{12,14})$/,
    isSound: isGtin,
    items: [],
  },
  {
    id: 'LOCAL',
    title: { vi: 'Mã riêng của nhà máy, không vào chỉ số ngành', en: "The factory's own code, not used in any index" },
    validFrom: '1970-01-01',
    source: 'The factory',
    isComplete: false,
    form: /^[0-9A-Za-z.-]{2,20}$/,
    items: [],
  },
];

/** GS1 check digit: from the right, weights 1, 3, 1, 3 …; the sum is a multiple of ten. */
function isGtin(code: string): boolean {
  const sum = [...code].reverse().reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0);
  return sum % 10 === 0;
}
