import type { DowntimeReasonView } from '@nhip/core/kpi/answers';
import { downtimeReasons } from '@nhip/core/kpi/reasons';
import type { LocalName } from '@nhip/core/wire/live';
import type { PlantModel } from '@nhip/core/wire/plant';

const names: Readonly<Record<string, LocalName>> = {
  breakdown: { vi: 'Hỏng máy', en: 'Breakdown' },
  setup_changeover: { vi: 'Chuyển đổi sản phẩm, thay khuôn', en: 'Set-up, changeover' },
  material_shortage: { vi: 'Thiếu nguyên vật liệu', en: 'Material shortage' },
  labour_shortage: { vi: 'Thiếu nhân lực', en: 'Labour shortage' },
  quality_problem: { vi: 'Vấn đề chất lượng', en: 'Quality problem' },
  planned_maintenance: { vi: 'Bảo trì theo kế hoạch', en: 'Planned maintenance' },
  grid_outage: { vi: 'Mất điện lưới', en: 'Grid outage' },
  voltage_problem: { vi: 'Điện áp không ổn định', en: 'Unstable voltage' },
  upstream_downstream: { vi: 'Chờ công đoạn trước/sau', en: 'Waiting for another step' },
  no_order: { vi: 'Không có đơn hàng', en: 'No order' },
  other: { vi: 'Lý do khác', en: 'Other' },
  unexplained: { vi: 'Chưa có lý do', en: 'No reason yet' },
};

/** The standard reasons in the order in which a list offers them, with the plant's own codes. */
export function reasonViews(plant: PlantModel | null): readonly DowntimeReasonView[] {
  const meanings = Object.entries(plant?.reasonCodes ?? {});
  return downtimeReasons.map(({ code, kind }) => ({
    code,
    kind,
    name: names[code] ?? { vi: code, en: code },
    plantCodes: meanings.flatMap(([own, meaning]) =>
      meaning === code ? [{ code: own, name: plant?.reasons[own] ?? { vi: own, en: own } }] : [],
    ),
  }));
}
