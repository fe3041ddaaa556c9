// The checksum of zip archives and PNG pictures: ISO 3309, as in PNG, Second Edition (W3C 2003), D.

const TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/** The CRC-32 of bytes, from 0 to 2³² − 1. */
export function crc32(bytes: Uint8Array): number {
  let rest = -1;
  for (let k = 0; k < bytes.length; k++) rest = TABLE[(rest ^ bytes[k]!) & 255]! ^ (rest >>> 8);
  return ~rest >>> 0;
}
