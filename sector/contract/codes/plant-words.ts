import type { CodeItem, CodeList } from './code-list.ts';

/** Lists of the contract itself: states, reasons, classes of machines, notes. The schemas name the same codes; a test compares them. */

function own(id: string, vi: string, en: string, items: readonly (readonly [string, string, string])[]): CodeList {
  return {
    id,
    title: { vi, en },
    validFrom: '1970-01-01',
    source: 'Nhịp',
    isComplete: true,
    form: /^[A-Za-z0-9_]{1,40}$/,
    items: items.map(([code, itemVi, itemEn]): CodeItem => ({ code, vi: itemVi, en: itemEn })),
  };
}

export const stateList = own('machine-state', 'Trạng thái máy', 'Machine states', [
  ['running', 'Đang chạy', 'Running'],
  ['setup', 'Đang cài đặt, chuyển đổi', 'Set-up'],
  ['idle', 'Đang chờ', 'Idle'],
  ['fault', 'Sự cố (lỗi máy)', 'Fault'],
  ['maintenance', 'Đang bảo trì', 'Maintenance'],
  ['stopped', 'Đã dừng', 'Stopped'],
  ['notScheduled', 'Nghỉ theo lịch', 'Not scheduled'],
  ['unknown', 'Không có dữ liệu', 'No data'],
]);

export const reasonList = own('downtime-reason', 'Lý do dừng máy', 'Reasons of downtime', [
  ['breakdown', 'Hỏng máy', 'Breakdown'],
  ['setup_changeover', 'Chuyển đổi sản phẩm, thay khuôn', 'Set-up, changeover'],
  ['material_shortage', 'Thiếu nguyên vật liệu', 'Shortage of material'],
  ['labour_shortage', 'Thiếu nhân lực', 'Shortage of labour'],
  ['quality_problem', 'Vấn đề chất lượng', 'Quality problem'],
  ['planned_maintenance', 'Bảo trì theo kế hoạch', 'Planned maintenance'],
  ['grid_outage', 'Mất điện lưới', 'Grid outage'],
  ['voltage_problem', 'Điện áp không ổn định', 'Unstable voltage'],
  ['upstream_downstream', 'Chờ công đoạn trước/sau', 'Waiting for the step before or after'],
  ['no_order', 'Không có đơn hàng', 'No order'],
  ['other', 'Lý do khác', 'Other'],
  ['unexplained', 'Chưa có lý do', 'No reason yet'],
]);

export const machineClassList = own('machine-class', 'Loại máy', 'Classes of machines', [
  ['cnc', 'Máy CNC', 'CNC machine'],
  ['injection_moulding', 'Máy ép nhựa', 'Injection moulding machine'],
  ['press', 'Máy dập', 'Press'],
  ['loom', 'Máy dệt', 'Loom'],
  ['sewing_line', 'Chuyền may', 'Sewing line'],
  ['boiler', 'Nồi hơi', 'Boiler'],
  ['compressor', 'Máy nén khí', 'Compressor'],
  ['furnace', 'Lò nung', 'Furnace'],
  ['packaging', 'Máy đóng gói', 'Packaging machine'],
  ['smt', 'Dây chuyền SMT', 'SMT line'],
  ['robot', 'Rô-bốt', 'Robot'],
  ['pump_fan', 'Bơm, quạt', 'Pump or fan'],
  ['chiller', 'Máy làm lạnh', 'Chiller'],
  ['other', 'Loại khác', 'Other'],
]);

export const noteList = own('quality-note', 'Ghi chú chất lượng', 'Notes on quality', [
  ['manual_entry', 'Nhập tay', 'Entered by hand'],
  ['meter_gap', 'Công tơ thiếu số liệu', 'Gap of the meter'],
  ['meter_replaced', 'Thay công tơ', 'Meter replaced'],
  ['sensor_fault', 'Lỗi cảm biến', 'Fault of a sensor'],
  ['clock_step', 'Chỉnh đồng hồ', 'Clock was set'],
  ['power_cut', 'Mất điện', 'Power cut'],
  ['late_data', 'Dữ liệu đến muộn', 'Late data'],
  ['rounded', 'Làm tròn theo chính sách chia sẻ', 'Rounded by the sharing policy'],
  ['bucketed', 'Gộp khoảng theo chính sách chia sẻ', 'Put into a bucket by the sharing policy'],
  ['withheld', 'Không chia sẻ theo chính sách', 'Withheld by the sharing policy'],
]);
