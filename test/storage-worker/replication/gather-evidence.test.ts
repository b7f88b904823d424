import assert from 'node:assert/strict'
import type { DrawnChunk } from '../../../storage-worker/replication/chunk-draw.ts'
import { type EvidencePorts, gatherEvidence } from '../../../storage-worker/replication/gather-evidence.ts'
import { ShownLeaves } from '../../../storage-worker/replication/shown-leaves.ts'
import type { AuditResult } from '../../../storage-worker/replication/suspicions.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { settle } from '../../turns.ts'

const FINAL = 50_000
const CHUNKS = Array.from({ length: 100 }, (_, period): DrawnChunk => {
  return { period, index: 0, chunkId: new Uint8Array(32), byteLength: 10, hashSlot: period }
})

describe('storage-worker/replication: holders are asked for evidence', () => {
  function open(answer: (address: string, chunk: DrawnChunk) => AuditResult, more: Partial<EvidencePorts> = {}) {
    const shown = new ShownLeaves()
    const withheld = new WithheldChunks()
    const clock = new SetClock()
    const asked: string[] = []
    const stopping = new AbortController()
    const gather = (chunks: readonly DrawnChunk[]) =>
      gatherEvidence(
        chunks,
        {
          shown,
          clock,
          listHolders: () => ['A', 'B', 'C'],
          peerOf: (address) => `peer of ${address}`,
          finalPeriod: () => FINAL,
          audit: async ({ address, peer }, chunk) => {
            assert.equal(peer, `peer of ${address}`)
            asked.push(`${address} ${chunk.period}`)
            return answer(address, chunk)
          },
          hasShownSeals: async () => true,
          withheld,
          ...more,
        },
        stopping.signal,
      )
    const isShown = (chunk: DrawnChunk) => ['A', 'B', 'C'].filter((name) => shown.isFresh(name, chunk, FINAL)).join('')
    return { shown, withheld, clock, asked, stopping, gather, isShown }
  }

  it('each is asked once for each chunk, 20 times a second in all', async () => {
    const { gather, asked, clock, isShown } = open(() => 'shown')
    const beganMs = clock.timeMs
    await gather(CHUNKS)
    assert.equal(asked.length, 300)
    assert.equal(new Set(asked).size, 300)
    for (const chunk of CHUNKS) assert.equal(isShown(chunk), 'ABC')
    // This clock passes the time of those who sleep side by side one after the other.
    assert.equal(clock.timeMs - beganMs, 300 * 200)
    await gather(CHUNKS)
    assert.equal(asked.length, 300)
  })

  it('a chunk is given to nobody while its holders are asked for it, and is again however that ends', async () => {
    const seen: boolean[] = []
    const made = open((_, chunk) => {
      const next = CHUNKS[chunk.period + 50]
      seen.push(made.withheld.has(chunk), next !== undefined && made.withheld.has(next))
      if (chunk.period === 9) throw new Error('injected')
      return chunk.period === 5 ? 'failed' : 'shown'
    })
    await assert.rejects(made.gather(CHUNKS.slice(0, 20)), { message: 'injected' })
    assert.ok(seen.length > 20)
    assert.deepEqual(new Set(seen.filter((_, i) => i % 2 === 0)), new Set([true]))
    assert.deepEqual(new Set(seen.filter((_, i) => i % 2 === 1)), new Set([false]))
    await settle()
    assert.equal(
      CHUNKS.some((chunk) => made.withheld.has(chunk)),
      false,
    )
  })

  it('where one does not show it the others are not asked', async () => {
    const { gather, asked, isShown } = open((address, { period }) =>
      address === 'B' && period === 7 ? 'failed' : 'shown',
    )
    await gather(CHUNKS.slice(0, 10))
    for (const chunk of CHUNKS.slice(0, 10)) assert.equal(isShown(chunk), chunk.period === 7 ? 'A' : 'ABC')
    assert.ok(!asked.includes('C 7'))
  })

  it('one that shows nothing is asked for three chunks, and for those under way meanwhile', async () => {
    for (const result of ['failed', 'unanswered'] as const) {
      const { gather, asked } = open((address) => (address === 'A' ? result : 'shown'))
      await gather(CHUNKS)
      assert.ok(asked.length >= 3 && asked.length <= 6, `${asked.length}`)
    }
  })

  it('chunk 0 is shown with SEALS alone: who lacks these is no miss, and those behind it are not asked', async () => {
    const asked: string[] = []
    const {
      gather,
      isShown,
      asked: audited,
    } = open(() => 'shown', {
      hasShownSeals: async (peer, { period }) => {
        asked.push(`${peer} ${period}`)
        return peer !== 'peer of B' || period % 10 === 9
      },
    })
    const others = CHUNKS.map((chunk) => ({ ...chunk, index: 1 }))
    await gather([...CHUNKS, ...others])
    for (const chunk of CHUNKS) assert.equal(isShown(chunk), chunk.period % 10 === 9 ? 'ABC' : 'A')
    for (const chunk of others) assert.equal(isShown(chunk), 'ABC')
    assert.equal(asked.length, 2 * 100 + 10)
    assert.equal(audited.length, asked.length + 300)
  })

  it('who is not connected is not asked, nor anybody behind', async () => {
    const { gather, asked } = open(() => 'shown', {
      peerOf: (address) => (address === 'B' ? undefined : `peer of ${address}`),
    })
    await gather(CHUNKS.slice(0, 5))
    assert.ok(asked.every((one) => one.startsWith('A ')))
    assert.equal(asked.length, 5)
  })

  it('without holders, or while the chain is not known, nobody is asked', async () => {
    for (const more of [{ listHolders: () => undefined }, { finalPeriod: () => undefined }]) {
      const { gather, asked } = open(() => 'shown', more)
      await gather(CHUNKS)
      assert.deepEqual(asked, [])
    }
  })

  it('ends soon when it is stopped', async () => {
    const opened = open((_, { period }) => {
      if (period === 10) opened.stopping.abort()
      return 'shown'
    })
    await opened.gather(CHUNKS)
    assert.ok(opened.asked.length < 60, `${opened.asked.length}`)
  })

  it('waits for no holder that is silent when it is stopped', async () => {
    const opened = open(() => 'shown', { audit: () => new Promise(() => undefined) })
    const gathering = opened.gather(CHUNKS)
    opened.stopping.abort()
    await gathering
    assert.equal(opened.isShown(CHUNKS[0] ?? assert.fail()), '')
  })

  it('limit: who showed 4,096 chunks is remembered, with one more the first is forgotten', () => {
    const shown = new ShownLeaves()
    const chunk = (period: number) => ({ period, index: 0 })
    for (let period = 0; period < 4_096; period++) shown.note('A', chunk(period), FINAL)
    assert.equal(shown.isFresh('A', chunk(0), FINAL), true)
    shown.note('B', chunk(0), FINAL)
    shown.note('A', chunk(4_096), FINAL)
    // Looked at again it is not the oldest.
    assert.equal(shown.isFresh('A', chunk(0), FINAL), true)
    assert.equal(shown.isFresh('A', chunk(1), FINAL), false)
    assert.equal(shown.isFresh('A', chunk(2), FINAL), true)
  })

  it('limit: what was shown 5,400 periods ago is fresh, a period later it is not', () => {
    const shown = new ShownLeaves()
    const [chunk = { period: 0, index: 0 }] = CHUNKS
    shown.note('A', chunk, FINAL)
    assert.equal(shown.isFresh('A', chunk, FINAL + 5_400), true)
    assert.equal(shown.isFresh('A', chunk, FINAL + 5_401), false)
    assert.equal(shown.isFresh('B', chunk, FINAL), false)
    assert.equal(shown.isFresh('A', { ...chunk, index: 1 }, FINAL), false)
  })
})
