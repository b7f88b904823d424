import assert from 'node:assert/strict'
import {
  type ArchivedPeriod,
  ArchiveError,
  concatBytes,
  isArchiveError,
  type Manifest,
  toHex,
} from '../../../core/index.ts'
import { chunkResponseCodec, sealsResponseCodec } from '../../../protocol-handler/index.ts'
import { FETCH_MS, HolderFetcher } from '../../../storage-worker/history/holder-fetcher.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { ManualClock } from '../../clocks.ts'
import { settle, until } from '../../turns.ts'
import { MadePeers, openMemoryStore } from '../replication/made-peers.ts'
import { makePeriod } from '../synthetic-period.ts'

/** 7 chunks. */
const FIVE = makePeriod(5, { blocks: 5, operations: 4, isSigned: true })

/** Peers by name; `holders` are connected and said to hold what is asked for, `elsewhere` has to be dialled. */
async function open(named: { holders?: readonly string[]; elsewhere?: readonly string[]; others?: readonly string[] }) {
  const { holders = [], elsewhere = [], others = [] } = named
  const peers = new MadePeers()
  const source = await openMemoryStore([FIVE])
  const empty = await openMemoryStore()
  for (const name of [...holders, ...elsewhere]) peers.stores.set(name, source)
  for (const name of others) peers.stores.set(name, empty)
  const clock = new ManualClock(1_000_000)
  const read: string[] = []
  const wrong: string[] = []
  const deadlines: number[] = []
  let dials = 0
  const fetcher = new HolderFetcher({
    client: new PeerClient(
      {
        request: (peer, name, options) => {
          deadlines.push(options.deadlineMs)
          return peers.request(peer, name, options)
        },
      },
      peers.onOffence,
      { clock },
    ),
    cpu: inlineCpu,
    clock,
    sources: {
      listHolders: () => holders,
      withDialled: async (_, use) => {
        dials++
        return use(elsewhere)
      },
      listPeers: () => [...holders, ...others],
    },
    random: () => 0,
    onWrong: (peer) => wrong.push(peer),
    onRead: (from, bytes) => read.push(`${from} ${bytes}`),
    onFailure: () => undefined,
  })
  return { peers, source, empty, fetcher, clock, read, wrong, deadlines, countDials: () => dials }
}

const chunkOf = ({ chunks }: ArchivedPeriod, index: number): Uint8Array => chunks[index] ?? new Uint8Array()
const readBody = async () => concatBytes(...FIVE.chunks)
/** Peers in the order in which they were asked, and how each of them ended, as the error says. */
const isAway =
  (...ends: string[]) =>
  (error: unknown) => {
    if (!isArchiveError(error, 'STORE_CHUNK_AWAY')) return false
    assert.equal(error.context.asked, ends.join(', '))
    return true
  }

const idOf = (i: number): Uint8Array => new Uint8Array(32).fill(i + 1)
/** A period whose one chunk nobody has. */
const made = (i: number): Manifest => ({ ...FIVE.manifest, chunks: [{ byteLength: 9, chunkId: idOf(i) }] })

function flipByte(bytes: Uint8Array): Uint8Array {
  const changed = bytes.slice()
  changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1
  return changed
}

describe('storage-worker/history/holder-fetcher', () => {
  it('fetches a chunk once for many who ask at once, and keeps it', async () => {
    const { fetcher, peers, read, countDials } = await open({ holders: ['a', 'b'] })
    const wanted = chunkOf(FIVE, 2)
    const found = await Promise.all(Array.from({ length: 50 }, () => fetcher.fetchChunk(FIVE.manifest, 2)))
    for (const chunk of found) assert.deepEqual(chunk, wanted)
    // By its id alone it is the same chunk.
    const chunkId = FIVE.manifest.chunks[2]?.chunkId ?? new Uint8Array()
    assert.deepEqual(await fetcher.fetchById(chunkId), wanted)
    assert.deepEqual([peers.asked.length, countDials()], [1, 0])
    assert.deepEqual(read, [`holders ${wanted.length}`, `cache ${wanted.length}`])
  })

  it('withheld chunk, slow peer, wrong chunk: who fails or lies is passed over, and who lies pays for it', async () => {
    const { fetcher, peers, empty, deadlines } = await open({ holders: ['lacking', 'silent', 'lying', 'good'] })
    peers.stores.set('lacking', empty)
    peers.beforeAnswer = ({ peer }, answer) => {
      if (peer === 'silent') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'no answer in time')
      const parsed = chunkResponseCodec.decode(answer)
      if (peer !== 'lying' || parsed.status !== 'ok') return answer
      return chunkResponseCodec.encode({ ...parsed, data: flipByte(parsed.data) })
    }
    assert.deepEqual(await fetcher.fetchChunk(FIVE.manifest, 0), chunkOf(FIVE, 0))
    assert.deepEqual(peers.listAsked(), ['lacking', 'silent', 'lying', 'good'])
    assert.deepEqual(peers.offences, [{ peer: 'lying', offence: 'wrongChunk' }])
    // Nobody is waited for as long as all of it may take.
    assert(deadlines.every((deadlineMs) => deadlineMs * 3 < FETCH_MS))
    // Both rest: the next chunk is not asked of them.
    peers.asked.length = 0
    await fetcher.fetchChunk(FIVE.manifest, 1)
    assert.deepEqual(peers.listAsked(), ['lacking', 'good'])
  })

  it('connects to holders when those that are connected lack it, and asks the others last', async () => {
    const { fetcher, peers, empty, countDials } = await open({
      holders: ['a'],
      elsewhere: ['far'],
      others: ['stranger'],
    })
    peers.stores.set('a', empty)
    await fetcher.fetchChunk(FIVE.manifest, 3)
    assert.deepEqual([peers.listAsked(), countDials()], [['a', 'far'], 1])
    peers.stores.set('far', empty)
    peers.stores.set('stranger', await openMemoryStore([FIVE]))
    peers.asked.length = 0
    await fetcher.fetchChunk(FIVE.manifest, 4)
    assert.deepEqual(peers.listAsked(), ['a', 'far', 'stranger'])
  })

  it('error: says who was asked and what each said, and asks nobody again for a while', async () => {
    const { fetcher, peers, empty, clock, read } = await open({ holders: ['a', 'b'], others: ['c'] })
    peers.stores.set('a', empty)
    peers.beforeAnswer = ({ peer }, answer) => {
      if (peer === 'b') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      return answer
    }
    const refused = isAway('a lacks it', 'b did not answer', 'c lacks it')
    await assert.rejects(fetcher.fetchChunk(FIVE.manifest, 6), refused)
    await assert.rejects(fetcher.fetchChunk(FIVE.manifest, 6), refused)
    assert.deepEqual([peers.asked.length, read], [3, ['nobody 0']])
    // The one that failed may have had a bad moment.
    clock.advance(10_000)
    peers.beforeAnswer = (_, answer) => answer
    assert.deepEqual(await fetcher.fetchChunk(FIVE.manifest, 6), chunkOf(FIVE, 6))
  })

  it('error: says so when nobody is connected', async () => {
    const { fetcher } = await open({})
    await assert.rejects(fetcher.fetchById(new Uint8Array(32)), isAway())
  })

  it('error: ends when its time is over, whatever holders do', async () => {
    const { fetcher, peers, clock } = await open({ holders: ['a'] })
    peers.beforeAnswer = () => new Promise(() => undefined)
    const refused = assert.rejects(fetcher.fetchChunk(FIVE.manifest, 1), isAway('a was asked last'))
    await until(() => peers.asked.length === 1)
    clock.advance(FETCH_MS)
    await refused
  })

  it('error: ends when the sidecar stops', async () => {
    const { fetcher, peers } = await open({ holders: ['a'] })
    peers.beforeAnswer = () => new Promise(() => undefined)
    const refused = assert.rejects(fetcher.fetchChunk(FIVE.manifest, 1), isAway('a was asked last'))
    await until(() => peers.asked.length === 1)
    await fetcher.stop()
    await refused
  })

  for (const [what, most, fetch] of [
    ['16 chunks of known periods', 16, (fetcher: HolderFetcher, i: number) => fetcher.fetchChunk(made(i), 0)],
    ['2 that are known by their ids alone', 2, (fetcher: HolderFetcher, i: number) => fetcher.fetchById(idOf(i))],
  ] as const) {
    it(`limit: ${what} are on their way at a time, the next one comes when one of them ends`, async () => {
      const { fetcher, peers } = await open({ holders: ['a', 'b', 'c'] })
      const answers: (() => void)[] = []
      peers.beforeAnswer = (_, answer) => new Promise((resolve) => answers.push(() => resolve(answer)))
      // Each of them is lacked by whoever is asked.
      const ends = Array.from({ length: most + 1 }, (_, i) => fetch(fetcher, i).catch(() => 'away'))
      await until(() => answers.length === most)
      await settle()
      assert.equal(answers.length, most)
      const listAsked = () => new Set(peers.asked.map(({ chunkId }) => chunkId))
      while (listAsked().size === most) {
        answers.shift()?.()
        await settle()
      }
      assert(listAsked().has(toHex(idOf(most))))
      while (answers.length > 0) {
        answers.shift()?.()
        await settle()
      }
      assert.deepEqual(new Set(await Promise.all(ends)), new Set(['away']))
    })
  }

  describe('SEALS', () => {
    it('come verified, once for many who ask', async () => {
      const { fetcher, peers } = await open({ holders: ['a'] })
      const found = await Promise.all([1, 2, 3].map(() => fetcher.fetchSeals(FIVE.manifest, readBody)))
      for (const seals of found) assert.deepEqual(seals, FIVE.seals)
      assert.deepEqual(
        peers.asked.map(({ wanted }) => wanted),
        ['seals'],
      )
    })

    it('forged signature: costs the peer, and another one is asked; of none that are true there are none', async () => {
      const { fetcher, peers, wrong } = await open({ holders: ['evil', 'good'] })
      const forge = ({ peer }: { readonly peer: string }, answer: Uint8Array): Uint8Array => {
        const parsed = sealsResponseCodec.decode(answer)
        if (peer !== 'evil' || parsed.status !== 'ok') return answer
        return sealsResponseCodec.encode({ ...parsed, part: flipByte(parsed.part) })
      }
      peers.beforeAnswer = forge
      assert.deepEqual(await fetcher.fetchSeals(FIVE.manifest, readBody), FIVE.seals)
      assert.deepEqual(wrong, ['evil'])
      const alone = await open({ holders: ['evil'] })
      alone.peers.beforeAnswer = forge
      assert.equal(await alone.fetcher.fetchSeals(FIVE.manifest, readBody), undefined)
    })

    it('error: of a BODY that cannot be had they are not asked for', async () => {
      const { fetcher, peers } = await open({ holders: ['a'] })
      const missing = new ArchiveError('STORE_CHUNK_AWAY', 'injected')
      assert.equal(await fetcher.fetchSeals(FIVE.manifest, () => Promise.reject(missing)), undefined)
      assert.deepEqual(peers.asked, [])
    })
  })
})
