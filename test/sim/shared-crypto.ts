import { createRequire, syncBuiltinESMExports } from 'node:module'

import type { SimRandom } from './sim-random.ts'

type Crypto = typeof import('node:crypto')

const crypto = createRequire(import.meta.url)('node:crypto') as Crypto
const { createPrivateKey, createPublicKey, randomInt } = crypto
const verify = crypto.verify as (...given: readonly unknown[]) => boolean
const sign = crypto.sign as (...given: readonly unknown[]) => Buffer

const MAX_REMEMBERED = 50_000
const verdicts = new Map<string, boolean>()
const signatures = new Map<string, Buffer>()
const keys = new Map<string, ReturnType<Crypto['createPrivateKey']>>()
const publicKeys = new Map<number, ReturnType<Crypto['createPublicKey']>>()
const numbers = new WeakMap<object, number>()
let nextNumber = 0

/**
 * Signs and verifies the same bytes once for all nodes of a simulation, and imports a key once: thirty machines are one
 * process here, and would do little else. What is remembered is what Node said of the same bytes.
 *
 * @param random what the composition draws from
 * @returns what takes it away again
 */
export function shareCrypto(random: SimRandom): () => void {
  const remember = (...given: readonly unknown[]): boolean => {
    const [, message, key, signature] = given
    if (!(message instanceof Uint8Array) || !(signature instanceof Uint8Array)) return verify(...given)
    const name = `${numberOf(key)} ${textOf(signature)} ${textOf(message)}`
    const known = verdicts.get(name)
    if (known !== undefined) return known
    const verdict = verify(...given)
    if (verdicts.size >= MAX_REMEMBERED) verdicts.clear()
    verdicts.set(name, verdict)
    return verdict
  }
  const signOnce = (...given: readonly unknown[]): Buffer => {
    const [, message, key] = given
    if (!(message instanceof Uint8Array)) return sign(...given)
    const name = `${numberOf(key)} ${textOf(message)}`
    const known = signatures.get(name) ?? sign(...given)
    if (signatures.size >= MAX_REMEMBERED) signatures.clear()
    signatures.set(name, known)
    return Buffer.from(known)
  }
  const importOnce: Crypto['createPrivateKey'] = (given) => {
    const bytes = (given as { readonly key?: unknown }).key
    if (!(bytes instanceof Uint8Array)) return createPrivateKey(given)
    const name = textOf(bytes)
    const key = keys.get(name) ?? createPrivateKey(given)
    keys.set(name, key)
    return key
  }
  const deriveOnce: Crypto['createPublicKey'] = (given) => {
    if ((given as { readonly type?: unknown }).type !== 'private') return createPublicKey(given)
    const name = numberOf(given)
    const known = publicKeys.get(name)
    if (known) return known
    const key = createPublicKey(given)
    const jwk = key.export({ format: 'jwk' })
    // As core asks for it, and in no other form.
    Object.assign(key, { export: () => jwk })
    publicKeys.set(name, key)
    return key
  }
  Object.assign(crypto, {
    sign: signOnce,
    verify: remember,
    createPrivateKey: importOnce,
    createPublicKey: deriveOnce,
    // Where no room injects it: the composition draws with this.
    randomInt: (maxExclusive: number) => random.below(maxExclusive),
  })
  syncBuiltinESMExports()
  return () => {
    Object.assign(crypto, { sign, verify, createPrivateKey, createPublicKey, randomInt })
    syncBuiltinESMExports()
  }
}

function numberOf(key: unknown): number {
  if (typeof key !== 'object' || key === null) throw new Error('a key that is no object')
  const number = numbers.get(key) ?? nextNumber++
  numbers.set(key, number)
  return number
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
