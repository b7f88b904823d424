import assert from 'node:assert/strict'
import { keyspaceRange } from '../../../storage-worker/keyspace.ts'
import { type RewardEntry, RewardHistory } from '../../../storage-worker/rewards/reward-history.ts'
import { openMemoryLevel } from '../temp-store.ts'

function entryAt(atMs: number): RewardEntry {
  const operationId = `O${atMs}`
  return {
    kind: 'claim',
    atMs,
    period: null,
    amountNanoMas: '18446744073709551615',
    feeNanoMas: '10000000',
    operationId,
  }
}

describe('storage-worker/rewards/reward-history', () => {
  it('lists what was appended, the newest first, also after a restart', async () => {
    const level = await openMemoryLevel('index')
    const history = new RewardHistory(level)
    const entries: RewardEntry[] = [entryAt(5), { ...entryAt(70), kind: 'distribution', period: 100 }, entryAt(300)]
    await Promise.all(entries.map((entry) => history.append(entry)))
    assert.deepEqual(await history.list(2), [entries[2], entries[1]])
    assert.deepEqual(await new RewardHistory(level).list(9), entries.toReversed())
  })

  it('crash: of one operation there is one, however often its end is learnt', async () => {
    const level = await openMemoryLevel('index')
    await new RewardHistory(level).append(entryAt(5))
    const later = new RewardHistory(level)
    await later.append({ ...entryAt(5), atMs: 70 })
    await later.append(entryAt(7))
    assert.deepEqual(await later.list(9), [entryAt(7), entryAt(5)])
  })

  it('limit: past the most that it keeps the oldest go', async () => {
    const history = new RewardHistory(await openMemoryLevel('index'), 3)
    for (let i = 0; i < 3; i++) await history.append(entryAt(i))
    assert.equal((await history.list(9)).length, 3)
    await Promise.all([3, 4].map((ms) => history.append(entryAt(ms))))
    const kept = await history.list(9)
    assert.ok(kept.length <= 3)
    assert.deepEqual(kept[0], entryAt(4))
  })

  it('fault: one that is damaged is left out', async () => {
    const level = await openMemoryLevel('index')
    const history = new RewardHistory(level)
    await history.append(entryAt(1))
    await history.append(entryAt(2))
    const key = await level.firstKey(keyspaceRange('rewardHistory'))
    const value = key && (await level.get(key))
    assert.ok(value)
    const damaged = value.map((byte, i) => (i === 40 ? byte ^ 1 : byte))
    await level.write([{ type: 'put', key, value: damaged }], { sync: true })
    assert.deepEqual(await history.list(9), [entryAt(2)])
  })
})
