/** Numeric columns in one file, the twin of geodata/packed.py: typed arrays that look into the buffer, nothing copied. */

const MAGIC = 0x31504d47; // "GMP1", little endian
const KINDS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u4: Uint32Array, u1: Uint8Array };

/** `{meta, arrays}` of an ArrayBuffer; throws where it is none of ours. */
export function unpack(buffer) {
  const head = new DataView(buffer, 0, 8);
  if (buffer.byteLength < 8 || head.getUint32(0, true) !== MAGIC) throw new TypeError("not a packed file");
  const text = new TextDecoder().decode(new Uint8Array(buffer, 8, head.getUint32(4, true)));
  const { meta, arrays } = JSON.parse(text);
  const columns = {};
  for (const [name, { dtype, offset, length }] of Object.entries(arrays)) columns[name] = new KINDS[dtype](buffer, offset, length);
  return { meta, arrays: columns };
}
