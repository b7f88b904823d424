import * as z from 'zod'
import { equalBytes } from '../../core/index.ts'
import type { GuardedLevel, LevelOperation } from '../guarded-level.ts'
import { encodeIndexKey, encodePeriod, keyspaceRange } from '../keyspace.ts'
import { openValue, sealValue } from '../sealed-value.ts'

/** Years of some claims a day and every distribution of a small network; past it the oldest go. */
const MAX_ENTRIES = 10_000
/** Those that go together. */
const DELETED_AT_ONCE = 256

const nanoMas = z.string().regex(/^\d{1,20}$/)

const entrySchema = z.strictObject({
  kind: z.enum(['distribution', 'claim']),
  /** Of the own clock, since 1970. */
  atMs: z.int().min(0),
  /** That was distributed; null for a claim. */
  period: z.int().min(0).nullable(),
  /** Set aside for all nodes since the distribution before, or paid out to this one; decimal. */
  amountNanoMas: nanoMas,
  feeNanoMas: nanoMas,
  operationId: z.string(),
})

/** A final call of this sidecar's that distributed rewards or claimed its own. */
export type RewardEntry = z.infer<typeof entrySchema>

/** What this sidecar distributed and claimed, in the index database. One that is damaged counts as absent: the chain has it. */
export class RewardHistory {
  private readonly index: GuardedLevel
  private readonly maxEntries: number
  /** One after the other: each counts what there is. */
  private appending: Promise<void> = Promise.resolve()

  constructor(index: GuardedLevel, maxEntries = MAX_ENTRIES) {
    this.index = index
    this.maxEntries = maxEntries
  }

  /** Nothing when there is one of this operation. Resolves when it is on disk. @throws ArchiveError of the store */
  append(entry: RewardEntry): Promise<void> {
    const appended = this.appending.then(() => this.put(entry))
    this.appending = appended.catch(() => undefined)
    return appended
  }

  /** The newest first. @param limit - at most */
  async list(limit: number): Promise<RewardEntry[]> {
    const entries: RewardEntry[] = []
    for await (const [, sealed] of this.index.entries({ ...keyspaceRange('rewardHistory'), reverse: true, limit })) {
      const entry = parseEntry(sealed)
      if (entry) entries.push(entry)
    }
    return entries
  }

  private async put(entry: RewardEntry): Promise<void> {
    // Some are written in a day: they may be gone through each time.
    const keys: Uint8Array[] = []
    for await (const key of this.index.keys(keyspaceRange('rewardHistory'))) keys.push(key)
    const id = new TextEncoder().encode(entry.operationId)
    if (keys.some((key) => equalBytes(key.subarray(OPERATION_AT), id))) return
    const value = sealValue(new TextEncoder().encode(JSON.stringify(entrySchema.parse(entry))))
    const puts: LevelOperation[] = [{ type: 'put', key: keyOf(entry), value }]
    await this.index.write([...this.makeRoom(keys), ...puts], { sync: true })
  }

  private makeRoom(keys: readonly Uint8Array[]): LevelOperation[] {
    if (keys.length < this.maxEntries) return []
    return keys.slice(0, Math.min(DELETED_AT_ONCE, this.maxEntries)).map((key) => ({ type: 'del', key }))
  }
}

/** Behind the byte of the keyspace and the time. */
const OPERATION_AT = 9

/** u64 ms || UTF-8 operation id */
function keyOf({ atMs, operationId }: RewardEntry): Uint8Array {
  return encodeIndexKey('rewardHistory', encodePeriod(atMs), new TextEncoder().encode(operationId))
}

function parseEntry(sealed: Uint8Array): RewardEntry | undefined {
  const value = openValue(sealed)
  if (!value) return undefined
  try {
    return entrySchema.safeParse(JSON.parse(new TextDecoder().decode(value))).data
  } catch {
    return undefined
  }
}
