/** Bytes [start, end) that a `Range` header asks for (RFC 9110, 14): one range of bytes; anything else is answered whole. */
export function readByteRange(
  header: string | undefined,
  sizeBytes: number,
): { readonly start: number; readonly end: number } | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  if (first === '') {
    const start = Math.max(0, sizeBytes - Number(last))
    return Number(last) === 0 ? 'unsatisfiable' : { start, end: sizeBytes }
  }
  const start = Number(first)
  const end = last === '' ? sizeBytes : Math.min(sizeBytes, Number(last) + 1)
  // Of a range that ends before it begins the header is none.
  if (last !== '' && Number(last) < start) return undefined
  return start >= sizeBytes ? 'unsatisfiable' : { start, end }
}
