import type { CodeItem, CodeList } from './code-list.ts';

export type Quantity = 'count' | 'mass' | 'volume' | 'length' | 'area' | 'energy';

export interface Unit extends CodeItem {
  readonly quantity: Quantity;
  /** How many of the quantity's base unit (piece, kg, l, m, m², kWh) one of these is, as decimal text. Absent: not exactly a decimal. */
  readonly factor?: string;
}

/** Units of UN/ECE Recommendation 20 that a report may use. */
export const units: readonly Unit[] = [
  { code: 'H87', vi: 'Cái', en: 'Piece', quantity: 'count', factor: '1' },
  { code: 'C62', vi: 'Đơn vị', en: 'One', quantity: 'count', factor: '1' },
  { code: 'PR', vi: 'Đôi', en: 'Pair', quantity: 'count', factor: '2' },
  { code: 'DZN', vi: 'Tá', en: 'Dozen', quantity: 'count', factor: '12' },
  { code: 'GRM', vi: 'Gam', en: 'Gram', quantity: 'mass', factor: '0.001' },
  { code: 'KGM', vi: 'Kilôgam', en: 'Kilogram', quantity: 'mass', factor: '1' },
  { code: 'TNE', vi: 'Tấn', en: 'Tonne', quantity: 'mass', factor: '1000' },
  { code: 'LTR', vi: 'Lít', en: 'Litre', quantity: 'volume', factor: '1' },
  { code: 'MTQ', vi: 'Mét khối', en: 'Cubic metre', quantity: 'volume', factor: '1000' },
  { code: 'MTR', vi: 'Mét', en: 'Metre', quantity: 'length', factor: '1' },
  { code: 'MTK', vi: 'Mét vuông', en: 'Square metre', quantity: 'area', factor: '1' },
  { code: 'KWH', vi: 'Kilôoát giờ', en: 'Kilowatt hour', quantity: 'energy', factor: '1' },
  { code: 'MWH', vi: 'Mêgaoát giờ', en: 'Megawatt hour', quantity: 'energy', factor: '1000' },
  { code: '3B', vi: 'Mêgajun', en: 'Megajoule', quantity: 'energy' },
  { code: 'GV', vi: 'Gigajun', en: 'Gigajoule', quantity: 'energy' },
];

export const unitList: CodeList = {
  id: 'UNECE-REC20',
  title: { vi: 'Đơn vị tính', en: 'Units of measure' },
  validFrom: '1970-01-01',
  source: 'UN/ECE Recommendation 20',
  isComplete: true,
  form: /^[A-Z0-9]{2,3}$/,
  items: units,
};

/** Units that a product may be counted in: everything but energy, which has its own place. */
export const outputUnits: readonly string[] = units.filter(({ quantity }) => quantity !== 'energy').map(({ code }) => code);
