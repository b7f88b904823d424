import assert from 'node:assert/strict'
import { computeAuditDraw, computeDraw, computeDrawChallengeId, signText } from '../../../core/index.ts'
import { DrawSignatures, findDrawIndex } from '../../../storage-worker/challenge/draw-signatures.ts'
import type { GuardedLevel } from '../../../storage-worker/guarded-level.ts'
import { keyspaceRange } from '../../../storage-worker/keyspace.ts'
import { seedOf } from '../replication/made-nodes.ts'
import { openMemoryLevel } from '../temp-store.ts'

describe('storage-worker/challenge/draw-signatures', () => {
  let index: GuardedLevel

  beforeEach(async () => {
    index = await openMemoryLevel('index')
  })

  /** Challenge j of a draw. */
  function drawn(name: string, issuedPeriod: number, j = 0) {
    const { signature } = signText(seedOf('challenger'), name)
    const challengeId = computeDrawChallengeId(computeAuditDraw(computeDraw(signature.subarray(1)), j))
    return { challengeId, issuedPeriod, signature }
  }

  it('finds what it kept, also behind a restart', async () => {
    const [first, last] = [drawn('a', 7), drawn('a', 7, 7)]
    const signatures = new DrawSignatures(index)
    for (const each of [first, last, first]) await signatures.put(each)
    const again = new DrawSignatures(index)
    assert.deepEqual(await again.find(first.challengeId), first.signature)
    assert.deepEqual(await again.find(last.challengeId), last.signature)
    assert.equal(await again.find(drawn('b', 7).challengeId), undefined)
    assert.deepEqual(
      [findDrawIndex(last.challengeId, last.signature), findDrawIndex('ab', last.signature)],
      [7, undefined],
    )
  })

  it('keeps nothing that does not give the id: whoever sends it first cannot put another in its place', async () => {
    const [right, wrong] = [drawn('a', 7), drawn('b', 7)]
    const signatures = new DrawSignatures(index)
    await signatures.put({ ...right, signature: wrong.signature })
    assert.equal(await signatures.find(right.challengeId), undefined)
    await signatures.put(right)
    await signatures.put({ ...right, signature: wrong.signature })
    assert.deepEqual(await signatures.find(right.challengeId), right.signature)
  })

  it('limit: of more than there is room for those of the oldest periods go', async () => {
    const all = [30, 10, 40, 20].map((period) => drawn(`draw ${period}`, period))
    const signatures = new DrawSignatures(index, 3)
    for (const each of all.slice(0, 3)) await signatures.put(each)
    assert.equal((await Promise.all(all.map((each) => signatures.find(each.challengeId)))).filter(Boolean).length, 3)
    await signatures.put(all[3] ?? assert.fail())
    assert.deepEqual(await signatures.find(all[3]?.challengeId ?? ''), all[3]?.signature)
    // 256 go together, or all there are.
    assert.equal(await signatures.find(all[1]?.challengeId ?? ''), undefined)
  })

  it('one that is damaged counts as absent', async () => {
    const signatures = new DrawSignatures(index)
    const one = drawn('a', 7)
    await signatures.put(one)
    for await (const key of index.keys(keyspaceRange('drawSignatures'))) {
      await index.write([{ type: 'put', key, value: new Uint8Array(100) }], { sync: true })
    }
    assert.equal(await signatures.find(one.challengeId), undefined)
  })
})
