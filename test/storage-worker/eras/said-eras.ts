import { computeEraText, type EraStatement, type SignatureArgument, signText } from '../../../core/index.ts'
import type { SaidEra } from '../../../storage-worker/peers/peer-client.ts'
import { userOf } from '../../sc/registry-world.ts'

/** What a user says about an era, and signatures of others that it hands on. */
export function saidBy(number: number, statement: EraStatement, others: readonly number[] = []): SaidEra {
  return {
    statement,
    own: signatureOf(number, statement),
    others: others.map((other) => ({ address: userOf(other).address, signature: signatureOf(other, statement) })),
  }
}

export function signatureOf(number: number, statement: EraStatement): SignatureArgument {
  return signText(userOf(number).seed, computeEraText(statement))
}
