import assert from 'node:assert/strict'
import type { RecordedSlot } from './recorded-source.ts'

/* What an archive, or who stands before it, answers in the place of what was asked for. */

export type Json = Record<string, unknown>

export interface LyingGateway {
  /** Of a period with operations and empty slots; `busy` has both a block and operations. */
  readonly slots: readonly RecordedSlot[]
  readonly busy: RecordedSlot & { readonly blockId: string }
  /** Changes the answer to this path. */
  lie(path: string, change: (answer: Json) => Json | Promise<Json>): Promise<void>
  /** What an honest archive answers, with proof. */
  answerTo(path: string): Promise<Json>
}

/** The code that each is refused with, and how it is told. @returns which page shows it, as it stands behind `#/` */
export const LIES: Readonly<Record<string, readonly [code: string, tell: (gateway: LyingGateway) => Promise<string>]>> =
  {
    'another block': [
      'CORE_READING_ID_OTHER',
      async ({ slots, busy, lie, answerTo }) => {
        const other = slots.find(({ blockId }) => blockId !== undefined && blockId !== busy.blockId)
        await lie(`v1/blocks/${busy.blockId}`, () => answerTo(`v1/blocks/${other?.blockId}`))
        return `block/${busy.blockId}`
      },
    ],
    'an older block': [
      'CORE_READING_SLOT_OTHER',
      async ({ busy, lie, answerTo }) => {
        const { thread } = busy.slot
        await lie(`v1/slots/8/${thread}`, () => answerTo(`v1/slots/7/${thread}`))
        return `slot/8/${thread}`
      },
    ],
    'a list of operations cut short': [
      'CORE_READING_SIGNATURE_INVALID',
      async ({ busy, lie }) => {
        await lie(`v1/blocks/${busy.blockId}`, (answer) => {
          ;(answer.proof as { seals: { operations: string[] } }).seals.operations.pop()
          return answer
        })
        return `block/${busy.blockId}`
      },
    ],
    'a wrong proof': [
      'CORE_READING_MALFORMED',
      async ({ busy, lie, answerTo }) => {
        await lie(`v1/blocks/${busy.blockId}`, async (answer) => {
          return { ...answer, proof: (await answerTo('v1/periods/8')).proof }
        })
        return `block/${busy.blockId}`
      },
    ],
    'no proof': [
      'CORE_READING_MALFORMED',
      async ({ busy, lie }) => {
        await lie(`v1/operations/${busy.operationIds[0]}`, ({ operation }) => ({ operation }))
        return `operation/${busy.operationIds[0]}`
      },
    ],
    'the right proof of another operation': [
      'CORE_READING_ID_OTHER',
      async ({ slots, busy, lie, answerTo }) => {
        const id = busy.operationIds[0]
        const other = slots.flatMap(({ operationIds }) => operationIds).at(-1)
        await lie(`v1/operations/${id}`, () => answerTo(`v1/operations/${other}`))
        return `operation/${id}`
      },
    ],
    'one flipped byte': [
      'CORE_READING_CHUNK_INVALID',
      async ({ busy, lie }) => {
        await lie(`v1/operations/${busy.operationIds[0]}`, (answer) => {
          const { chunks } = answer.proof as { chunks: { runs: { bytes: string }[] }[] }
          const run = chunks[0]?.runs[0] ?? assert.fail('no leaves')
          const bytes = Buffer.from(run.bytes, 'base64')
          bytes[9] = (bytes[9] ?? 0) ^ 1
          run.bytes = bytes.toString('base64')
          return answer
        })
        return `operation/${busy.operationIds[0]}`
      },
    ],
    'a miss where a block stands': [
      'CORE_READING_SLOT_TAKEN',
      async ({ busy, lie, answerTo }) => {
        const { thread } = busy.slot
        const { proof } = await answerTo('v1/periods/8')
        await lie(`v1/slots/8/${thread}`, ({ slot }) => ({ slot, kind: 'miss', proof }))
        return `slot/8/${thread}`
      },
    ],
  }
