import assert from 'node:assert/strict'
import {
  buildRangeProof,
  computeAddress,
  computeChunkId,
  formatAddress,
  type PeriodRange,
  toHex,
} from '../../core/index.ts'
import { CHUNK_SIZE_BYTES } from '../../core/units.ts'
import * as lies from '../core/reading/lies.ts'
import { PUBLIC_KEY } from '../core/reading/made-history.ts'
import { stubArchive } from './stub-archive.ts'

type Task = import('../../explorer/worker-messages.ts').Task
type Roots = import('../../explorer/worker-messages.ts').RootTexts

const { href } = new URL('../../explorer/work.ts', import.meta.url)
const { work } = (await import(href)) as typeof import('../../explorer/work.ts')

const { history, honest, question } = lies
const { id: operationId } = question as { id: string }
const ADDRESS = formatAddress(computeAddress(PUBLIC_KEY))
const NO_ROOTS: Roots = { periods: {}, eras: {} }
const ERA: Roots = { periods: {}, eras: { 0: toHex(history.eraRoot) } }

const solve = (task: Task, answers: Readonly<Record<string, object>>, roots = NO_ROOTS) =>
  work({ number: 1, task, roots }, stubArchive(answers))

describe('explorer/work', () => {
  it('holds a proof against the roots of eras that are trusted', async () => {
    const task: Task = { kind: 'record', question: { kind: 'operation', id: operationId } }
    const answers = { [`v1/operations/${operationId}?proof=true`]: { proof: honest } }
    const outcome = await solve(task, answers, ERA)
    assert(outcome.kind === 'proven')
    assert.deepEqual([outcome.proof.standing, outcome.proof.trust], ['root', 'era-root'])
    const other = await solve(task, answers, { periods: {}, eras: { 0: '5e'.repeat(32) } })
    assert(other.kind === 'refused')
    assert.equal(other.code, 'CORE_READING_ROOT_UNTRUSTED')
  })

  it('refuses a chunk of no bytes, one byte too long, or of another id', async () => {
    const most = new Uint8Array(CHUNK_SIZE_BYTES)
    const ask = async (bytes: Uint8Array, id = toHex(computeChunkId(bytes))) =>
      (await solve({ kind: 'chunk', id }, { [`chunk/${id}`]: bytes })).kind
    assert.equal(await ask(most), 'chunk')
    assert.equal(await ask(new Uint8Array(0), '00'.repeat(32)), 'refused')
    assert.equal(await ask(new Uint8Array(CHUNK_SIZE_BYTES + 1)), 'refused')
    assert.equal(await ask(Uint8Array.of(1), '00'.repeat(32)), 'refused')
  })

  describe('lists', () => {
    const listed = { operationId, inclusions: [{ slot: { period: 9, thread: 2 } }] }
    const list: Task = { kind: 'list', address: 'AU1', cursor: undefined, periods: undefined, limit: 3 }

    it('limit: takes as many operations as it asked for, and not one more', async () => {
      const path = 'v1/addresses/AU1/operations?limit=3'
      for (const [given, taken] of [
        [3, 3],
        [4, 3],
      ] as const) {
        const outcome = await solve(list, { [path]: { operations: Array(given).fill(listed), cursor: null } })
        assert(outcome.kind === 'listed')
        assert.equal(outcome.operations.length, taken)
      }
    })

    it('asks for the periods that the reader chose', async () => {
      const path = 'v1/addresses/AU1/operations?limit=3&from=5&to=9&cursor=a%2Fb'
      const task: Task = { ...list, cursor: 'a/b', periods: { from: 5, to: 9 } }
      const outcome = await solve(task, { [path]: { operations: [listed], cursor: 'c' } })
      const operations = [{ id: operationId, slots: [{ period: 9, thread: 2 }] }]
      assert.deepEqual(outcome, { kind: 'listed', operations, cursor: 'c' })
    })

    it('refuses what has no operations or slots', async () => {
      const path = 'v1/addresses/AU1/operations?limit=3'
      for (const operations of [undefined, [{}], [{ ...listed, inclusions: [{}] }], [{ ...listed, operationId: 1 }]]) {
        assert.equal((await solve(list, { [path]: { operations } })).kind, 'refused')
      }
    })
  })

  describe('ranges', () => {
    const listed = [1, 9, 10].map((period) => ({ id: operationId, slot: { period, thread: 2 } }))
    const task: Task = { kind: 'range', address: ADDRESS, from: 2, to: 9, listed }
    /** What an archive answers that was asked for periods 2 to 9. */
    const answer = async ({ from, to }: PeriodRange, roots = NO_ROOTS) => {
      const proof = await buildRangeProof(history, { from, to })
      return solve(task, { 'v1/completeness?from=2&to=9&bodies=true': { from, to, next: 100, proof } }, roots)
    }

    it('are read to where an answer ends, and compared with what is listed of them', async () => {
      const whole = await answer({ from: 2, to: 9 })
      assert(whole.kind === 'range')
      assert.equal(whole.range.operations, 6)
      assert.deepEqual([whole.range.missing.length, whole.range.surplus], [5, []])
      const part = await answer({ from: 2, to: 8 })
      assert(part.kind === 'range')
      assert.deepEqual([part.range.to, part.range.missing.length, part.range.surplus], [8, 1, []])
    })

    it('know the genesis where a trusted root binds it, and there alone', async () => {
      const genesis = async (roots: Roots) => {
        const outcome = await answer({ from: 2, to: 9 }, roots)
        assert(outcome.kind === 'range')
        return [outcome.range.untrusted, outcome.range.genesisTimestampMs]
      }
      assert.deepEqual(await genesis(NO_ROOTS), [8, undefined])
      assert.deepEqual(await genesis(ERA), [0, 1_705_312_800_000])
    })

    it('hostile: another beginning, or an end behind what was asked for', async () => {
      assert.equal((await answer({ from: 3, to: 9 })).kind, 'refused')
      assert.equal((await answer({ from: 2, to: 10 })).kind, 'refused')
    })
  })
})
