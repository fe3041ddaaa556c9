const POLYNOMIAL = 0xedb88320; // ZIP's APPNOTE.TXT, section 4.4.7, bits reversed

const TABLE: Uint32Array = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) {
    remainder = remainder & 1 ? remainder >>> 1 ^ POLYNOMIAL : remainder >>> 1;
  }
  return remainder;
});

/** The CRC-32 that zip files carry of each entry, a whole number from 0. */
export function crc32(bytes: Uint8Array): number {
  let remainder = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) {
    remainder = TABLE[(remainder ^ bytes[at]!) & 255]! ^ remainder >>> 8;
  }
  return (remainder ^ 0xffffffff) >>> 0;
}
