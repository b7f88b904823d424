import type { ByteReader, Period } from '../../core/index.ts'
import { MAX_MANIFEST_ANSWER_BYTES, MAX_PERIODS_PER_REQUEST } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readPeriod, writePeriod } from './fields.ts'
import { wireCodec } from './wire-codec.ts'

const WANTED = { manifests: 0, roots: 1 } as const
const ROOT_BYTES = 32

export interface ManifestRequest {
  readonly wanted: keyof typeof WANTED
  readonly firstPeriod: Period
  /** 1 to 128 */
  readonly periodCount: number
}

export const manifestRequestCodec = wireCodec<ManifestRequest>({
  name: 'ManifestRequest',
  maxBytes: 1 + 1 + 8 + 1,
  write: (writer, { wanted, firstPeriod, periodCount }) => {
    writer.u8(WANTED[wanted])
    writePeriod(writer, firstPeriod)
    writer.u8(periodCount)
  },
  read: (reader) => {
    const wanted = readWanted(reader)
    const firstPeriod = readPeriod(reader)
    const periodCount = reader.u8()
    if (periodCount < 1 || periodCount > MAX_PERIODS_PER_REQUEST) throw reader.error(`${periodCount} periods`)
    return { wanted, firstPeriod, periodCount }
  },
})

export type ManifestResponse =
  | {
      readonly status: 'ok'
      readonly wanted: keyof typeof WANTED
      readonly firstPeriod: Period
      /** Of consecutive periods, as many as fit, at least one; undefined where the sender has none. */
      readonly items: readonly (Uint8Array | undefined)[]
    }
  | { readonly status: Refusal }

export const manifestResponseCodec = wireCodec<ManifestResponse>({
  name: 'ManifestResponse',
  maxBytes: MAX_MANIFEST_ANSWER_BYTES,
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writer.u8(WANTED[response.wanted])
    writePeriod(writer, response.firstPeriod)
    writer.u8(response.items.length)
    for (const item of response.items) writer.bytes(item ?? new Uint8Array())
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const wanted = readWanted(reader)
    const firstPeriod = readPeriod(reader)
    const count = reader.u8()
    if (count < 1 || count > MAX_PERIODS_PER_REQUEST) throw reader.error(`${count} periods`)
    const items = Array.from({ length: count }, () => {
      const item = reader.sized(MAX_MANIFEST_ANSWER_BYTES)
      if (item.length === 0) return undefined
      if (wanted === 'roots' && item.length !== ROOT_BYTES) throw reader.error(`a root of ${item.length} bytes`)
      return item
    })
    return { status, wanted, firstPeriod, items }
  },
})

function readWanted(reader: ByteReader): keyof typeof WANTED {
  const wanted = reader.u8()
  if (wanted === WANTED.manifests) return 'manifests'
  if (wanted === WANTED.roots) return 'roots'
  throw reader.error(`${wanted} is nothing that can be wanted`)
}
