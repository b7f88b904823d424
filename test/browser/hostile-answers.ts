import assert from 'node:assert/strict'
import { buildBlockProof, buildOperationProof } from '../../core/index.ts'
import { call, lostOperation, MadeHistory, makePeriod } from '../core/reading/made-history.ts'

/* Answers with as long words as a liar can say, or a contract be called by, and links that lead to them. */

/** One word: nothing in it says where a line may end. */
export const WORD = 'W'.repeat(1000)
/** As long as an id may be at most. */
const NAME = WORD.slice(0, 100)
const MOST = Number.MAX_SAFE_INTEGER

const named = call(1, 3000)
const period = makePeriod(9, {
  2: [{ ...named, body: { ...named.body, functionName: WORD.slice(0, 255) } as typeof named.body }, lostOperation()],
})
const history = new MadeHistory([period])
const slot = { period: 9, thread: 2 }
const { id: blockId, operationIds } = period.blocks[0] ?? assert.fail('no block')
const [operationId = ''] = operationIds
const refusal = { status: 500, json: { code: WORD, detail: WORD } }
const count = { period: MOST, root: WORD, blocks: MOST, operations: MOST, bytes: MOST }

/** By paths of the API below `v1`. */
export const HOSTILE_ANSWERS: Readonly<Record<string, { readonly status?: number; readonly json: object }>> = {
  archive: { json: { first: 0, last: MOST, latest: [count], chainId: '9'.repeat(20), genesisTimestampMs: '0' } },
  [`blocks/${blockId}*`]: { json: { proof: await buildBlockProof(history, slot) } },
  [`operations/${operationId}*`]: {
    json: { operation: {}, proof: await buildOperationProof(history, slot, operationId) },
  },
  [`operations/${NAME}*`]: refusal,
  'endorsements/*': refusal,
  'addresses/AU1/*': {
    json: {
      operations: [
        { operationId: NAME, inclusions: [{ slot: { period: MOST, thread: MOST } }] },
        { operationId, inclusions: [{ slot }] },
      ],
      cursor: WORD,
    },
  },
  'addresses/AU2/*': { json: { operations: [{ operationId: WORD, inclusions: [] }] } },
}

/** As they stand behind `#/`. */
export const HOSTILE_PAGES: readonly string[] = [
  '',
  `search/${WORD}`,
  `block/${blockId}`,
  `block/${NAME}`,
  `block/${WORD}`,
  `operation/${operationId}`,
  `endorsement/${NAME}`,
  `chunk/${NAME}`,
  `period/${MOST}`,
  `slot/${MOST}/31`,
  'address/AU1',
  'address/AU2',
  `address/${WORD}`,
]
