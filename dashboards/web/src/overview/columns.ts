const tileWidthPx = 264;
const gapPx = 12;
const phoneWidthPx = 620;
/** A short line does not blow its tiles up. */
const fewest = 4;

/** Columns of tiles on a page of that width: two on a phone, otherwise as many as fit and as the longest group can use. */
export function tileColumns(widthPx: number, groupSizes: readonly number[]): number {
  if (widthPx <= phoneWidthPx) return 2;
  const fitting = Math.max(2, Math.floor((widthPx + gapPx) / (tileWidthPx + gapPx)));
  return Math.min(fitting, Math.max(fewest, ...groupSizes));
}
