import { sha256 } from '#crypto'
import { toHex } from './bytes.ts'
import { ByteWriter } from './codec.ts'
import type { Network, Period } from './units.ts'

/** What execution results belong to: without it a signature could be shown for another period. */
export interface AttestedPlace {
  readonly network: Network
  readonly period: Period
}

/** The text that an archiver signs over the execution results of a period (docs/FORMAT.md, Execution results). */
export function computeAttestationText(place: AttestedPlace, results: Uint8Array): string {
  const writer = new ByteWriter(24 + results.length).u64(place.network.chainId).u64(place.network.genesisTimestampMs)
  writer.u64(BigInt(place.period)).raw(results)
  return `massa-storage/execution/1:${toHex(sha256(writer.finish()))}`
}
