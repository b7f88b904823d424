import { blake3 } from '#crypto'
import { encodeSignatureArgument, formatAddress } from '../../../core/index.ts'
import { makeKey } from '../../../devnet/made-key.ts'

/** Somebody with a key. */
export interface Actor {
  readonly address: string
  /** The `signature` argument over a text. */
  sign(text: string): Uint8Array
}

const ACTORS = 14

function makeActor(name: string): Actor {
  const { publicKey, address, sign } = makeKey(name)
  // The texts of an era are signed over and over.
  let last: { readonly text: string; readonly argument: Uint8Array } = { text: '', argument: new Uint8Array() }
  return {
    address: formatAddress(address),
    sign: (text) => {
      if (text !== last.text) {
        const signature = sign(blake3(Buffer.from(text)))
        last = { text, argument: encodeSignatureArgument({ publicKey, signature }) }
      }
      return last.argument
    },
  }
}

/** 0 is the admin, 1 to 3 are challengers now and then; everybody may run a node. */
export const actors: readonly Actor[] = Array.from({ length: ACTORS }, (_, i) => makeActor(`registry fuzz ${i}`))

export function findActor(address: string): Actor | undefined {
  return actors.find((actor) => actor.address === address)
}
