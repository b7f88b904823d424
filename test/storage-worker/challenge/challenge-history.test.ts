import assert from 'node:assert/strict'
import { type ChallengeEntry, ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { keyspaceRange } from '../../../storage-worker/keyspace.ts'
import { openMemoryLevel } from '../temp-store.ts'

function entryAt(issuedAtMs: number, change: Partial<ChallengeEntry> = {}): ChallengeEntry {
  return {
    challengeId: `m-${issuedAtMs}`,
    kind: 'rehearsal',
    node: 'AU1',
    chunkId: 'ab'.repeat(32),
    nonce: '18446744073709551615',
    issuedAtMs,
    durationMs: 3,
    result: 'valid',
    reason: '',
    ...change,
  }
}

describe('storage-worker/challenge/challenge-history', () => {
  it('lists what was appended, the newest first, and finds it by the beginning of its id', async () => {
    const level = await openMemoryLevel('index')
    const history = new ChallengeHistory(level)
    const entries = [5, 70, 300].map((ms) => entryAt(ms))
    await Promise.all(entries.map((entry) => history.append(entry)))
    assert.deepEqual(await history.list(2), [entries[2], entries[1]])
    // Another run of the sidecar.
    const later = new ChallengeHistory(level)
    assert.deepEqual(await later.list(9), entries.toReversed())
    assert.deepEqual(await later.find('m-7'), entries[1])
    assert.equal(await later.find('m-8'), undefined)
    await later.append(entryAt(700))
    await assert.rejects(later.find('m-7'), { code: 'API_NAME_AMBIGUOUS' })
    assert.deepEqual(await later.find('m-70'), entries[1])
  })

  it('limit: past the most that it keeps the oldest go', async () => {
    const level = await openMemoryLevel('index')
    for (const history of [new ChallengeHistory(level, 3), new ChallengeHistory(level, 3)]) {
      for (let i = 0; i < 5; i++) await history.append(entryAt(10 + i))
      const kept = await history.list(9)
      assert.ok(kept.length <= 3)
      assert.equal(kept[0]?.issuedAtMs, 14)
    }
  })

  it('counts how often a node passed; of what nobody can be blamed for nothing counts', async () => {
    const history = new ChallengeHistory(await openMemoryLevel('index'))
    for (const [i, result] of (['valid', 'busy', 'noAnswer', 'notHeld', 'invalid', 'refused'] as const).entries()) {
      await history.append(entryAt(i, { result }))
      await history.append(entryAt(i, { challengeId: `a-${i}`, node: 'AU2', result: 'valid' }))
    }
    assert.deepEqual(await history.rateOf('AU1', 'rehearsal'), { passed: 1, total: 5 })
    assert.deepEqual(await history.rateOf('AU2', 'rehearsal'), { passed: 6, total: 6 })
    assert.deepEqual(await history.rateOf('AU3', 'rehearsal'), { passed: 0, total: 0 })
  })

  it('counts rehearsals apart: no chain knows of them', async () => {
    const history = new ChallengeHistory(await openMemoryLevel('index'))
    await history.append(entryAt(1, { kind: 'challenge', result: 'valid' }))
    await history.append(entryAt(2, { kind: 'rehearsal', result: 'notHeld' }))
    assert.deepEqual(await history.rateOf('AU1', 'challenge'), { passed: 1, total: 1 })
    assert.deepEqual(await history.rateOf('AU1', 'rehearsal'), { passed: 0, total: 1 })
  })

  it('goes through all that it has for the first rate alone', async () => {
    const level = await openMemoryLevel('index')
    const history = new ChallengeHistory(level)
    await history.append(entryAt(1, { result: 'valid' }))
    await history.rateOf('AU1', 'rehearsal')
    level.entries = () => assert.fail('gone through')
    await history.append(entryAt(2, { result: 'notHeld' }))
    assert.deepEqual(await history.rateOf('AU1', 'rehearsal'), { passed: 1, total: 2 })
    assert.deepEqual(await history.rateOf('AU2', 'rehearsal'), { passed: 0, total: 0 })
  })

  it('counts on as one that goes through all of it: what is new, replaced, deleted, or gone as the oldest', async () => {
    const level = await openMemoryLevel('index')
    const history = new ChallengeHistory(level, 6)
    await history.rateOf('AU1', 'rehearsal')
    // Park and Miller.
    let drawn = 7
    const pick = (count: number) => {
      drawn = (drawn * 16_807) % 2_147_483_647
      return drawn % count
    }
    for (let i = 0; i < 60; i++) {
      const result = (['valid', 'notHeld', 'open', 'busy'] as const)[pick(4)] ?? 'valid'
      const entry = entryAt(Math.floor(i / 3) + pick(3), { result, node: `AU${pick(2)}` })
      if (pick(4) === 0) await history.delete(entry)
      else await history.append(entry)
      for (const node of ['AU0', 'AU1']) {
        const counted = await new ChallengeHistory(level).rateOf(node, 'rehearsal')
        assert.deepEqual(await history.rateOf(node, 'rehearsal'), counted, `${i}`)
      }
    }
  })

  it('fault: one that is damaged is left out', async () => {
    const level = await openMemoryLevel('index')
    const history = new ChallengeHistory(level)
    await history.append(entryAt(1))
    await history.append(entryAt(2))
    const key = await level.firstKey(keyspaceRange('challengeHistory'))
    const value = key && (await level.get(key))
    assert.ok(value)
    const damaged = value.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
    await level.write([{ type: 'put', key, value: damaged }], { sync: true })
    assert.deepEqual(await history.list(9), [entryAt(2)])
    assert.deepEqual(await history.rateOf('AU1', 'rehearsal'), { passed: 1, total: 1 })
  })
})
