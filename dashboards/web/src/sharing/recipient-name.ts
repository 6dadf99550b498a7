import { tx } from './sharing-locale.svelte.ts';

/** Ids that policies use by convention; the ids of others were chosen by the plant and stand for themselves. */
const sectorPlatforms: ReadonlySet<string> = new Set(['nen-tang-nganh', 'sector-platform']);

/** How people call a recipient. */
export function recipientName(id: string): string {
  return sectorPlatforms.has(id) ? tx('to.name.sector') : id;
}
