import assert from 'node:assert/strict'
import type { ArchivedPeriod } from '../../../core/index.ts'
import { refetchFromPeers } from '../../../storage-worker/bootstrap/refetch-from-peers.ts'
import type { LevelChunkStore } from '../../../storage-worker/index.ts'
import { encodeBodyKey, MANIFEST } from '../../../storage-worker/keyspace.ts'
import { mendPeriod } from '../../../storage-worker/mend-period.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { chainOf, NETWORK } from '../../archiver/made-chain.ts'
import { archivedOf, describeBriefly, makeJoiner, openStore, verifyOnce } from './made-archive.ts'

const IDENTITY = { network: NETWORK, chunkSizeBytes: 1_024 }
const LAST = 4
const DAMAGED = 3

describe('storage-worker/bootstrap/refetch-from-peers', () => {
  const chain = chainOf('refetched', LAST, { missRate: 0.9, operationsPerBlock: 1 })
  const periods: ArchivedPeriod[] = []
  let whole: LevelChunkStore

  before(async () => {
    for (let period = 0; period <= LAST; period++) periods.push(archivedOf(chain, period, undefined, IDENTITY))
    whole = await openStore(periods, IDENTITY)
  })

  async function mend(place: number | undefined, peers: ReadonlyMap<string, LevelChunkStore>) {
    const store = await openStore(periods, IDENTITY)
    if (place !== undefined) {
      const value = new Uint8Array(80)
      await store.bodies.write([{ type: 'put', key: encodeBodyKey(DAMAGED, place), value }], { sync: true })
    }
    const joiner = makeJoiner({ store, peers })
    const client = new PeerClient(joiner.peers, () => undefined, joiner)
    const cpu = {
      verifyBlock: inlineCpu.verifyBlock,
      verifyRecords: async (records: Parameters<typeof verifyOnce>[0][]) => records.map(verifyOnce),
    }
    const { signal } = new AbortController()
    const refetchPeriod = (period: number) =>
      refetchFromPeers(period, { store, client, asked: joiner.asked, cpu }, signal)
    // Files of LevelDB are looked at by their folder: of a large archive that takes minutes.
    Object.defineProperty(store.bodies, 'location', { get: () => assert.fail('files are looked at') })
    return { store, peers: joiner.peers, damages: await mendPeriod(store, DAMAGED, refetchPeriod, signal) }
  }

  for (const [what, place] of [
    ['manifest', MANIFEST],
    ['chunk', 0],
  ] as const) {
    it(`a damaged ${what} is written anew from what another sidecar has, under the root of the summary`, async () => {
      const { store, damages } = await mend(place, new Map([['a', whole]]))
      assert.deepEqual(
        damages.map(({ period, repaired }) => [period, repaired]),
        [[DAMAGED, true]],
      )
      assert.deepEqual(await describeBriefly(store), await describeBriefly(whole))
    })
  }

  it('a sound period is left as it is, and nobody is asked', async () => {
    const { peers, damages } = await mend(undefined, new Map([['a', whole]]))
    assert.deepEqual([damages, peers.asked], [[], []])
  })

  it('it stays as it is where nobody has it, or others have another period in its place', async () => {
    const other = archivedOf(chain, DAMAGED, () => ({ kind: 'miss' }), IDENTITY)
    const forged = await openStore([...periods.slice(0, DAMAGED), other], IDENTITY)
    for (const peers of [new Map(), new Map([['a', forged]])]) {
      const { damages } = await mend(0, peers)
      assert.deepEqual(
        damages.map(({ repaired }) => repaired),
        [false],
      )
    }
  })
})
