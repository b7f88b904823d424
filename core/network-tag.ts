/**
 * The network a node stands in, for keeping replicas apart (docs/FORMAT.md, Holders).
 *
 * The first literal IP of its addresses decides: an IPv4 /16 or an IPv6 /32. Without one it is the first DNS name,
 * never resolved, so that everybody gets the same answer; without any address the node stands alone.
 *
 * @param p2pAddrs - multiaddr texts as registered; malformed ones are passed over
 * @param address - the node's own, the tag of last resort
 */
export function computeNetworkTag(p2pAddrs: readonly string[], address: string): string {
  let name: string | undefined
  for (const text of p2pAddrs) {
    const [empty, protocol, value] = text.split('/')
    if (empty !== '' || protocol === undefined || value === undefined) continue
    if (protocol === 'ip4') {
      const tag = computeIp4Tag(value)
      if (tag !== undefined) return tag
    } else if (protocol === 'ip6') {
      const tag = computeIp6Tag(value)
      if (tag !== undefined) return tag
    } else if (/^dns(4|6|addr)?$/.test(protocol) && value !== '') {
      name ??= `dns:${value.toLowerCase()}`
    }
  }
  return name ?? `node:${address}`
}

function computeIp4Tag(text: string): string | undefined {
  const parts = text.split('.')
  const isIp4 = parts.length === 4 && parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)
  return isIp4 ? `ip4:${parts[0]}.${parts[1]}` : undefined
}

/** The first two of eight groups; a dotted quad at the end counts as two groups. */
function computeIp6Tag(text: string): string | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseGroups(halves[0] ?? '', halves.length === 1)
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '', true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail]
  return `ip6:${(groups[0] ?? 0).toString(16)}:${(groups[1] ?? 0).toString(16)}`
}

function parseGroups(text: string, atEnd: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) groups.push(Number.parseInt(part, 16))
    else if (atEnd && i === parts.length - 1 && computeIp4Tag(part) !== undefined) {
      const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number)
      groups.push(a * 256 + b, c * 256 + d)
    } else return undefined
  }
  return groups
}
