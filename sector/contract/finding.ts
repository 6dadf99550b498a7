/** What a check found. An error refuses the report; a warning accepts it, with a flag and a question to the factory. */

export interface Text {
  readonly vi: string;
  readonly en: string;
}

export type ErrorCode =
  | 'E101'
  | 'E102'
  | 'E103'
  | 'E104'
  | 'E105'
  | 'E106'
  | 'E107'
  | 'E108'
  | 'E109'
  | 'E110'
  | 'E111'
  | 'E112'
  | 'E113'
  | 'E114'
  | 'E115';
export type WarningCode = 'W201' | 'W202' | 'W203' | 'W204' | 'W205';
export type FindingCode = ErrorCode | WarningCode | 'SCHEMA';

export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'error' | 'warning';
  /** JSON Pointer (RFC 6901) into the report; empty: the whole report. */
  readonly pointer: string;
  readonly message: Text;
}

/** What each code means, for documentation and as the title of a problem. E114 and E115 are found by the platform's store. */
export const codeTitles: Readonly<Record<FindingCode, Text>> = {
  SCHEMA: { vi: 'Không đúng lược đồ của hợp đồng dữ liệu', en: 'Does not fit the schema of the contract' },
  E101: { vi: 'Tổng thời gian theo trạng thái khác thời gian kỳ vọng', en: 'Seconds by state do not add up to the seconds expected' },
  E102: {
    vi: 'Thời gian không có dữ liệu khác phần kỳ vọng trừ phần đã quan sát',
    en: 'Unknown seconds differ from expected minus observed',
  },
  E103: { vi: 'Thời gian kỳ vọng khác số máy nhân độ dài kỳ', en: 'Seconds expected differ from machines × length of the period' },
  E104: { vi: 'Đạt + phế phẩm + sửa lại nhiều hơn sản lượng', en: 'Good + scrap + rework exceed what was produced' },
  E105: { vi: 'Các thời gian sản xuất mâu thuẫn nhau', en: 'Production times contradict each other' },
  E106: { vi: 'Tổng thời gian chuẩn theo sản phẩm khác số tổng', en: 'Ideal seconds by product differ from the total' },
  E107: { vi: 'Mã số thuế sai chữ số kiểm tra', en: 'The check digit of the tax code is wrong' },
  E108: { vi: 'Mã không có hiệu lực vào cuối kỳ', en: 'A code is not valid at the end of the period' },
  E109: { vi: 'Đơn vị tính không dùng được ở đây', en: 'A unit is not allowed here' },
  E110: { vi: 'Kỳ báo cáo không khớp lịch', en: 'The period is not aligned to the calendar' },
  E111: { vi: 'Chữ ký hoặc khóa không hợp lệ', en: 'Signature or key is not valid' },
  E112: { vi: 'Chính sách không được biết hoặc thỏa thuận không còn hiệu lực', en: 'The policy is unknown or the agreement not active' },
  E113: { vi: 'Kỳ báo cáo chưa kết thúc', en: 'The period is not over yet' },
  E114: { vi: 'Bản hiệu chỉnh không nối tiếp bản đang lưu', en: 'The revision does not follow the one that is held' },
  E115: { vi: 'Thiếu một bản hiệu chỉnh ở giữa', en: 'A revision in between is missing' },
  W201: { vi: 'Khác thường so với các kỳ trước', en: 'Unusual against earlier periods' },
  W202: { vi: 'Có sản lượng nhưng không có thời gian chạy', en: 'Output without running time' },
  W203: { vi: 'Hiệu suất tốc độ trên 1,2', en: 'Effectiveness above 1.2' },
  W204: { vi: 'Máy chạy nhưng năng lượng bằng không', en: 'Machines ran, energy is zero' },
  W205: { vi: 'Độ phủ dữ liệu dưới 0,6', en: 'Coverage below 0.6' },
};

/** A finding; its severity follows from the code. Without a message of its own it says what the code means. */
export function finding(code: FindingCode, pointer: string, message: Text = codeTitles[code]): Finding {
  return { code, severity: code.startsWith('W') ? 'warning' : 'error', pointer, message };
}
