import { createHash } from 'node:crypto'
import { ed25519PublicKey } from '#crypto'
import { computeAddress, computePublicKey, concatBytes, formatAddress } from '../../core/index.ts'
import { formatPeerId } from '../../protocol-handler/peer-id-text.ts'

const PEER_ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)

/** Keys and names of a simulated node: the same in every simulation, since making them takes milliseconds. */
export interface SimIdentity {
  readonly name: string
  /** 32-byte secret of the Massa key. */
  readonly seed: Uint8Array
  /** The Massa address of that key. */
  readonly massaAddress: string
  /** 38 bytes */
  readonly peerId: Uint8Array
  readonly peer: string
  /** Multiaddr with the PeerId; each in a network of its own. */
  readonly address: string
}

const known = new Map<string, SimIdentity>()

/** @param number 0 to 199; with `kind` the name */
export function identityOf(kind: 'node' | 'rogue', number: number): SimIdentity {
  const name = `${kind}${number}`
  const identity = known.get(name) ?? makeIdentity(name, kind === 'node' ? 20 : 120, number)
  known.set(name, identity)
  return identity
}

function makeIdentity(name: string, firstByte: number, number: number): SimIdentity {
  const seed = createHash('sha256').update(`massa key of ${name}`).digest()
  const peerKey = ed25519PublicKey(createHash('sha256').update(`peer key of ${name}`).digest())
  const peerId = concatBytes(PEER_ID_PREFIX, peerKey)
  const peer = formatPeerId(peerId)
  return {
    name,
    seed: new Uint8Array(seed),
    massaAddress: formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed)))),
    peerId,
    peer,
    address: `/ip4/${firstByte + (number % 80)}.${Math.floor(number / 80)}.0.1/tcp/31500/p2p/${peer}`,
  }
}
