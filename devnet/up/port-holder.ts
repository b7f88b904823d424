import { readFileSync } from 'node:fs'

/**
 * What keeps others from listening on a port: who listens there, or a connection that was opened from it. Systems take ports for
 * these from a range of their own (Linux: 32768 to 60999), and keep one for a minute more when its connection was closed.
 */
export type PortHolder = 'listener' | 'connection' | 'closed connection' | 'nobody'

const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
/** States of Linux (net/tcp_states.h). */
const TIME_WAIT = '06'
const LISTEN = '0A'
/** All addresses, of IPv4 and of IPv6. */
const ANY = ['0'.repeat(8), '0'.repeat(32)]
/** Before an address of IPv4 in a table of IPv6. */
const MAPPED = '0000000000000000FFFF0000'

/** @returns `nobody`: it is free again; undefined where the system does not tell: it is not Linux */
export function findPortHolder(place: { readonly host: string; readonly port: number }): PortHolder | undefined {
  return readHolder(TABLES.map(readTable).join('\n'), place)
}

/**
 * @param table - rows `sl local_address rem_address st ...`, addresses as words in the byte order of the machine, ports and states in
 *   hex (Linux, proc_net_tcp)
 * @param place - host: an address of IPv4
 */
export function readHolder(
  table: string,
  { host, port }: { readonly host: string; readonly port: number },
): PortHolder | undefined {
  const word = Buffer.from(host.split('.').map(Number).reverse()).toString('hex').toUpperCase()
  const inTheWay = new Set([...ANY, word, `${MAPPED}${word}`])
  const states = table.split('\n').flatMap((row) => {
    const [, local = '', , state = ''] = row.trim().split(/\s+/)
    const [address = '', digits = ''] = local.split(':')
    return inTheWay.has(address) && Number.parseInt(digits, 16) === port ? [state] : []
  })
  if (table.trim() === '') return undefined
  if (states.length === 0) return 'nobody'
  if (states.includes(LISTEN)) return 'listener'
  return states.every((state) => state === TIME_WAIT) ? 'closed connection' : 'connection'
}

function readTable(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
