/** Length of the first WebSocket frame in a buffer (RFC 6455 section 5.2), undefined when it is not whole yet. */
export function frameLength(buffer: Buffer): number | undefined {
  const second = buffer[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const mask = second & 0x80 ? 4 : 0;
  if (buffer.length < 2 + extended) return undefined;
  const payload = extended === 0 ? short : extended === 2 ? buffer.readUInt16BE(2) : Number(buffer.readBigUInt64BE(2));
  const length = 2 + extended + mask + payload;
  return buffer.length < length ? undefined : length;
}
