import type { CodeItem, CodeList } from './code-list.ts';
import { vsic2025Codes } from './vsic-2025.ts';

/**
 * Industries, section C (manufacturing). Decision 36/2025/QĐ-TTg replaced VSIC 2018 on 15 November 2025.
 *
 * Of VSIC 2018 the divisions (level 2) are listed, and deeper codes accepted by their form; of VSIC 2025 all levels. There is no mapping
 * between the two here: the official one (letter 3061/CTK-CSCL of the statistics office) splits and merges many codes, so that it names
 * candidates for a person to choose from, and a report keeps the scheme it was written in.
 */

const form = /^(1[0-9]|2[0-9]|3[0-3])[0-9]{0,3}$/;

const divisions2018: readonly CodeItem[] = [
  { code: '10', vi: 'Sản xuất, chế biến thực phẩm', en: 'Food products' },
  { code: '11', vi: 'Sản xuất đồ uống', en: 'Beverages' },
  { code: '12', vi: 'Sản xuất sản phẩm thuốc lá', en: 'Tobacco products' },
  { code: '13', vi: 'Dệt', en: 'Textiles' },
  { code: '14', vi: 'Sản xuất trang phục', en: 'Wearing apparel' },
  { code: '15', vi: 'Sản xuất da và các sản phẩm có liên quan', en: 'Leather and related products' },
  {
    code: '16',
    vi: 'Chế biến gỗ và sản xuất sản phẩm từ gỗ, tre, nứa (trừ giường, tủ, bàn, ghế); sản xuất sản phẩm từ rơm, rạ và vật liệu tết bện',
    en: 'Wood and wood products except furniture',
  },
  { code: '17', vi: 'Sản xuất giấy và sản phẩm từ giấy', en: 'Paper and paper products' },
  { code: '18', vi: 'In, sao chép bản ghi các loại', en: 'Printing and reproduction of recorded media' },
  { code: '19', vi: 'Sản xuất than cốc, sản phẩm dầu mỏ tinh chế', en: 'Coke and refined petroleum' },
  { code: '20', vi: 'Sản xuất hoá chất và sản phẩm hoá chất', en: 'Chemicals and chemical products' },
  { code: '21', vi: 'Sản xuất thuốc, hoá dược và dược liệu', en: 'Pharmaceuticals' },
  { code: '22', vi: 'Sản xuất sản phẩm từ cao su và plastic', en: 'Rubber and plastics products' },
  { code: '23', vi: 'Sản xuất sản phẩm từ khoáng phi kim loại khác', en: 'Other non-metallic mineral products' },
  { code: '24', vi: 'Sản xuất kim loại', en: 'Basic metals' },
  { code: '25', vi: 'Sản xuất sản phẩm từ kim loại đúc sẵn (trừ máy móc, thiết bị)', en: 'Fabricated metal products' },
  { code: '26', vi: 'Sản xuất sản phẩm điện tử, máy vi tính và sản phẩm quang học', en: 'Computer, electronic and optical products' },
  { code: '27', vi: 'Sản xuất thiết bị điện', en: 'Electrical equipment' },
  { code: '28', vi: 'Sản xuất máy móc, thiết bị chưa được phân vào đâu', en: 'Machinery and equipment n.e.c.' },
  { code: '29', vi: 'Sản xuất ô tô và xe có động cơ khác', en: 'Motor vehicles, trailers' },
  { code: '30', vi: 'Sản xuất phương tiện vận tải khác', en: 'Other transport equipment' },
  { code: '31', vi: 'Sản xuất giường, tủ, bàn, ghế', en: 'Furniture' },
  { code: '32', vi: 'Công nghiệp chế biến, chế tạo khác', en: 'Other manufacturing' },
  { code: '33', vi: 'Sửa chữa, bảo dưỡng và lắp đặt máy móc và thiết bị', en: 'Repair, maintenance and installation of machinery' },
];

/** Divisions whose official name changed. */
const renamed: Readonly<Record<string, string>> = {
  '20': 'Sản xuất hóa chất và sản phẩm hóa chất',
  '21': 'Sản xuất thuốc, hóa dược và dược liệu',
  '26': 'Sản xuất sản phẩm điện tử, máy tính và sản phẩm quang học',
  '33': 'Sửa chữa, bảo dưỡng và lắp đặt máy móc, thiết bị',
};

export const vsic2018: CodeList = {
  id: 'VSIC2018',
  title: { vi: 'Hệ thống ngành kinh tế Việt Nam 2018', en: 'Viet Nam Standard Industrial Classification 2018' },
  validFrom: '2018-08-20',
  validTo: '2025-11-14',
  source: 'Decision 27/2018/QĐ-TTg',
  isComplete: false,
  form,
  listedPrefix: 2,
  items: divisions2018,
};

export const vsic2025: CodeList = {
  id: 'VSIC2025',
  title: { vi: 'Hệ thống ngành kinh tế Việt Nam 2025', en: 'Viet Nam Standard Industrial Classification 2025' },
  validFrom: '2025-11-15',
  source: 'Decision 36/2025/QĐ-TTg, Annex I',
  isComplete: true,
  form,
  items: divisions2018.map((item) => ({ ...item, vi: renamed[item.code] ?? item.vi })),
  codes: vsic2025Codes,
};
