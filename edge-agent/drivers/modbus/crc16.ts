/** CRC-16 of Modbus serial lines (Modbus over Serial Line V1.02 §6.2.2: polynomial 0xA001 reflected, start 0xFFFF), sent low byte first. */

const table = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >> 1) ^ 0xa001 : crc >> 1;
  return crc;
});

export function crc16(bytes: Uint8Array): number {
  let crc = 0xffff;
  for (const byte of bytes) crc = (crc >> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return crc;
}

/** A frame: unit, PDU, checksum. */
export function rtuFrame(unit: number, pdu: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(3 + pdu.length);
  frame[0] = unit;
  frame.set(pdu, 1);
  frame.writeUInt16LE(crc16(frame.subarray(0, -2)), frame.length - 2);
  return frame;
}

export function hasRightChecksum(frame: Buffer): boolean {
  return frame.readUInt16LE(frame.length - 2) === crc16(frame.subarray(0, -2));
}
