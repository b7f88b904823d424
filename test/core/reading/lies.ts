import assert from 'node:assert/strict'
import {
  type AnswerProofJson,
  buildOperationProof,
  type ErrorCode,
  type Question,
  toBase64,
} from '../../../core/index.ts'
import { call, MadeHistory, type MutableProof, makePeriod } from './made-history.ts'

/* A history, a right proof of it, and what a liar makes of that. */

const MADE = { 0: [call(1, 5000)], 2: [call(2, 100), call(3, 3000), call(4, 6000)], 7: [call(5, 2)] }
export const period = makePeriod(9, MADE, 8192)
const older = makePeriod(8, { 2: [call(9, 10)] })
export const history = new MadeHistory([period, older])
export const slot = { period: 9, thread: 2 }
const id = period.blocks[1]?.operationIds[1] ?? ''
export const question: Question = { kind: 'operation', id }
export const honest = await buildOperationProof(history, slot, id)

/** The operation of `question` in a block of that period, which somebody made up: no period but 2 to 12 may include it. */
export async function moveTo(periodNumber: number): Promise<AnswerProofJson> {
  const place = { period: periodNumber, thread: 2 }
  return buildOperationProof(new MadeHistory([makePeriod(periodNumber, { 2: [call(3, 3000)] })]), place, id)
}

/** The code that it is refused with, and what it changes. */
type Lie = readonly [ErrorCode, (proof: MutableProof) => unknown]

function firstOf<T>(items: readonly T[]): T {
  return items[0] ?? assert.fail('nothing to bend')
}

/** All of the proof `honest`. The first chunk of the proof of an operation has runs that stand apart, and siblings. */
export const LIES: Readonly<Record<string, Lie>> = {
  'a leaf with one byte changed': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks }) => changeRun(chunks, (bytes) => bytes.fill((bytes[5] ?? 0) ^ 1, 5, 6)),
  ],
  'a leaf a byte short': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks }) => changeRun(chunks, (bytes) => bytes.subarray(1)),
  ],
  'a leaf moved by one': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => firstOf(firstOf(chunks).runs).firstLeaf++],
  'a run twice': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks: [chunk] }) => chunk?.runs.unshift({ ...firstOf(chunk.runs) }),
  ],
  'a run split in two': ['CORE_READING_CHUNK_INVALID', splitRun],
  'runs out of order': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => widest(chunks).runs.reverse()],
  'a chunk without leaves': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => firstOf(chunks).runs.splice(0)],
  'a sibling too few': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => widest(chunks).siblings.pop()],
  'a sibling too many': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks }) => widest(chunks).siblings.push(firstOf(widest(chunks).siblings)),
  ],
  'another sibling': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => widest(chunks).siblings.fill('00'.repeat(32))],
  'chunks out of order': ['CORE_READING_LEAVES_MISSING', ({ chunks }) => chunks.reverse()],
  'a chunk twice': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => chunks.unshift(firstOf(chunks))],
  'a chunk as another one': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks }) => Object.assign(chunks[1] ?? {}, { index: 2 }),
  ],
  'a chunk that the period has not': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks }) => chunks.push({ ...firstOf(chunks), index: 99 }),
  ],
  'the beginning of BODY left out': ['CORE_READING_LEAVES_MISSING', ({ chunks }) => chunks.shift()],
  'the end of the operation left out': ['CORE_READING_LEAVES_MISSING', ({ chunks }) => chunks.pop()],
  'no chunk at all': ['CORE_READING_LEAVES_MISSING', (proof) => proof.chunks.splice(0)],
  'the block of another thread': ['CORE_READING_ID_OTHER', (proof) => Object.assign(proof, { thread: 0 })],
  'a thread without a block': ['CORE_READING_SLOT_EMPTY', (proof) => Object.assign(proof, { thread: 3 })],
  'no thread': ['CORE_READING_MALFORMED', (proof) => Object.assign(proof, { thread: null })],
  'another chain id': ['CORE_READING_NETWORK_OTHER', (proof) => Object.assign(proof, { chainId: '78' })],
  'another genesis timestamp': [
    'CORE_READING_NETWORK_OTHER',
    (proof) => Object.assign(proof, { genesisTimestampMs: '0' }),
  ],
  'another bitmap': ['CORE_READING_ROOT_UNTRUSTED', (proof) => Object.assign(proof, { bitmap: '000000ff' })],
  'the period as another one of the era': [
    'CORE_READING_ROOT_UNTRUSTED',
    (proof) => Object.assign(proof, { period: 10 }),
  ],
  'the period as one of another era': ['CORE_READING_ERA_OTHER', (proof) => Object.assign(proof, { period: 9 + 128 })],
  'a chunk id that is not shown changed': [
    'CORE_READING_ROOT_UNTRUSTED',
    ({ chunkIds }) => chunkIds.splice(-1, 1, '00'.repeat(32)),
  ],
  'a chunk id that is shown changed': [
    'CORE_READING_ROOT_UNTRUSTED',
    ({ chunkIds }) => chunkIds.splice(0, 1, '00'.repeat(32)),
  ],
  'a chunk id too few': ['CORE_READING_ROOT_UNTRUSTED', ({ chunkIds }) => chunkIds.pop()],
  'a chunk id too many': ['CORE_READING_ROOT_UNTRUSTED', ({ chunkIds }) => chunkIds.push('00'.repeat(32))],
  'no chunk id': ['CORE_READING_MALFORMED', ({ chunkIds }) => chunkIds.splice(0)],
  'a first chunk that is shorter': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => firstOf(chunks).byteLength--],
  'a second chunk that is shorter': [
    'CORE_READING_CHUNK_INVALID',
    ({ chunks: [, second] }) => Object.assign(second ?? {}, { byteLength: 8191 }),
  ],
  'a chunk that is longer': ['CORE_READING_CHUNK_INVALID', ({ chunks }) => chunks.map((one) => one.byteLength++)],
  'another era': ['CORE_READING_ERA_OTHER', ({ era }) => Object.assign(era ?? {}, { era: 1 })],
  'other bytes of the era': ['CORE_READING_ROOT_UNTRUSTED', ({ era }) => Object.assign(era ?? {}, { totalBytes: '1' })],
  'other chunks of the era': [
    'CORE_READING_ROOT_UNTRUSTED',
    ({ era }) => Object.assign(era ?? {}, { totalChunks: '1' }),
  ],
  'another path': ['CORE_READING_ROOT_UNTRUSTED', ({ era }) => era?.path.reverse()],
  'a path too short': ['CORE_READING_MALFORMED', ({ era }) => era?.path.pop()],
  'a path too long': ['CORE_READING_TOO_LARGE', ({ era }) => era?.path.push('00'.repeat(32))],
  'no path where the reader knows the era root': [
    'CORE_READING_ROOT_UNTRUSTED',
    (proof) => Object.assign(proof, { era: null }),
  ],
  'the signature of another': [
    'CORE_READING_SIGNATURE_INVALID',
    ({ seals }) => Object.assign(seals ?? {}, { header: seals?.operations[0] }),
  ],
  'a signature of the operation with one bit changed': [
    'CORE_READING_SIGNATURE_INVALID',
    ({ seals }) => seals?.operations.splice(0, 1, '00'.repeat(64)),
  ],
  'no signature of the operation': ['CORE_READING_SIGNATURE_INVALID', ({ seals }) => seals?.operations.pop()],
  'a signature too many': [
    'CORE_READING_SIGNATURE_INVALID',
    ({ seals }) => seals?.operations.push(firstOf(seals.operations)),
  ],
}

type MutableChunks = MutableProof['chunks']

function widest(chunks: MutableChunks): MutableChunks[number] {
  return chunks.find(({ runs, siblings }) => runs.length > 1 && siblings.length > 0) ?? assert.fail('no such chunk')
}

function changeRun(chunks: MutableChunks, change: (bytes: Uint8Array) => Uint8Array): void {
  const run = firstOf(firstOf(chunks).runs)
  run.bytes = toBase64(change(Buffer.from(run.bytes, 'base64')))
}

function splitRun({ chunks }: MutableProof): void {
  const { runs } =
    chunks.find((chunk) => chunk.runs.some(({ bytes }) => bytes.length > 1400)) ?? assert.fail('no long run')
  const at = runs.findIndex(({ bytes }) => bytes.length > 1400)
  const { firstLeaf, bytes: text = '' } = runs[at] ?? {}
  const bytes = Buffer.from(text, 'base64')
  const first = { firstLeaf: firstLeaf ?? 0, bytes: toBase64(bytes.subarray(0, 1024)) }
  runs.splice(at, 1, first, { firstLeaf: first.firstLeaf + 1, bytes: toBase64(bytes.subarray(1024)) })
}
