import { ArchiveError } from '../core/index.ts'
import type { GuardedLevel } from './guarded-level.ts'
import { type StoredIdentity, writeIdentity } from './store-identity.ts'

/** Layout of keyspace.ts. */
export const SCHEMA_VERSION = 2

/** One step from schema `from` to `from + 1`. */
export interface Migration {
  readonly from: number
  /** Rewrites in place, deletes nothing that is not written anew, and may be run again after a crash in the middle. */
  migrate(databases: { readonly bodies: GuardedLevel; readonly index: GuardedLevel }): Promise<void>
}

/**
 * Version 1 is the first. Since version 2 a period may be held in part: nothing is stored otherwise than before, but a
 * release that knows version 1 alone would take what is not held for damage.
 */
export const MIGRATIONS: readonly Migration[] = [{ from: 1, migrate: async () => undefined }]

/** Whether this release opens an archive of this version. @throws ArchiveError STORE_SCHEMA_TOO_NEW, STORE_SCHEMA_TOO_OLD */
export function checkSchema(version: number): void {
  planMigrations(version, MIGRATIONS)
}

/** @throws ArchiveError STORE_SCHEMA_TOO_NEW, STORE_SCHEMA_TOO_OLD */
export function planMigrations(version: number, migrations: readonly Migration[]): Migration[] {
  if (version > SCHEMA_VERSION) {
    throw new ArchiveError(
      'STORE_SCHEMA_TOO_NEW',
      `the archive has schema ${version}, this release ${SCHEMA_VERSION}`,
      {
        version,
      },
    )
  }
  const steps: Migration[] = []
  for (let from = version; from < SCHEMA_VERSION; from++) {
    const step = migrations.find((migration) => migration.from === from)
    if (!step) throw new ArchiveError('STORE_SCHEMA_TOO_OLD', `nothing leads from schema ${from} on`, { version })
    steps.push(step)
  }
  return steps
}

/** Runs the steps; after each one `store.json` says so, so that a crash repeats one step at most. */
export async function runMigrations(
  steps: readonly Migration[],
  databases: { readonly bodies: GuardedLevel; readonly index: GuardedLevel },
  store: { readonly dataDir: string; readonly stored: StoredIdentity },
): Promise<void> {
  for (const step of steps) {
    await step.migrate(databases)
    await writeIdentity(store.dataDir, { ...store.stored, schemaVersion: step.from + 1 })
  }
}
