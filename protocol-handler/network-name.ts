import { CHUNK_SIZE_BYTES, type StoreIdentity } from '../core/index.ts'

export const TOPICS = ['announce', 'capabilities'] as const
export const STREAMS = ['chunk', 'challenge', 'have', 'manifest', 'block', 'era', 'audit', 'draw', 'suspicion'] as const
export type TopicName = (typeof TOPICS)[number]
export type StreamName = (typeof STREAMS)[number]

const VERSION = 1
const FAMILY = '/massa-storage/'
/** Of DNS: the longest label of a name. */
const MAX_LABEL_LENGTH = 63

/**
 * What topics and stream protocols begin with: sidecars of different chains, or of another chunk size, do not meet.
 *
 * @returns such as `/massa-storage/77658377-1704289800000`; a chunk size other than 1 MiB is appended
 */
export function formatNetworkName({ network, chunkSizeBytes }: StoreIdentity): string {
  const name = `${FAMILY}${network.chainId}-${network.genesisTimestampMs}`
  return chunkSizeBytes === CHUNK_SIZE_BYTES ? name : `${name}-${chunkSizeBytes}`
}

/** The gossipsub topic or libp2p protocol id of `name`, such as `/massa-storage/77-1795246964000/chunk/1`. */
export function formatProtocolId(identity: StoreIdentity, name: TopicName | StreamName): string {
  return `${formatNetworkName(identity)}/${name}/${VERSION}`
}

/** Of which network a peer is, by the protocols that it speaks; undefined when none is that of a sidecar. */
export function findNetwork(identity: StoreIdentity, protocols: readonly string[]): 'own' | 'foreign' | undefined {
  const ofSidecars = protocols.filter((protocol) => protocol.startsWith(FAMILY))
  if (ofSidecars.length === 0) return undefined
  const own = `${formatNetworkName(identity)}/`
  return ofSidecars.some((protocol) => protocol.startsWith(own)) ? 'own' : 'foreign'
}

/**
 * What sidecars of one network ask for by multicast DNS, such as `_massa-storage-77-1795246964000._udp.local`: neither those
 * of another network nor other programs answer.
 */
export function formatServiceTag(identity: StoreIdentity): string {
  const label = formatNetworkName(identity).slice(1).replaceAll('/', '-')
  return `${`_${label}`.slice(0, MAX_LABEL_LENGTH)}._udp.local`
}
