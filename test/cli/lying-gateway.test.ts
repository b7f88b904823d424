import assert from 'node:assert/strict'
import type { HistoryGateway } from '../../api/gateway/history-port.ts'
import type { GetRequest } from '../../cli/commands/get.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { buildOperationProof, type ErrorCode, formatAddress, isArchiveError, type Slot } from '../../core/index.ts'
import { type Question, verifyProof } from '../../core/verify.ts'
import type { HistoryAnswer } from '../../storage-worker/index.ts'
import { call, endorsementIdOf, lostOperation, MadeHistory, makePeriod, NETWORK } from '../core/reading/made-history.ts'
import { listFlips } from './flipped-fields.ts'
import { GatewayPlace, makeAddress, pay } from './gateway-place.ts'

/*
 * What a gateway may answer that is not so, against `get` and against the module that applications use. The reader knows the
 * root of era 0, as `get` does where it is anchored.
 */

const ALICE = makeAddress(7)
const BOB = makeAddress(8)
const place = new GatewayPlace({
  3: { 1: [pay(1, ALICE), call(1, 3000), pay(2, BOB)], 2: [call(2, 9)] },
  2: { 1: [pay(3, ALICE), pay(4, BOB)] },
})
/** Has the same slots, and other operations in them. */
const forked = new GatewayPlace({
  3: { 1: [pay(9, ALICE), call(9, 3000), pay(8, BOB)], 2: [call(7, 9)] },
  2: { 1: [pay(6, ALICE), pay(5, BOB)] },
})

const blockId = (period: number, index = 0) => place.periods[period]?.blocks[index]?.id ?? assert.fail('no block')
const operationId = (period: number, index: number) => place.periods[period]?.blocks[0]?.operationIds[index] ?? ''
const forkedId = () => forked.periods[3]?.blocks[0]?.id ?? ''

type Kind = 'block' | 'operation' | 'endorsement' | 'slot' | 'empty slot' | 'period'
type Method = 'block' | 'operation' | 'endorsement' | 'slot' | 'period'
type Answer = Promise<HistoryAnswer | undefined>

/** What is asked for in each kind, and how the honest archive is asked. */
const ASKED: { readonly [K in Kind]: { question: Question; path: string; method: Method } } = {
  block: { question: { kind: 'block', id: blockId(3) }, path: `/v1/blocks/${blockId(3)}`, method: 'block' },
  operation: {
    question: { kind: 'operation', id: operationId(3, 1) },
    path: `/v1/operations/${operationId(3, 1)}`,
    method: 'operation',
  },
  endorsement: {
    question: { kind: 'endorsement', id: endorsementIdOf({ period: 3, thread: 1 }) },
    path: `/v1/endorsements/${endorsementIdOf({ period: 3, thread: 1 })}`,
    method: 'endorsement',
  },
  slot: { question: { kind: 'block-at', slot: { period: 3, thread: 1 } }, path: '/v1/slots/3/1', method: 'slot' },
  'empty slot': {
    question: { kind: 'slot-empty', slot: { period: 3, thread: 9 } },
    path: '/v1/slots/3/9',
    method: 'slot',
  },
  period: { question: { kind: 'period', period: 3 }, path: '/v1/periods/3', method: 'period' },
}

const slotOf = (period: number, thread: number) => place.answers.slot({ period, thread }, true)
/** A right answer, with something else for its proof. */
async function withProof(right: Answer, proof: (answer: HistoryAnswer) => unknown): Answer {
  const answer = (await right) ?? assert.fail('no answer')
  return { ...answer, proof: proof(structuredClone(answer)) } as HistoryAnswer
}
const bentProof = (right: Answer, change: object) => withProof(right, ({ proof }) => ({ ...proof, ...change }))
const swapped = async (right: Answer, other: Answer): Answer => {
  const wrong = await other
  return withProof(right, () => wrong?.proof)
}

type Lie = readonly [Kind, string, ErrorCode, () => Answer]

const LIES: readonly Lie[] = [
  ['block', 'another block', 'CORE_READING_ID_OTHER', () => place.answers.block(blockId(3, 1), true)],
  ['block', 'an older block', 'CORE_READING_ID_OTHER', () => place.answers.block(blockId(2), true)],
  ['block', 'the block of a fork', 'CORE_READING_ROOT_UNTRUSTED', () => forked.answers.block(forkedId(), true)],
  ['block', 'no proof', 'CORE_READING_MALFORMED', () => place.answers.block(blockId(3), false)],
  [
    'block',
    'the proof of another one',
    'CORE_READING_ID_OTHER',
    () => swapped(place.answers.block(blockId(3), true), place.answers.block(blockId(2), true)),
  ],
  [
    'block',
    'the proof of the manifest',
    'CORE_READING_MALFORMED',
    () => swapped(place.answers.block(blockId(3), true), place.answers.period(3, true)),
  ],
  [
    'block',
    'a proof that leads to no era',
    'CORE_READING_ROOT_UNTRUSTED',
    () => bentProof(place.answers.block(blockId(3), true), { era: null }),
  ],
  [
    'operation',
    'another operation of the block',
    'CORE_READING_LEAVES_MISSING',
    () => place.answers.operation(operationId(3, 0), true),
  ],
  ['operation', 'an older operation', 'CORE_READING_ID_OTHER', () => place.answers.operation(operationId(2, 0), true)],
  [
    'endorsement',
    'another endorsement',
    'CORE_READING_ID_OTHER',
    () => place.answers.endorsement(endorsementIdOf({ period: 3, thread: 2 }), true),
  ],
  [
    'endorsement',
    'an older endorsement',
    'CORE_READING_ID_OTHER',
    () => place.answers.endorsement(endorsementIdOf({ period: 2, thread: 1 }), true),
  ],
  ['slot', 'the block of another thread', 'CORE_READING_SLOT_OTHER', () => slotOf(3, 2)],
  ['slot', 'the block of an older period', 'CORE_READING_SLOT_OTHER', () => slotOf(2, 1)],
  ['slot', 'that it was empty', 'CORE_READING_SLOT_TAKEN', () => slotOf(3, 9)],
  ['slot', 'that it was empty, by an older period', 'CORE_READING_SLOT_OTHER', () => slotOf(2, 9)],
  [
    'slot',
    'that it was empty, by another bitmap',
    'CORE_READING_ROOT_UNTRUSTED',
    () => bentProof(slotOf(3, 9), { bitmap: '00000004' }),
  ],
  [
    'slot',
    'the block of a fork',
    'CORE_READING_ROOT_UNTRUSTED',
    () => forked.answers.slot({ period: 3, thread: 1 }, true),
  ],
  ['empty slot', 'a block', 'CORE_READING_SLOT_OTHER', () => slotOf(3, 1)],
  [
    'empty slot',
    'a block, by a proof that says its thread',
    'CORE_READING_SLOT_EMPTY',
    () => bentProof(slotOf(3, 1), { thread: 9 }),
  ],
  ['empty slot', 'an empty slot of another period', 'CORE_READING_SLOT_OTHER', () => slotOf(4, 9)],
  ['period', 'another period', 'CORE_READING_SLOT_OTHER', () => place.answers.period(2, true)],
  [
    'period',
    'another period under its number',
    'CORE_READING_ROOT_UNTRUSTED',
    () => bentProof(place.answers.period(2, true), { period: 3 }),
  ],
  ['period', 'the period of a fork', 'CORE_READING_ROOT_UNTRUSTED', () => forked.answers.period(3, true)],
]

describe('a gateway that lies', () => {
  const trusted = { network: NETWORK, findEraRoot: (era: number) => (era === 0 ? place.history.eraRoot : undefined) }
  const anchored = { findAnchors: async () => new Map([[0, place.history.eraRoot]]) }
  before(async () => {
    await place.open()
    await forked.open()
  })
  after(async () => {
    await place.close()
    await forked.close()
  })

  const honestAnswer = (kind: Kind): Answer => {
    const { question, method } = ASKED[kind]
    const asked = 'id' in question ? question.id : 'slot' in question ? question.slot : question.period
    return (place.answers[method] as (asked: string | Slot | number, hasProof: boolean) => Answer).call(
      place.answers,
      asked,
      true,
    )
  }
  /** As the command asks: of a slot by what the answer says that it is. */
  const requestOf = (kind: Kind): GetRequest => {
    const { question, path } = ASKED[kind]
    if (!('slot' in question)) return { path, name: kind, question: () => question }
    const { slot } = question
    return {
      path,
      name: kind,
      question: (answer) => ({ kind: answer.kind === 'block' ? 'block-at' : 'slot-empty', slot }),
    }
  }
  /** By a gateway of its own: one gives again what it answered before. */
  const get = async (kind: Kind, answer: Answer) => {
    const from = await place.listen({ [ASKED[kind].method]: () => answer })
    return place.get(requestOf(kind), { from, ...anchored })
  }
  const refuses = (code: ErrorCode) => (error: unknown) => {
    assert(isArchiveError(error), String(error))
    assert.deepEqual([error.code, exitCodeOf(error)], [code, 5], error.message)
    return true
  }

  it('is believed where it does not', async () => {
    for (const kind of Object.keys(ASKED) as Kind[]) {
      const { code, answer } = await get(kind, honestAnswer(kind))
      assert.deepEqual([code, (answer.verified as { voucher: string }).voucher], [0, 'contract'], kind)
    }
  })

  for (const [kind, what, code, lie] of LIES) {
    it(`asked for ${kind}, tells ${what}: ${code}`, async () => {
      const answer = lie()
      await assert.rejects(get(kind, answer), refuses(code))
      const { kind: said, proof } = (await answer) ?? {}
      const question = requestOf(kind).question({ kind: said })
      assert.throws(() => verifyProof(proof, question, trusted), refuses(code))
    })
  }

  it('asked for anything, changes one byte in any field of the proof: refused', async () => {
    let count = 0
    for (const kind of Object.keys(ASKED) as Kind[]) {
      const { proof } = (await honestAnswer(kind)) ?? assert.fail('no answer')
      for (const { path, flipped } of listFlips(proof)) {
        const error = ((): unknown => {
          try {
            return verifyProof(flipped, ASKED[kind].question, trusted)
          } catch (refusal) {
            return refusal
          }
        })()
        assert(isArchiveError(error) && error.code.startsWith('CORE_READING_'), `${kind}, ${path}: accepted`)
        count++
      }
      const [one] = listFlips(proof).slice(count % 7)
      await assert.rejects(
        get(
          kind,
          withProof(honestAnswer(kind), () => one?.flipped),
        ),
        { name: 'ArchiveError' },
      )
    }
    assert(count > 150, `${count}`)
  })

  describe('of what an address did', () => {
    const address = formatAddress(ALICE)
    const operationsOf: HistoryGateway['operationsOf'] = (who, request) => place.answers.operationsOf(who, request)
    const listed = async (change: (operations: object[]) => object[], who = address): Promise<HistoryAnswer> => {
      const all = { roles: ['creator', 'target'] as const, from: 0, to: 127, limit: 100 }
      const { operations, ...rest } = await operationsOf(who, all)
      return { ...rest, operations: change(operations as object[]) }
    }
    const range: HistoryGateway['range'] = (request) => place.answers.range(request)
    const bentRange = async (
      change: (answer: { from: number; to: number; proof: { bodies: string[][] } }) => unknown,
    ) => {
      const answer = structuredClone(await range({ from: 0, to: 127, hasBodies: true })) as never
      change(answer)
      return answer
    }

    const cases: readonly (readonly [string, ErrorCode, Partial<HistoryGateway>])[] = [
      ['a truncated list', 'CORE_READING_LIST_OTHER', { operationsOf: () => listed((all) => all.slice(0, -1)) }],
      ['an older list', 'CORE_READING_LIST_OTHER', { operationsOf: () => listed((all) => all.slice(1)) }],
      ['an empty list', 'CORE_READING_LIST_OTHER', { operationsOf: () => listed(() => []) }],
      [
        'a list with an operation of others',
        'CORE_READING_LIST_OTHER',
        {
          operationsOf: async () => {
            const { operations } = await listed((all) => all, formatAddress(BOB))
            return listed((all) => [...all, ...(operations as object[])])
          },
        },
      ],
      [
        'the list of another address',
        'CORE_READING_LIST_OTHER',
        { operationsOf: () => listed((all) => all, formatAddress(BOB)) },
      ],
      [
        'an operation twice',
        'CORE_READING_LIST_OTHER',
        { operationsOf: () => listed((all) => [...all, ...all.slice(0, 1)]) },
      ],
      [
        'an operation at another slot',
        'CORE_READING_LIST_OTHER',
        {
          operationsOf: () =>
            listed((all) => all.map((one) => ({ ...one, inclusions: [{ slot: { period: 4, thread: 4 } }] }))),
        },
      ],
      [
        'a list without end',
        'CORE_READING_LIST_OTHER',
        { operationsOf: async () => ({ ...(await listed((all) => all)), cursor: '1-1-1' }) },
      ],
      [
        'empty pages without end',
        'CORE_READING_MALFORMED',
        { operationsOf: async () => ({ ...(await listed(() => [])), cursor: '1-1-1' }) },
      ],
      ['no list', 'CORE_READING_MALFORMED', { operationsOf: async () => ({ address, operations: 'none' }) }],
      [
        'the list and bodies of a fork',
        'CORE_READING_ROOT_UNTRUSTED',
        {
          range: (request) => forked.answers.range(request),
          operationsOf: (who, request) => forked.answers.operationsOf(who, request),
        },
      ],
      [
        'a range with a body left out',
        'CORE_READING_PERIODS_MISSING',
        { range: () => bentRange(({ proof }) => proof.bodies.pop()) },
      ],
      [
        'a range with the bodies swapped',
        'CORE_READING_CHUNK_INVALID',
        { range: () => bentRange(({ proof }) => proof.bodies.reverse()) },
      ],
      ['another range', 'CORE_READING_SLOT_OTHER', { range: () => range({ from: 1, to: 127, hasBodies: true }) }],
      [
        'another range under the name of this',
        'CORE_READING_SLOT_OTHER',
        {
          range: async () => {
            const { proof, ...rest } = (await range({ from: 4, to: 127, hasBodies: true })) ?? assert.fail('no range')
            return { ...rest, from: 0, proof }
          },
        },
      ],
      ['a range that goes beyond', 'CORE_READING_SLOT_OTHER', { range: () => bentRange((answer) => answer.to++) }],
      [
        'a certificate without bodies',
        'CORE_READING_MALFORMED',
        { range: () => range({ from: 0, to: 127, hasBodies: false }) },
      ],
    ]
    const ask = async (lies: Partial<HistoryGateway>) =>
      place.getAddress(address, { from: await place.listen(lies), fromPeriod: 0, toPeriod: 127, ...anchored })

    for (const [what, code, lies] of cases) {
      it(`tells ${what}: ${code}`, () => assert.rejects(ask(lies), refuses(code)))
    }

    it('says in words which operation is left out', async () => {
      await assert.rejects(ask({ operationsOf: () => listed((all) => all.slice(0, -1)) }), {
        message: `the list of ${address} in periods 0 to 127 leaves out ${operationId(2, 0)} at (2, 1)`,
      })
    })

    it('says nothing of periods that it has: not found there', async () => {
      const from = await place.listen({ range: async () => undefined })
      const asked = place.getAddress(address, { from, fromPeriod: 0, toPeriod: 127 })
      await assert.rejects(asked, { code: 'CLI_NOT_FOUND' })
    })
  })

  it('shows what the proof shows, whatever stands beside it', async () => {
    const answer = (await honestAnswer('operation')) ?? assert.fail('no answer')
    const said = { ...answer, operation: { operationId: 'O1made-up', execution: { outcome: 'made-up' } } }
    const { answer: shown } = await get('operation', Promise.resolve(said as HistoryAnswer))
    assert.equal(shown.operationId, operationId(3, 1))
    assert.equal(JSON.stringify(shown).includes('made-up'), false)
  })

  it('shows any content of an operation that its id does not bind: refused where nobody vouches', async () => {
    const made = makePeriod(3, { 1: [lostOperation()] })
    const id = made.blocks[0]?.operationIds[0] ?? assert.fail('no operation')
    const proof = await buildOperationProof(new MadeHistory([made]), { period: 3, thread: 1 }, id)
    const from = await place.listen({ operation: async () => ({ operation: {}, proof }) })
    const request = {
      path: `/v1/operations/${id}`,
      name: `operation ${id}`,
      question: () => ({ kind: 'operation', id }) as const,
    }
    await assert.rejects(place.get(request, { from }), refuses('CORE_READING_ROOT_UNTRUSTED'))
  })
})
