import type { CodeList } from './code-list.ts';

/**
 * Provinces before and after 1 July 2025.
 *
 * Seven codes were used again for another province (15, 24, 44, 52, 80, 82, 91), so a code without its scheme is ambiguous. The 34 codes are
 * those of Decision 19/2025/QĐ-TTg. Which province went where is compiled from public lists and follows Resolution 202/2025/QH15; it has not
 * been compared with the text of the resolution.
 */

/** Code, name. */
const provinces2025 = [
  ['01', 'Hà Nội'],
  ['04', 'Cao Bằng'],
  ['08', 'Tuyên Quang'],
  ['11', 'Điện Biên'],
  ['12', 'Lai Châu'],
  ['14', 'Sơn La'],
  ['15', 'Lào Cai'],
  ['19', 'Thái Nguyên'],
  ['20', 'Lạng Sơn'],
  ['22', 'Quảng Ninh'],
  ['24', 'Bắc Ninh'],
  ['25', 'Phú Thọ'],
  ['31', 'Hải Phòng'],
  ['33', 'Hưng Yên'],
  ['37', 'Ninh Bình'],
  ['38', 'Thanh Hóa'],
  ['40', 'Nghệ An'],
  ['42', 'Hà Tĩnh'],
  ['44', 'Quảng Trị'],
  ['46', 'Huế'],
  ['48', 'Đà Nẵng'],
  ['51', 'Quảng Ngãi'],
  ['52', 'Gia Lai'],
  ['56', 'Khánh Hòa'],
  ['66', 'Đắk Lắk'],
  ['68', 'Lâm Đồng'],
  ['75', 'Đồng Nai'],
  ['79', 'Hồ Chí Minh'],
  ['80', 'Tây Ninh'],
  ['82', 'Đồng Tháp'],
  ['86', 'Vĩnh Long'],
  ['91', 'An Giang'],
  ['92', 'Cần Thơ'],
  ['96', 'Cà Mau'],
] as const;

/** Code, name, code of the province of 2025 that it became part of. */
const provinces2004 = [
  ['01', 'Hà Nội', '01'],
  ['02', 'Hà Giang', '08'],
  ['04', 'Cao Bằng', '04'],
  ['06', 'Bắc Kạn', '19'],
  ['08', 'Tuyên Quang', '08'],
  ['10', 'Lào Cai', '15'],
  ['11', 'Điện Biên', '11'],
  ['12', 'Lai Châu', '12'],
  ['14', 'Sơn La', '14'],
  ['15', 'Yên Bái', '15'],
  ['17', 'Hòa Bình', '25'],
  ['19', 'Thái Nguyên', '19'],
  ['20', 'Lạng Sơn', '20'],
  ['22', 'Quảng Ninh', '22'],
  ['24', 'Bắc Giang', '24'],
  ['25', 'Phú Thọ', '25'],
  ['26', 'Vĩnh Phúc', '25'],
  ['27', 'Bắc Ninh', '24'],
  ['30', 'Hải Dương', '31'],
  ['31', 'Hải Phòng', '31'],
  ['33', 'Hưng Yên', '33'],
  ['34', 'Thái Bình', '33'],
  ['35', 'Hà Nam', '37'],
  ['36', 'Nam Định', '37'],
  ['37', 'Ninh Bình', '37'],
  ['38', 'Thanh Hóa', '38'],
  ['40', 'Nghệ An', '40'],
  ['42', 'Hà Tĩnh', '42'],
  ['44', 'Quảng Bình', '44'],
  ['45', 'Quảng Trị', '44'],
  ['46', 'Thừa Thiên Huế', '46'],
  ['48', 'Đà Nẵng', '48'],
  ['49', 'Quảng Nam', '48'],
  ['51', 'Quảng Ngãi', '51'],
  ['52', 'Bình Định', '52'],
  ['54', 'Phú Yên', '66'],
  ['56', 'Khánh Hòa', '56'],
  ['58', 'Ninh Thuận', '56'],
  ['60', 'Bình Thuận', '68'],
  ['62', 'Kon Tum', '51'],
  ['64', 'Gia Lai', '52'],
  ['66', 'Đắk Lắk', '66'],
  ['67', 'Đắk Nông', '68'],
  ['68', 'Lâm Đồng', '68'],
  ['70', 'Bình Phước', '75'],
  ['72', 'Tây Ninh', '80'],
  ['74', 'Bình Dương', '79'],
  ['75', 'Đồng Nai', '75'],
  ['77', 'Bà Rịa - Vũng Tàu', '79'],
  ['79', 'Hồ Chí Minh', '79'],
  ['80', 'Long An', '80'],
  ['82', 'Tiền Giang', '82'],
  ['83', 'Bến Tre', '86'],
  ['84', 'Trà Vinh', '86'],
  ['86', 'Vĩnh Long', '86'],
  ['87', 'Đồng Tháp', '82'],
  ['89', 'An Giang', '91'],
  ['91', 'Kiên Giang', '91'],
  ['92', 'Cần Thơ', '92'],
  ['93', 'Hậu Giang', '92'],
  ['94', 'Sóc Trăng', '92'],
  ['95', 'Bạc Liêu', '96'],
  ['96', 'Cà Mau', '96'],
] as const;

const form = /^[0-9]{2}$/;

export const provinceList2025: CodeList = {
  id: 'VN-ADM-2025',
  title: { vi: 'Tỉnh, thành phố (34 đơn vị)', en: 'Provinces (34)' },
  validFrom: '2025-07-01',
  source: 'Decision 19/2025/QĐ-TTg',
  isComplete: true,
  form,
  items: provinces2025.map(([code, name]) => ({ code, vi: name, en: name })),
};

export const provinceList2004: CodeList = {
  id: 'VN-ADM-2004',
  title: { vi: 'Tỉnh, thành phố (63 đơn vị, trước 01/07/2025)', en: 'Provinces (63, before 1 July 2025)' },
  validFrom: '2008-08-01',
  validTo: '2025-06-30',
  source: 'Decision 124/2004/QĐ-TTg, as it stood from August 2008 to June 2025',
  isComplete: true,
  form,
  items: provinces2004.map(([code, name]) => ({ code, vi: name, en: name })),
};

/** Where each province of before 1 July 2025 went. */
export const provinceSuccessors: ReadonlyMap<string, string> = new Map(provinces2004.map(([code, , successor]) => [code, successor]));

/** Codes that name another province in each of the two schemes; the name is compared, since Huế only changed its own. */
export const reusedProvinceCodes: readonly string[] = provinces2004
  .filter(([code, , successor]) => provinces2025.some(([other]) => other === code) && isOtherProvince(code, successor))
  .map(([code]) => code);

/** A code that stayed but whose name belongs to another former province is one that was used again. */
function isOtherProvince(code: string, successor: string): boolean {
  const newName = provinces2025.find(([other]) => other === code)?.[1];
  return successor === code && provinces2004.some(([other, name]) => other !== code && name === newName);
}
