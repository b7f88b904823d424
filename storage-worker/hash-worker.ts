import { ClassicLevel } from 'classic-level'
import { encodeBodyKey } from './keyspace.ts'
import { type PeriodFindings, type PeriodJob, type VerifyPeriodOptions, verifyPeriod } from './verify-period.ts'

/*
 * Runs in worker threads. Each opens the database that the main thread has open (`multithreading`): values are read
 * where they are hashed, and never travel between threads.
 */

export interface HashWorkerJob {
  readonly location: string
  readonly periods: readonly PeriodJob[]
  readonly options: VerifyPeriodOptions
}

let opened: { readonly location: string; readonly level: ClassicLevel<Uint8Array, Uint8Array> } | undefined

/** Verifies some periods, reading them itself. */
export async function verifyPeriods(job: HashWorkerJob): Promise<PeriodFindings[]> {
  if (opened?.location !== job.location) {
    await opened?.level.close()
    const level = new ClassicLevel<Uint8Array, Uint8Array>(job.location, {
      keyEncoding: 'view',
      valueEncoding: 'view',
      multithreading: true,
      createIfMissing: false,
    })
    await level.open()
    opened = { location: job.location, level }
  }
  const { level } = opened
  return job.periods.map((period) =>
    verifyPeriod(period, job.options, (n) => level.getSync(encodeBodyKey(period.period, n))),
  )
}
