import { ArchiveError } from '../../core/index.ts'

/** What a node may be called by. */
export interface CallableNode {
  /** Massa address */
  readonly address: string
  /** PeerId while it is connected. */
  readonly peer?: string
  /** The name that it published in the registry; empty or absent: none. */
  readonly operator?: string
}

/** So much of an address or PeerId says whose it may be. */
const MIN_PREFIX_CHARACTERS = 6
/** Of these a message names so many. */
const MAX_SHOWN = 5

/**
 * The node that is called so: by its address or PeerId, by the beginning of one, or by the name that it published, in full. Anybody
 * may publish any name: a whole address or PeerId is nobody else's, and everything else has to be of one node alone.
 *
 * @param nodes - may name one several times
 * @returns its Massa address; undefined when nobody is called so
 * @throws ArchiveError API_NAME_AMBIGUOUS with those who are
 */
export function findNode(nodes: readonly CallableNode[], name: string): string | undefined {
  const whole = nodes.find(({ address, peer }) => address === name || peer === name)
  if (whole) return whole.address
  const isPrefix = name.length >= MIN_PREFIX_CHARACTERS
  const called = nodes.filter(({ address, peer, operator }) => {
    return (isPrefix && (address.startsWith(name) || peer?.startsWith(name))) || (name !== '' && operator === name)
  })
  const addresses = [...new Set(called.map(({ address }) => address))].sort()
  if (addresses.length > 1) {
    const shown = addresses.slice(0, MAX_SHOWN).join(', ')
    const rest = addresses.length > MAX_SHOWN ? ` and ${addresses.length - MAX_SHOWN} more` : ''
    throw new ArchiveError('API_NAME_AMBIGUOUS', `${addresses.length} nodes are called ${name}: ${shown}${rest}`)
  }
  return addresses[0]
}
