import { BlockList } from 'node:net'

/** From where an address can be dialled, narrow to wide. */
export const REACHES = ['machine', 'site', 'world'] as const
export type Reach = (typeof REACHES)[number]

const MACHINE = new BlockList()
MACHINE.addSubnet('127.0.0.0', 8, 'ipv4')
MACHINE.addAddress('::1', 'ipv6')

const SITE = new BlockList()
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
] as const) {
  SITE.addSubnet(network, bits, 'ipv4')
}
// As 0.0.0.0: whoever dials it comes to this machine.
SITE.addAddress('::', 'ipv6')
SITE.addSubnet('fc00::', 7, 'ipv6')
SITE.addSubnet('fe80::', 10, 'ipv6')

const LOCALHOST = /^(?:.*\.)?localhost\.?$/i

// Each look for somebody to dial asks for every address that is known, and a BlockList takes 10 us for an answer.
const MAX_KNOWN = 4_096
const known = new Map<string, Reach>()

/** @param address multiaddr text; a DNS name is never resolved and counts as `world`, but for those of this machine */
export function findReach(address: string): Reach {
  const reach = known.get(address)
  if (reach) return reach
  if (known.size >= MAX_KNOWN) known.clear()
  const computed = computeReach(address)
  known.set(address, computed)
  return computed
}

function computeReach(address: string): Reach {
  const [, protocol, host = ''] = address.split('/')
  if (protocol !== 'ip4' && protocol !== 'ip6') return LOCALHOST.test(host) ? 'machine' : 'world'
  const family = protocol === 'ip4' ? 'ipv4' : 'ipv6'
  if (MACHINE.check(host, family)) return 'machine'
  return SITE.check(host, family) ? 'site' : 'world'
}

/** Those of the widest reach: a node of the open network tells nobody of its loopback. */
export function pickWidest(addresses: readonly string[]): string[] {
  const widest = Math.max(...addresses.map(rankOf))
  return addresses.filter((address) => rankOf(address) === widest)
}

/**
 * Whether an address that a stranger told may be dialled by a node with these addresses of its own: one of the open
 * network lets nobody send it into the network of its site.
 */
export function mayDial(told: string, own: readonly string[]): boolean {
  return own.every((address) => rankOf(told) >= rankOf(address))
}

/**
 * Whether an address that somebody in the local network told leads there: neither out of it, nor into this machine, unless
 * that is where all of our own addresses are.
 */
export function isLocal(told: string, own: readonly string[]): boolean {
  return findReach(told) === (own.every((address) => findReach(address) === 'machine') ? 'machine' : 'site')
}

/** Whether an address says where it leads: a name leads wherever its owner likes, at any time, into our site as well. */
export function isLiteral(address: string): boolean {
  return address.startsWith('/ip4/') || address.startsWith('/ip6/')
}

function rankOf(address: string): number {
  return REACHES.indexOf(findReach(address))
}
