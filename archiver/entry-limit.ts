const LENGTH_DELIMITED = 2

/**
 * True when a protobuf message, or the sub-messages that `path` leads to, have more than `limit` fields together, or
 * cannot be read. Looks before anything is decoded: two bytes of a hostile message become an object of a hundred.
 *
 * @param path - field numbers from the message to the one whose fields count; empty: the message itself
 */
export function exceedsEntries(message: Uint8Array, limit: number, path: readonly number[] = []): boolean {
  return countEntries(message, { start: 0, end: message.length }, path, limit) > limit
}

interface Part {
  readonly start: number
  readonly end: number
}

function countEntries(bytes: Uint8Array, part: Part, path: readonly number[], limit: number): number {
  const [step, ...rest] = path
  let count = 0
  let at = part.start
  while (at < part.end && count <= limit) {
    const tag = readVarint(bytes, at)
    const type = tag.value & 7
    const content = readVarint(bytes, tag.next)
    const isPart = type === LENGTH_DELIMITED
    const start = isPart ? content.next : tag.next
    const end = isPart ? start + content.value : endOfScalar(type, tag.next, content.next)
    if (!(end <= part.end)) return Number.POSITIVE_INFINITY
    if (step === undefined) count++
    else if (isPart && tag.value >>> 3 === step) count += countEntries(bytes, { start, end }, rest, limit - count)
    at = end
  }
  return count
}

/** NaN for groups, which no message of a node has. */
function endOfScalar(type: number, start: number, endOfVarint: number): number {
  if (type === 0) return endOfVarint
  if (type === 1) return start + 8
  return type === 5 ? start + 4 : Number.NaN
}

/** Past the end, and past ten bytes, `next` is infinite. */
function readVarint(bytes: Uint8Array, at: number): { readonly value: number; readonly next: number } {
  let value = 0
  for (let i = 0; i < 10; i++) {
    const byte = bytes[at + i]
    if (byte === undefined) break
    value += (byte & 0x7f) * 2 ** (7 * i)
    if (byte < 0x80) return { value, next: at + i + 1 }
  }
  return { value: 0, next: Number.POSITIVE_INFINITY }
}
