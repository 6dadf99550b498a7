/**
 * The order in which the bytes of a value arrive, `A` being the most significant. Orders of four letters say what happens to words and
 * bytes and hold for values of any length; those of eight letters exist for values of four registers only.
 */

export const byteOrders = ['ABCD', 'CDAB', 'BADC', 'DCBA', 'CDABGHEF', 'EFGHABCD'] as const;
export type ByteOrder = (typeof byteOrders)[number];

/** Other spellings: of one register, and the full ones of four registers. */
const aliases: Readonly<Record<string, ByteOrder>> = {
  AB: 'ABCD',
  BA: 'BADC',
  ABCDEFGH: 'ABCD',
  BADCFEHG: 'BADC',
  GHEFCDAB: 'CDAB',
  HGFEDCBA: 'DCBA',
};

/** The order that a text names for a value of `words` registers; undefined when there is none of that name for that length. */
export function parseByteOrder(text: string, words: number): ByteOrder | undefined {
  const order = byteOrders.find((name) => name === text) ?? (Object.hasOwn(aliases, text) ? aliases[text] : undefined);
  if (order === undefined) return undefined;
  if (text.length === 8 && words !== 4) return undefined;
  if (text.length === 2 && words !== 1) return undefined;
  return words === 1 ? inOneRegister(order) : order;
}

/** A device-wide order on a value that is too short for it: what is left of it is whether the bytes of a register are swapped. */
export function orderFor(order: ByteOrder, words: number): ByteOrder {
  if (words === 1) return inOneRegister(order);
  if (words === 4 || order.length === 4) return order;
  return order === 'CDABGHEF' ? 'CDAB' : 'ABCD';
}

function inOneRegister(order: ByteOrder): ByteOrder {
  return order === 'BADC' || order === 'DCBA' ? 'BADC' : 'ABCD';
}

/** For each byte of the big-endian value, its place in what arrived. */
export function permutation(order: ByteOrder, byteCount: number): readonly number[] {
  const lastWord = byteCount / 2 - 1;
  const place = (word: number): number => {
    if (order === 'CDAB' || order === 'DCBA') return lastWord - word;
    if (order === 'CDABGHEF') return word ^ 1;
    return order === 'EFGHABCD' ? word ^ 2 : word;
  };
  const areBytesSwapped = order === 'BADC' || order === 'DCBA';
  return Array.from({ length: byteCount }, (_, i) => place(i >> 1) * 2 + (areBytesSwapped ? 1 - (i & 1) : i & 1));
}
