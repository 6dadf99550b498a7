import type { Env } from '@nhip/core/process/env';

/** UUID version 7 (RFC 9562 §5.7): ms of the wall clock, then random bits; ids of later reports sort behind. */
export function uuidV7({ clock, random }: Pick<Env, 'clock' | 'random'>): string {
  const bytes = Buffer.from(random.bytes(16));
  bytes.writeUIntBE(clock.now(), 0, 6);
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
