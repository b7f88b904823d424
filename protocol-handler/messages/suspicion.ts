import { ADDRESS_BYTES, type ByteReader, compareBytes, type Period } from '../../core/index.ts'
import { MAX_TOLD_SUSPICIONS } from '../limits.ts'
import { ANSWER_STATUS, type Refusal, readAnswerStatus } from './answer-status.ts'
import { readPeriod, writePeriod } from './fields.ts'
import { wireCodec } from './wire-codec.ts'

/** What nodes did not show, of whoever audits them. */
export type SuspicionRequest = Readonly<Record<string, never>>

export const suspicionRequestCodec = wireCodec<SuspicionRequest>({
  name: 'SuspicionRequest',
  maxBytes: 1,
  write: () => undefined,
  read: () => ({}),
})

/** A chunk that a node did not show twice in a row. */
export interface ToldSuspicion {
  /** 34 bytes */
  readonly node: Uint8Array
  readonly period: Period
  readonly index: number
}

/** One chunk each of 64 nodes at most, by their addresses. Nothing is signed: it is a hint. */
export type SuspicionResponse =
  | { readonly status: 'ok'; readonly suspicions: readonly ToldSuspicion[] }
  | { readonly status: Refusal }

export const suspicionResponseCodec = wireCodec<SuspicionResponse>({
  name: 'SuspicionResponse',
  maxBytes: 1 + 1 + 1 + MAX_TOLD_SUSPICIONS * (ADDRESS_BYTES + 8 + 2),
  write: (writer, response) => {
    writer.u8(ANSWER_STATUS[response.status])
    if (response.status !== 'ok') return
    writer.u8(response.suspicions.length)
    for (const { node, period, index } of response.suspicions) {
      writer.raw(node)
      writePeriod(writer, period)
      writer.u16(index)
    }
  },
  read: (reader) => {
    const status = readAnswerStatus(reader)
    if (status !== 'ok') return { status }
    const count = reader.u8()
    if (count > MAX_TOLD_SUSPICIONS) throw reader.error(`${count} suspicions`)
    const suspicions: ToldSuspicion[] = []
    for (let i = 0; i < count; i++) suspicions.push(readSuspicion(reader, suspicions.at(-1)))
    return { status, suspicions }
  },
})

function readSuspicion(reader: ByteReader, before: ToldSuspicion | undefined): ToldSuspicion {
  const node = reader.raw(ADDRESS_BYTES)
  if (node[0] !== 0 || node[1] !== 0) throw reader.error('a suspected node is no user address')
  // So a list has one form, and none fills it with chunks of one node.
  if (before && compareBytes(before.node, node) >= 0) throw reader.error('suspected nodes are not ascending')
  return { node, period: readPeriod(reader), index: reader.u16() }
}
