import type { ProfileTag } from './format.ts';

/** Fields that hold an address, by driver. */
const addressFields = ['address', 'scaleFactor', 'node'] as const;

/** A tag of a relocatable profile at its place; the problem as one sentence when it has none there. */
export function placeTag(tag: ProfileTag, base: number | string): ProfileTag | { readonly problem: string } {
  const placed: Record<string, unknown> = { ...tag };
  for (const field of addressFields) {
    const relative = tag[field];
    if (typeof relative !== 'string') continue;
    const address = typeof base === 'number' ? shifted(relative, base) : `${base}${relative}`;
    if (address === undefined) return { problem: `with base ${base}, "${tag.metric}" would be beyond register 65535` };
    placed[field] = address;
  }
  return { ...placed, metric: tag.metric };
}

/** `holding:14:int16` → `holding:40083:int16` */
function shifted(address: string, base: number): string | undefined {
  const [, table = '', number = '', rest = ''] = /^(\w+):(\d+)(.*)$/.exec(address) ?? [];
  const place = Number(number) + base;
  return place <= 65_535 ? `${table}:${place}${rest}` : undefined;
}
