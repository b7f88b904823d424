/* JSON with bigints and bytes in it, for records of the chain's own database. */

interface Tagged {
  readonly $n?: string
  readonly $b?: string
}

export function encodeJson(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === 'bigint') return { $n: item.toString() } satisfies Tagged
    if (item instanceof Uint8Array) return { $b: toBase64(item) } satisfies Tagged
    // A Buffer has made itself an object of numbers before it comes here.
    if (isBufferJson(item)) return { $b: Buffer.from(item.data).toString('base64') } satisfies Tagged
    return item
  })
  return Buffer.from(text)
}

/** @returns what was encoded: the caller knows its type */
export function decodeJson<T>(bytes: Uint8Array): T {
  return JSON.parse(Buffer.from(bytes).toString(), (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null) return item
    const { $n, $b } = item as Tagged
    if ($n !== undefined) return BigInt($n)
    return $b === undefined ? item : Uint8Array.from(Buffer.from($b, 'base64'))
  }) as T
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

function isBufferJson(item: unknown): item is { readonly data: number[] } {
  return typeof item === 'object' && item !== null && (item as { type?: unknown }).type === 'Buffer' && 'data' in item
}
