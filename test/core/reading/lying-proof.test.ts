import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  type AnswerProofJson,
  ArchiveError,
  buildBlockProof,
  buildMissProof,
  buildPeriodProof,
  type ErrorCode,
  formatBlockId,
  formatOperationId,
  type Question,
  verifyProof,
} from '../../../core/index.ts'
import { history, honest, LIES, moveTo, period, question, slot } from './lies.ts'
import { assertCode, bend, call, MadeHistory, makePeriod, NETWORK } from './made-history.ts'

const { trusted } = history
const [, block] = period.blocks
const id = block?.operationIds[1] ?? ''
const ofBlock = await buildBlockProof(history, slot)
const ofOlder = await buildBlockProof(history, { period: 8, thread: 2 })
const ofMiss = await buildMissProof(history, { period: 9, thread: 1 })
const ofPeriod = await buildPeriodProof(history, 9)

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

  for (const field of ['thread', 'chunks', 'seals'] as const) {
    it(`refuses a miss and a period that show more than was asked for: ${field}`, async () => {
      const bent = (proof: AnswerProofJson) => ({ ...proof, [field]: ofBlock[field] })
      const asked = { kind: 'slot-empty', slot: { period: 9, thread: 1 } } as const
      await assertCode('CORE_READING_MALFORMED', () => verifyProof(bent(ofMiss), asked, trusted))
      const ofNine = { kind: 'period', period: 9 } as const
      await assertCode('CORE_READING_MALFORMED', () => verifyProof(bent(ofPeriod), ofNine, trusted))
    })
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

  it('refuses a real operation in a block that somebody made up for a time when it is not valid', async () => {
    for (const period of [2, 12]) assert.equal(verifyProof(await moveTo(period), question).record.kind, 'operation')
    for (const period of [1, 13]) {
      const moved = await moveTo(period)
      await assertCode('CORE_READING_SLOT_OTHER', () => verifyProof(moved, question))
    }
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
