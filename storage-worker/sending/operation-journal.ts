import * as z from 'zod'
import { sha256 } from '#crypto'
import type { SignedBytes, SignedOperation } from '../chain-port.ts'
import type { GuardedLevel } from '../guarded-level.ts'
import { encodeIndexKey, keyspaceRange } from '../keyspace.ts'
import { openValue, sealValue } from '../sealed-value.ts'

/** Why the sidecar sends an operation by itself. */
export const SEND_PURPOSES = ['proof', 'challenge', 'resolve', 'era', 'distribute', 'claim', 'prune'] as const
export type SendPurpose = (typeof SEND_PURPOSES)[number]

const nanoMas = z
  .string()
  .regex(/^\d{1,20}$/)
  .transform(BigInt)

const entrySchema = z.strictObject({
  purpose: z.enum(SEND_PURPOSES),
  key: z.string(),
  spendNanoMas: nanoMas,
  signed: z.object({
    operationId: z.string(),
    sender: z.string(),
    balanceNanoMas: nanoMas,
    expirePeriod: z.int().min(0),
    feeNanoMas: nanoMas,
    maxGas: nanoMas,
  }),
  bytes: z.strictObject({
    data: z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
    publicKey: z.string(),
    signature: z.string(),
  }),
})

/** An operation that was signed, and of which it is not known yet what became. */
export interface JournalEntry {
  readonly purpose: SendPurpose
  readonly key: string
  /** The most that it takes from the wallet, fee included. */
  readonly spendNanoMas: bigint
  readonly signed: SignedOperation
  readonly bytes: SignedBytes
}

/**
 * Operations under way, in the index database: noted before they are sent, forgotten when their outcome is known. One that
 * is damaged counts as absent: every call of the registry takes effect once, so what is sent again costs a fee at most.
 */
export class OperationJournal {
  private readonly index: GuardedLevel

  constructor(index: GuardedLevel) {
    this.index = index
  }

  /** Resolves when it is on disk. @throws ArchiveError of the store */
  async put({ purpose, key, spendNanoMas, signed, bytes }: JournalEntry): Promise<void> {
    const { balanceNanoMas, feeNanoMas, maxGas } = signed
    const texts = { balanceNanoMas: `${balanceNanoMas}`, feeNanoMas: `${feeNanoMas}`, maxGas: `${maxGas}` }
    const data = Buffer.from(bytes.data).toString('base64')
    const operation = { signed: { ...signed, ...texts }, bytes: { ...bytes, data } }
    const json = JSON.stringify({ purpose, key, spendNanoMas: `${spendNanoMas}`, ...operation })
    const value = sealValue(new TextEncoder().encode(json))
    await this.index.write([{ type: 'put', key: keyOf(key), value }], { sync: true })
  }

  async delete(key: string): Promise<void> {
    await this.index.write([{ type: 'del', key: keyOf(key) }], { sync: false })
  }

  async list(): Promise<JournalEntry[]> {
    const entries: JournalEntry[] = []
    for await (const [, sealed] of this.index.entries(keyspaceRange('operationJournal'))) {
      const entry = parseEntry(sealed)
      if (entry) entries.push(entry)
    }
    return entries
  }
}

/** What names eight challenges is longer than any key that a table is taken to hold: what reads it would call it damaged. */
function keyOf(key: string): Uint8Array {
  return encodeIndexKey('operationJournal', sha256(new TextEncoder().encode(key)))
}

function parseEntry(sealed: Uint8Array): JournalEntry | undefined {
  const value = openValue(sealed)
  if (!value) return undefined
  try {
    return entrySchema.safeParse(JSON.parse(new TextDecoder().decode(value))).data
  } catch {
    return undefined
  }
}
