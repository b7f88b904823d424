import { toBase64 } from '../base64.ts'
import { toHex } from '../bytes.ts'
import { ByteReader, ByteWriter } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import { type BoundPeriod, MAX_PERIOD_CHUNKS } from '../manifest.ts'
import { HASH_BYTES } from '../merkle.ts'
import { ERA_PERIODS, type Network, type Period } from '../units.ts'
import {
  malformed,
  parseProofJson,
  readArray,
  readBase64,
  readDecimal,
  readHex,
  readInteger,
  readObject,
} from './json-form.ts'

export const COMPLETENESS_FORMAT = 'massa-storage/completeness/1'
/** 512 eras, 12 days: 3.5 MB of text. Who wants more asks for several. */
export const MAX_CERTIFICATE_PERIODS = 512 * ERA_PERIODS
const MAX_ERAS = MAX_CERTIFICATE_PERIODS / ERA_PERIODS + 1
const PERIOD_BYTES = 4 + 4 + HASH_BYTES

/** What leads from the periods of a range to the root of an era of which they are a part, or all. */
export interface EraShare {
  readonly era: number
  readonly totalBytes: bigint
  readonly totalChunks: bigint
  /** Over the period roots that are not in the range: what `pickSiblings` gives; none for a whole era. */
  readonly siblings: readonly Uint8Array[]
}

/** Certificate that nothing lacks in a range of periods (docs/FORMAT.md, Completeness). */
export interface Completeness {
  readonly network: Network
  readonly from: Period
  readonly to: Period
  /** Each period of the range, ascending. */
  readonly periods: readonly Pick<BoundPeriod, 'bitmap' | 'chunkCount' | 'chunkTree'>[]
  /** Each era that the range touches, ascending; null where it is not whole in the archive. */
  readonly eras: readonly (EraShare | null)[]
}

/** The same as JSON. */
export interface CompletenessJson {
  readonly format: typeof COMPLETENESS_FORMAT
  readonly chainId: string
  readonly genesisTimestampMs: string
  readonly from: number
  readonly to: number
  /** Base64; of each period u32 bitmap, u32 chunk count and the 32-byte root of the tree over its chunk ids. */
  readonly periods: string
  readonly eras: readonly ({
    readonly era: number
    readonly totalBytes: string
    readonly totalChunks: string
    readonly siblings: readonly string[]
  } | null)[]
}

const FIELDS = ['format', 'chainId', 'genesisTimestampMs', 'from', 'to', 'periods', 'eras'] as const
const SHARE_FIELDS = ['era', 'totalBytes', 'totalChunks', 'siblings'] as const

export function formatCompleteness({ network, from, to, periods, eras }: Completeness): CompletenessJson {
  const writer = new ByteWriter(periods.length * PERIOD_BYTES)
  for (const { bitmap, chunkCount, chunkTree } of periods) writer.u32(bitmap).u32(chunkCount).raw(chunkTree)
  return {
    format: COMPLETENESS_FORMAT,
    chainId: String(network.chainId),
    genesisTimestampMs: String(network.genesisTimestampMs),
    from,
    to,
    periods: toBase64(writer.finish()),
    eras: eras.map(
      (share) =>
        share && {
          era: share.era,
          totalBytes: String(share.totalBytes),
          totalChunks: String(share.totalChunks),
          siblings: share.siblings.map(toHex),
        },
    ),
  }
}

/**
 * Takes what a stranger gave for what it looks like; nothing of it is verified but that there is an entry for each period and era.
 *
 * @throws ArchiveError CORE_READING_MALFORMED, CORE_READING_TOO_LARGE, CORE_READING_PERIODS_MISSING
 */
export function parseCompleteness(certificate: unknown): Completeness {
  const json = typeof certificate === 'string' ? parseProofJson(certificate) : certificate
  const fields = readObject(json, 'it', FIELDS)
  if (fields.format !== COMPLETENESS_FORMAT) throw malformed(`its format is not ${COMPLETENESS_FORMAT}`)
  const network = {
    chainId: readDecimal(fields.chainId, 'chainId'),
    genesisTimestampMs: readDecimal(fields.genesisTimestampMs, 'genesisTimestampMs'),
  }
  const from = readInteger(fields.from, 'from', Number.MAX_SAFE_INTEGER)
  const to = readInteger(fields.to, 'to', Number.MAX_SAFE_INTEGER)
  if (to < from) throw malformed('it ends before it begins')
  const bytes = readBase64(fields.periods, 'periods', MAX_CERTIFICATE_PERIODS * PERIOD_BYTES)
  if (bytes.length !== (to - from + 1) * PERIOD_BYTES) {
    throw missing(`${bytes.length} bytes for the ${to - from + 1} periods ${from} to ${to}`)
  }
  const eras = readArray(fields.eras, 'eras', MAX_ERAS)
  const wanted = eraOf(to) - eraOf(from) + 1
  if (eras.length !== wanted) throw missing(`${eras.length} eras, the range touches ${wanted}`)
  return { network, from, to, periods: readPeriods(bytes), eras: eras.map(parseShare) }
}

export function eraOf(period: Period): number {
  return Math.floor(period / ERA_PERIODS)
}

function readPeriods(bytes: Uint8Array): Completeness['periods'] {
  const reader = new ByteReader(bytes)
  return Array.from({ length: bytes.length / PERIOD_BYTES }, () => {
    const bitmap = reader.u32()
    const chunkCount = reader.u32()
    if (chunkCount < 1 || chunkCount > MAX_PERIOD_CHUNKS) throw malformed(`a period of ${chunkCount} chunks`)
    return { bitmap, chunkCount, chunkTree: reader.raw(HASH_BYTES) }
  })
}

function parseShare(json: unknown): EraShare | null {
  if (json === null) return null
  const { era, totalBytes, totalChunks, siblings } = readObject(json, 'an era', SHARE_FIELDS)
  return {
    era: readInteger(era, 'era', Number.MAX_SAFE_INTEGER),
    totalBytes: readDecimal(totalBytes, 'totalBytes'),
    totalChunks: readDecimal(totalChunks, 'totalChunks'),
    siblings: readArray(siblings, 'siblings', ERA_PERIODS).map((hash) => readHex(hash, 'a sibling', HASH_BYTES)),
  }
}

function missing(what: string): ArchiveError {
  return new ArchiveError('CORE_READING_PERIODS_MISSING', `a certificate has not each period once: ${what}`)
}
