/**
 * What one machine can have of addresses: one of IPv4, a /64 of IPv6.
 *
 * @param host - text of an IP address
 * @returns an address of IPv4, or four groups of IPv6
 */
export function siteOf(host: string): string {
  // Of a socket for both: ::ffff:192.0.2.1
  if (host.includes('.')) return host.slice(host.lastIndexOf(':') + 1)
  if (!host.includes(':')) return host
  const [head = [], tail] = host.split('::').map((part) => part.split(':').filter((group) => group !== ''))
  const zeros = tail ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0') : []
  const groups = [...head, ...zeros, ...(tail ?? [])]
  return groups.slice(0, 4).join(':')
}

/** What a provider has, of which anybody is given many sites: the /16 of IPv4 or the /32 of IPv6 around a site. */
export function networkOf(site: string): string {
  return site.split(/[.:]/, 2).join('.')
}
