import type { BackgroundCpuWork } from '../archiver/cpu-pool.ts'
import type { SealedRecord } from '../archiver/verify-record.ts'
import {
  computeBitmap,
  computeBodyBytes,
  encodeSeals,
  equalBytes,
  isArchiveError,
  type Manifest,
  SEAL_BYTES,
  type SplitBody,
  splitBody,
} from '../core/index.ts'

/* Which BODY a manifest tells of, and which SEALS are its own. Signatures sign ids, so all of BODY is needed for both. */

/** @returns undefined when these bytes are not the BODY that the manifest tells of */
export function splitOwnBody(bytes: Uint8Array, manifest: Manifest): SplitBody | undefined {
  try {
    const body = splitBody(bytes)
    const isOwn =
      body.period === manifest.period &&
      body.network.chainId === manifest.network.chainId &&
      body.network.genesisTimestampMs === manifest.network.genesisTimestampMs &&
      computeBitmap(body.slots) === manifest.bitmap &&
      bytes.length === computeBodyBytes(manifest)
    return isOwn ? body : undefined
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}

/** How long SEALS of this BODY are. */
export function computeSealsBytes({ network, period, slots }: SplitBody): number {
  const signatures = slots.reduce((sum, slot) => sum + (slot.kind === 'block' ? 1 + slot.operationCount : 0), 0)
  return encodeSeals(network, period, []).length + SEAL_BYTES * signatures
}

/** Blocks with their signatures; undefined for SEALS of another period, or of more or fewer signatures than BODY asks for. */
export function joinSeals(seals: Uint8Array, body: SplitBody): SealedRecord[] | undefined {
  const head = encodeSeals(body.network, body.period, [])
  if (!equalBytes(seals.subarray(0, head.length), head)) return undefined
  let at = head.length
  const sealed = body.slots.flatMap((slot, thread) => {
    if (slot.kind !== 'block') return []
    const length = SEAL_BYTES * (1 + slot.operationCount)
    at += length
    return [{ slot: { period: body.period, thread }, record: slot.record, seals: seals.subarray(at - length, at) }]
  })
  return at === seals.length ? sealed : undefined
}

/** `unreadable`: BODY holds what this release cannot read, so nothing can be said of any SEALS. */
export type SealsVerdict = 'true' | 'forged' | 'unreadable'

/** Whether these are SEALS of this BODY, and every one of their signatures verifies; 0.1 ms of a thread for each. */
export async function verifySeals(seals: Uint8Array, body: SplitBody, cpu: BackgroundCpuWork): Promise<SealsVerdict> {
  const sealed = joinSeals(seals, body)
  if (!sealed) return 'forged'
  try {
    const records = await cpu.verifyRecords(sealed, body.network)
    return records.every(({ isSealed }) => isSealed) ? 'true' : 'forged'
  } catch (error) {
    if (isArchiveError(error)) return 'unreadable'
    throw error
  }
}
