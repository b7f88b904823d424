import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AnswerProofJson,
  ArchiveError,
  buildBlockProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  type ErrorCode,
  formatBlockId,
  formatOperationId,
  type Question,
  toBase64,
  verifyProof,
} from '../../../core/index.ts'
import { assertCode, bend, call, MadeHistory, type MutableProof, makePeriod, NETWORK } from './made-history.ts'

const MADE = { 0: [call(1, 5000)], 2: [call(2, 100), call(3, 3000), call(4, 6000)], 7: [call(5, 2)] }
const period = makePeriod(9, MADE, 8192)
const older = makePeriod(8, { 2: [call(9, 10)] })
const history = new MadeHistory([period, older])
const { trusted } = history
const slot = { period: 9, thread: 2 }
const [, block] = period.blocks
const id = block?.operationIds[1] ?? ''
const question: Question = { kind: 'operation', id }
const honest = await buildOperationProof(history, slot, id)
const ofBlock = await buildBlockProof(history, slot)
const ofOlder = await buildBlockProof(history, { period: 8, thread: 2 })
const ofMiss = await buildMissProof(history, { period: 9, thread: 1 })
const ofPeriod = await buildPeriodProof(history, 9)

type Lie = readonly [ErrorCode, (proof: MutableProof) => unknown]

function firstOf<T>(items: readonly T[]): T {
  return items[0] ?? assert.fail('nothing to bend')
}

/** The first chunk of the proof of an operation has runs that stand apart, and siblings. */
const LIES: Readonly<Record<string, Lie>> = {
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

describe('core/reading/verify-proof: lies', () => {
  for (const [name, [code, change]] of Object.entries(LIES)) {
    it(`refuses ${name}: ${code}`, async () => {
      verifyProof(honest, question, trusted)
      await assertCode(code, () => verifyProof(bend(honest, change), question, trusted))
    })
  }

  const RIGHT_FOR_OTHERS: Readonly<Record<string, readonly [ErrorCode, AnswerProofJson, Question]>> = {
    'a block for another id': ['CORE_READING_ID_OTHER', ofBlock, { kind: 'block', id: period.blocks[0]?.id ?? '' }],
    'a block for another thread': [
      'CORE_READING_SLOT_OTHER',
      ofBlock,
      { kind: 'block-at', slot: { period: 9, thread: 7 } },
    ],
    'a block of an older period': ['CORE_READING_SLOT_OTHER', ofOlder, { kind: 'block-at', slot }],
    'an operation for another one of its block': [
      'CORE_READING_LEAVES_MISSING',
      honest,
      { kind: 'operation', id: block?.operationIds[2] ?? '' },
    ],
    'an operation for one of another block': [
      'CORE_READING_ID_OTHER',
      honest,
      { kind: 'operation', id: period.blocks[0]?.operationIds[0] ?? '' },
    ],
    'an operation for its block': ['CORE_READING_LEAVES_MISSING', honest, { kind: 'block', id: block?.id ?? '' }],
    'a block for one of its operations': ['CORE_READING_SIGNATURE_INVALID', ofBlock, question],
    'a miss for a slot that has a block': ['CORE_READING_SLOT_TAKEN', ofMiss, { kind: 'slot-empty', slot }],
    'a miss of another period': [
      'CORE_READING_SLOT_OTHER',
      ofMiss,
      { kind: 'slot-empty', slot: { period: 8, thread: 1 } },
    ],
    'a miss for a block': ['CORE_READING_MALFORMED', ofMiss, { kind: 'block', id: block?.id ?? '' }],
    'a block for a miss': ['CORE_READING_MALFORMED', ofBlock, { kind: 'slot-empty', slot: { period: 9, thread: 1 } }],
    'a period for another one': ['CORE_READING_SLOT_OTHER', ofPeriod, { kind: 'period', period: 8 }],
    'a block for its period': ['CORE_READING_MALFORMED', ofBlock, { kind: 'period', period: 9 }],
  }
  for (const [name, [code, proof, asked]] of Object.entries(RIGHT_FOR_OTHERS)) {
    it(`refuses the right proof of ${name}: ${code}`, () => assertCode(code, () => verifyProof(proof, asked, trusted)))
  }

  it('refuses another history: roots that the reader does not trust', async () => {
    const other = new MadeHistory([makePeriod(9, { 2: [call(3, 3000)] })])
    await assertCode('CORE_READING_ROOT_UNTRUSTED', () => verifyProof(honest, question, other.trusted))
    const findPeriodRoot = () => new Uint8Array(32)
    await assertCode('CORE_READING_ROOT_UNTRUSTED', () => verifyProof(honest, question, { ...trusted, findPeriodRoot }))
    const network = { ...NETWORK, chainId: 78n }
    await assertCode('CORE_READING_NETWORK_OTHER', () => verifyProof(honest, question, { ...trusted, network }))
    // The same of who trusts nothing: he is told that nobody vouches for the chain.
    assert.equal(verifyProof(honest, question).trust, 'none')
  })

  it('refuses a question that has no id', async () => {
    await assertCode('CORE_BASE58_INVALID', () => verifyProof(honest, { kind: 'operation', id: block?.id ?? '' }))
    await assertCode('CORE_BASE58_INVALID', () => verifyProof(ofBlock, { kind: 'block', id }))
    const unknown = formatBlockId(new Uint8Array(33))
    await assertCode('CORE_READING_ID_OTHER', () => verifyProof(ofBlock, { kind: 'block', id: unknown }, trusted))
    const unlisted = formatOperationId(new Uint8Array(33))
    await assertCode('CORE_READING_ID_OTHER', () => verifyProof(honest, { kind: 'operation', id: unlisted }, trusted))
  })

  for (const [name, proof, asked] of [
    ['an operation', honest, question],
    ['a block', ofBlock, { kind: 'block-at', slot }],
    ['a miss', ofMiss, { kind: 'slot-empty', slot: { period: 9, thread: 1 } }],
    ['a period', ofPeriod, { kind: 'period', period: 9 }],
  ] as const) {
    it(`any byte of the proof of ${name} changed in any bit: refused, with a code`, () => {
      const text = Buffer.from(JSON.stringify(proof))
      verifyProof(text.toString('latin1'), asked, trusted)
      fc.assert(
        fc.property(fc.nat(text.length - 1), fc.nat(7), (at, bit) => {
          const bent = Buffer.from(text)
          bent[at] = (bent[at] ?? 0) ^ (1 << bit)
          assert.throws(
            () => verifyProof(bent.toString('latin1'), asked, trusted),
            (error) => error instanceof ArchiveError && /^CORE_READING_/.test(error.code),
          )
        }),
        { numRuns: 100 },
      )
    })
  }
})
