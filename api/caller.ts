import type { IncomingHttpHeaders } from 'node:http'
import { isIP } from 'node:net'
import { DATA_DIR_HEADER } from './data-dir-header.ts'

/** What a web server before this one writes: from whom it has the request. */
const FORWARDED = 'x-forwarded-for'

/**
 * Whether a request comes from who runs this sidecar: it names the data directory, as commands do, and no web server passed
 * it on, which would pass on anybody's header.
 */
export function isOwner(headers: IncomingHttpHeaders): boolean {
  return headers[DATA_DIR_HEADER] !== undefined && headers[FORWARDED] === undefined
}

/**
 * Who asks, as far as rates go: an IPv4 address, or the /64 of an IPv6 address, all of which one household has.
 *
 * Everybody who reaches this API does so over loopback. Behind a web server it is the last address of `X-Forwarded-For`, which that
 * server wrote; those before it the client may have made up.
 */
export function nameCaller(headers: IncomingHttpHeaders, socketAddress: string): string {
  const forwarded = [headers[FORWARDED] ?? []].flat().join(',').split(',').at(-1)?.trim() ?? ''
  const address = isIP(forwarded) === 0 ? socketAddress : forwarded
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return mapped
  return isIP(address) === 6 ? `${networkOf(address)}/64` : address
}

/** The first four groups. */
function networkOf(address: string): string {
  const [head = '', tail] = address.toLowerCase().split('::')
  const groups = head === '' ? [] : head.split(':')
  if (tail !== undefined) {
    const behind = tail === '' ? 0 : tail.split(':').length
    while (groups.length + behind < 8) groups.push('0')
  }
  return groups
    .concat(tail?.split(':') ?? [])
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
