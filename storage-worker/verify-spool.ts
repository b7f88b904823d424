import type { GuardedLevel, LevelOperation } from './guarded-level.ts'
import { decodePeriod, KEYSPACES, type KeyspaceName, keyspaceRange } from './keyspace.ts'
import { openValue } from './sealed-value.ts'
import type { Damage } from './verify-report.ts'

const SPOOL_KEYSPACES: readonly { readonly keyspace: KeyspaceName; readonly hasPeriod: boolean }[] = [
  { keyspace: 'spoolBlocks', hasPeriod: true },
  { keyspace: 'finals', hasPeriod: true },
  { keyspace: 'executions', hasPeriod: true },
  { keyspace: 'quarantine', hasPeriod: false },
  { keyspace: 'marks', hasPeriod: false },
]

/** Every value of the spool, each with what is wrong with it. */
export async function* readSpool(index: GuardedLevel): AsyncGenerator<{
  readonly key: Uint8Array
  readonly sizeBytes: number
  readonly damage?: Damage
}> {
  for (const { keyspace, hasPeriod } of SPOOL_KEYSPACES) {
    for await (const [key, value] of index.entries(keyspaceRange(keyspace))) {
      const sizeBytes = value.length
      if (openValue(value)) {
        yield { key, sizeBytes }
        continue
      }
      const damage = {
        ...(hasPeriod ? { period: decodePeriod(key, 1) } : {}),
        what: KEYSPACES[keyspace].name.replaceAll('_', ' '),
        code: 'STORE_VALUE_CORRUPT' as const,
        repairable: true,
      }
      yield { key, sizeBytes, damage }
    }
  }
}

/** Names every damaged value of the spool; with `repair` deletes it, since a node is asked again for what is absent. */
export async function sweepSpool(index: GuardedLevel, repair: boolean): Promise<Damage[]> {
  const damages: Damage[] = []
  const deletions: LevelOperation[] = []
  for await (const { key, damage } of readSpool(index)) {
    if (!damage) continue
    damages.push({ ...damage, ...(repair ? { repaired: true } : {}) })
    deletions.push({ type: 'del', key })
  }
  if (repair && deletions.length > 0) await index.write(deletions, { sync: true })
  return damages
}
