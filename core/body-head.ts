import type { ByteReader } from './codec.ts'
import { PERIOD_FORMAT, PERIOD_HEAD_BYTES } from './period-head.ts'
import { type Network, type Period, THREAD_COUNT } from './units.ts'

/* What BODY has beside blocks (docs/FORMAT.md, BODY). */

export const FLAG_MISS = 0
export const FLAG_BLOCK = 1
export const FLAG_VOID = 2

/** What stands before the slots: head of the period, number of threads. */
export const BODY_HEAD_BYTES = PERIOD_HEAD_BYTES + 1

/** Reads what stands before the slots. */
export function readBodyHead(reader: ByteReader): { readonly network: Network; readonly period: Period } {
  const format = reader.u8()
  if (format !== PERIOD_FORMAT) throw reader.error(`format ${format} is not known`)
  const network = { chainId: reader.u64(), genesisTimestampMs: reader.u64() }
  const period = reader.u64()
  if (period > BigInt(Number.MAX_SAFE_INTEGER)) throw reader.error(`period ${period} is too large`)
  const threads = reader.u8()
  if (threads !== THREAD_COUNT) throw reader.error(`${threads} threads`)
  return { network, period: Number(period) }
}
