import { createHash } from 'node:crypto'
import { computeAddress, formatAddress, type SignatureArgument, signText } from '../../core/index.ts'

/** Somebody with a key. */
export interface Party {
  readonly seed: Uint8Array
  readonly address: string
}

const parties = new Map<string, Party>()
const signatures = new Map<string, SignatureArgument>()

/** The same name is the same party. */
export function makeParty(name: string): Party {
  const known = parties.get(name)
  if (known) return known
  const seed = new Uint8Array(createHash('sha256').update(name).digest())
  const party = { seed, address: formatAddress(computeAddress(signText(seed, '').publicKey)) }
  parties.set(name, party)
  return party
}

/** The same in every run, which makes it worth keeping: importing a key costs as much as ten signatures. */
export function signOnce({ seed, address }: Party, text: string): SignatureArgument {
  const key = `${address} ${text}`
  const signature = signatures.get(key) ?? signText(seed, text)
  signatures.set(key, signature)
  return signature
}
