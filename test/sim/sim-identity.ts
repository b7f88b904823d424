import { createHash } from 'node:crypto'
import { ed25519PublicKey } from '#crypto'
import { computeAddress, computePublicKey, concatBytes, formatAddress } from '../../core/index.ts'
import { formatPeerId } from '../../protocol-handler/peer-id-text.ts'

/** Of their ip4 addresses. */
const [NODE_BYTE, ROGUE_BYTE] = [20, 120]
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

/**
 * Keys of honest nodes, by their number: such that their turn to let go of chunks of era 0 lasts as long as a simulation.
 * Those of others have it in another of the 37,800 periods of a week.
 */
const KEY_NUMBERS = [
  4996, 608, 51, 32, 538, 556, 1247, 1960, 236, 665, 2056, 301, 516, 2975, 4885, 128, 2396, 2147, 470, 1356, 1555, 1042,
  509, 100, 1084, 2197, 1287, 937, 797, 1025, 1887, 1111, 3884, 591, 101, 98,
]

const known = new Map<string, SimIdentity>()

/** @param number 0 to 199; with `kind` the name */
export function identityOf(kind: 'node' | 'rogue', number: number): SimIdentity {
  const name = `${kind}${number}`
  const identity = known.get(name) ?? makeIdentity(name, kind === 'node' ? NODE_BYTE : ROGUE_BYTE, number)
  known.set(name, identity)
  return identity
}

function makeIdentity(name: string, firstByte: number, number: number): SimIdentity {
  const keyNumber = firstByte === NODE_BYTE ? (KEY_NUMBERS[number] ?? 0) : 0
  const seed = createHash('sha256').update(`massa key ${keyNumber} of ${name}`).digest()
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
