import assert from 'node:assert/strict'
import { type ArchivedPeriod, computeHashSlot } from '../../../core/index.ts'
import { sealsResponseCodec } from '../../../protocol-handler/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import type { DrawnChunk } from '../../../storage-worker/replication/chunk-draw.ts'
import { hasShownSeals } from '../../../storage-worker/replication/seals-evidence.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { StillClock } from '../../clocks.ts'
import { makePeriod } from '../synthetic-period.ts'
import { MadePeers, openMemoryStore } from './made-peers.ts'

const TRUE = makePeriod(5, { blocks: 3, operations: 4, isSigned: true })
const FORGED: ArchivedPeriod = { ...TRUE, seals: TRUE.seals.map((byte, i) => (i === 30 ? byte ^ 1 : byte)) }
const [{ chunkId, byteLength } = assert.fail()] = TRUE.manifest.chunks
const HEAD: DrawnChunk = { period: 5, index: 0, chunkId, byteLength, hashSlot: computeHashSlot(chunkId) }

describe('storage-worker/replication: SEALS as evidence', () => {
  /** @param given - what the peer holds; undefined: it cannot be reached */
  async function open(own: ArchivedPeriod, given: ArchivedPeriod | undefined) {
    const peers = new MadePeers()
    const store = await openMemoryStore([own])
    const other = await openMemoryStore(given && [given])
    if (given) peers.stores.set('peer', other)
    const wrong: string[] = []
    const client = new PeerClient(peers, peers.onOffence, { clock: new StillClock() })
    const ask = () =>
      hasShownSeals('peer', HEAD, { store, client, cpu: inlineCpu, onWrong: (peer) => wrong.push(peer) })
    return { peers, store, other, wrong, ask }
  }

  it('the same as ours count, whatever they are', async () => {
    for (const period of [TRUE, FORGED]) {
      const { ask, wrong } = await open(period, period)
      assert.equal(await ask(), true)
      assert.deepEqual(wrong, [])
    }
  })

  it('others count when every signature verifies', async () => {
    // As when a block producer signs twice: theirs are true, and not ours.
    const { ask, wrong } = await open(FORGED, TRUE)
    assert.equal(await ask(), true)
    assert.deepEqual(wrong, [])
  })

  it('lying peer: forged ones cost it, and do not count', async () => {
    const { ask, wrong } = await open(TRUE, FORGED)
    assert.equal(await ask(), false)
    assert.deepEqual(wrong, ['peer'])
  })

  it('others count for nothing while BODY is not whole here, and nobody is blamed', async () => {
    for (const given of [TRUE, FORGED]) {
      const { ask, wrong, store } = await open(given === TRUE ? FORGED : TRUE, given)
      await store.dropChunks(5, [1])
      assert.equal(await ask(), false)
      assert.deepEqual(wrong, [])
    }
  })

  it('who lacks them, is busy or cannot be reached has not shown them', async () => {
    const without = await open(TRUE, TRUE)
    await without.other.dropChunks(5, [0])
    assert.equal(await without.ask(), false)
    assert.equal(await (await open(TRUE, undefined)).ask(), false)
    const busy = await open(TRUE, TRUE)
    busy.peers.beforeAnswer = () => sealsResponseCodec.encode({ status: 'busy' })
    assert.equal(await busy.ask(), false)
  })

  it('hostile peer: SEALS that are longer than ours are not waited for part by part', async () => {
    const { ask, peers, wrong } = await open(TRUE, TRUE)
    const part = new Uint8Array(1_048_576)
    peers.beforeAnswer = () => sealsResponseCodec.encode({ status: 'ok', totalBytes: 2 * part.length, offset: 0, part })
    assert.equal(await ask(), false)
    assert.equal(peers.asked.length, 1)
    assert.deepEqual(wrong, [])
  })

  it('where we have none nothing has to be shown', async () => {
    const { ask, store, peers } = await open(TRUE, undefined)
    const { manifest, chunks, summary } = TRUE
    await store.deletePeriods(0, 5)
    await store.writePart({ manifest, operations: summary.operations, chunks: new Map(chunks.entries()) })
    assert.equal(await ask(), true)
    assert.deepEqual(peers.asked, [])
  })
})
