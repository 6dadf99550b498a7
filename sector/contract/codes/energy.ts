import type { CodeItem, CodeList } from './code-list.ts';

interface Carrier extends CodeItem {
  /** Units that it is metered in. */
  readonly units: readonly string[];
}

const mass = ['TNE', 'KGM'];
const liquid = ['LTR', 'MTQ', ...mass];
const power = ['KWH', 'MWH'];

export const energyCarriers: readonly Carrier[] = [
  { code: 'electricity_grid', vi: 'Điện lưới', en: 'Electricity from the grid', units: power },
  { code: 'electricity_self_pv', vi: 'Điện mặt trời tự dùng', en: 'Own solar electricity', units: power },
  { code: 'coke', vi: 'Than cốc', en: 'Coke', units: mass },
  { code: 'coal_dust_1_2', vi: 'Than cám loại 1, 2', en: 'Coal dust, class 1–2', units: mass },
  { code: 'coal_dust_3_4', vi: 'Than cám loại 3, 4', en: 'Coal dust, class 3–4', units: mass },
  { code: 'coal_dust_5_6', vi: 'Than cám loại 5, 6', en: 'Coal dust, class 5–6', units: mass },
  { code: 'diesel', vi: 'Dầu DO', en: 'Diesel oil', units: liquid },
  { code: 'fuel_oil', vi: 'Dầu FO', en: 'Fuel oil', units: liquid },
  { code: 'lpg', vi: 'Khí hóa lỏng (LPG)', en: 'Liquefied petroleum gas', units: mass },
  { code: 'natural_gas', vi: 'Khí tự nhiên', en: 'Natural gas', units: ['MTQ'] },
  { code: 'gasoline', vi: 'Xăng', en: 'Gasoline', units: liquid },
  { code: 'jet', vi: 'Nhiên liệu phản lực', en: 'Jet fuel', units: liquid },
  { code: 'biomass', vi: 'Sinh khối', en: 'Biomass', units: mass },
  { code: 'steam_purchased', vi: 'Hơi mua ngoài', en: 'Purchased steam', units: [...mass, 'GV', '3B'] },
  { code: 'heat_purchased', vi: 'Nhiệt mua ngoài', en: 'Purchased heat', units: ['GV', '3B', ...power] },
];

export const energyCarrierList: CodeList = {
  id: 'energy-carrier',
  title: { vi: 'Dạng năng lượng', en: 'Energy carriers' },
  validFrom: '1970-01-01',
  source: 'Nhịp; carriers of the factor table of letter 3505/BCT-KHCN and renewables',
  isComplete: true,
  form: /^[a-z0-9_]{1,40}$/,
  items: energyCarriers,
};

/** Whether a carrier is metered in a unit. */
export function isUnitOf(carrier: string, unit: string): boolean {
  return energyCarriers.find(({ code }) => code === carrier)?.units.includes(unit) === true;
}
