import assert from 'node:assert/strict'
import { ArchiveError, HASH_SLOTS, type Period } from '../../../core/index.ts'
import type { HavePage, SignedHavePage } from '../../../protocol-handler/index.ts'
import type { Fetched } from '../../../storage-worker/peers/peer-client.ts'
import { WITHDRAWN_MS } from '../../../storage-worker/replication/claimant.ts'
import { HolderClaims } from '../../../storage-worker/replication/holder-claims.ts'
import { StillClock } from '../../clocks.ts'
import { SIGNATURE } from '../../protocol-handler/sample-messages.ts'
import { settle } from '../../turns.ts'
import { NETWORK } from './made-archive.ts'

type Answer = Fetched<readonly SignedHavePage[]>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** A map of one page: hash slots 1 and 2 of eras [0, 5], head in era 5. */
function mapOf(changes: Partial<HavePage> = {}): Answer {
  const page = {
    network: NETWORK,
    headPeriod: 700,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: HASH_SLOTS,
    held: [
      { hashSlot: 1, endEra: 6 },
      { hashSlot: 2, endEra: 6 },
    ],
    exceptions: [],
    missingPeriods: [],
    signature: SIGNATURE,
  }
  return { status: 'ok', value: [{ ...page, ...changes }] }
}

/** Nodes by name: a, b, c; the PeerId of a is `peer a`. */
class Stage {
  readonly clock = new StillClock()
  readonly nodes = new Set(['own', 'a', 'b', 'c'])
  readonly connected = new Set<string>()
  readonly banned = new Set<string>()
  readonly firstPeriods = new Map<string, Period>()
  readonly forgetful = new Set<string>()
  readonly small = new Set<string>()
  readonly asked: string[] = []
  readonly failures: ArchiveError[] = []
  ownFirst: Period | undefined = 0
  answers = new Map<string, () => Answer | Promise<Answer>>()
  readonly claims = new HolderClaims(
    { network: NETWORK, ownAddress: 'own', livenessMs: HOUR_MS },
    {
      client: {
        fetchHaveMap: async (peer, address, network, signal) => {
          assert.deepEqual([peer, network], [`peer ${address}`, NETWORK])
          this.asked.push(address)
          const answer = await (this.answers.get(address) ?? mapOf)()
          signal?.throwIfAborted()
          return answer
        },
      },
      ports: {
        listPeers: () => [...this.connected].map((address) => ({ peer: `peer ${address}`, address })),
        listBanned: () => [...this.banned],
        isNode: (address) => this.nodes.has(address),
        firstPeriodOf: (address) => this.firstPeriods.get(address) ?? 0,
        keepsForEver: (address) => !this.forgetful.has(address),
        isTooSmall: (address) => this.small.has(address),
        readOwnFirst: async () => this.ownFirst,
      },
      clock: this.clock,
      onFailure: (error) => this.failures.push(error),
    },
  )

  async look(): Promise<void> {
    await this.claims.look()
    await this.claims.idle()
  }

  async at(advanceMs: number): Promise<string[]> {
    this.clock.advance(advanceMs)
    await this.look()
    return this.asked.splice(0)
  }

  announce(address: string, firstPeriod: Period, periodCount: number, incompleteSlots: readonly number[] = []): void {
    const rootsHash = new Uint8Array(32)
    this.claims.takeAnnouncement(address, { firstPeriod, periodCount, chunkCount: 1, rootsHash, incompleteSlots })
  }
}

async function open(...connected: readonly string[]): Promise<Stage> {
  const stage = new Stage()
  for (const address of connected) stage.connected.add(address)
  await stage.look()
  return stage
}

describe('storage-worker/replication/holder-claims', () => {
  it('a node is incomplete where its have-map or an announcement says so, and not while it has said nothing', async () => {
    const stage = await open('a', 'b', 'own')
    const { claims } = stage
    const incomplete = (): string[] =>
      ['a', 'b', 'c', 'own'].flatMap((name) =>
        [1, 2, 3].flatMap((slot) => (claims.isIncomplete(name, slot) ? [`${name}${slot}`] : [])),
      )
    // Hash slot 3 is in nobody's map.
    assert.deepEqual(incomplete(), ['a3', 'b3'])
    stage.answers.set('b', () => mapOf({ exceptions: [{ hashSlot: 1, era: 3 }] }))
    await stage.at(10 * MINUTE_MS)
    assert.deepEqual(incomplete(), ['a3', 'b1', 'b3'])
    stage.announce('a', 701, 32, [2])
    assert.deepEqual(incomplete(), ['a2', 'a3', 'b1', 'b3'])
    stage.answers.set('a', () => mapOf({ headPeriod: 740 }))
    await stage.at(10 * MINUTE_MS)
    assert.deepEqual(incomplete(), ['a3', 'b1', 'b3'])
  })

  it('a node that keeps for ever is incomplete while its archive begins eras after ours, whatever its map says', async () => {
    const stage = await open('a', 'b', 'c')
    const { claims } = stage
    const incomplete = () => ['a', 'b', 'c', 'd'].filter((name) => claims.isIncomplete(name, 1))
    stage.ownFirst = 130
    stage.firstPeriods.set('a', 256).set('b', 255).set('c', 600).set('d', 600)
    stage.forgetful.add('c')
    await stage.look()
    // b lacks a part of that era, which nobody may be able to prove; nothing is known of d.
    assert.deepEqual(incomplete(), ['a'])
    assert.equal(claims.isComplete('a', 1), false)
    stage.firstPeriods.set('a', 132)
    assert.deepEqual(incomplete(), [])
    assert.equal(claims.isComplete('a', 1), true)
    stage.firstPeriods.set('a', 256)
    stage.ownFirst = undefined
    await stage.look()
    assert.deepEqual(incomplete(), [])
  })

  it('a node is complete where its have-map is known and says so; its map is kept while it is here, connected or not', async () => {
    const stage = await open('a', 'b')
    stage.claims.heard('a')
    stage.claims.heard('c')
    const { timeMs } = stage.clock
    const complete = () =>
      ['a', 'b', 'c'].flatMap((name) =>
        [1, 3].filter((slot) => stage.claims.isComplete(name, slot)).map((s) => name + s),
      )
    assert.deepEqual(complete(), ['a1', 'b1'])
    stage.connected.clear()
    await stage.at(30 * MINUTE_MS)
    assert.deepEqual(complete(), ['a1'])
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => stage.claims.mapTakenAtMs(name)),
      [timeMs, undefined, undefined],
    )
  })

  it('tells who says that it holds a hash slot in an era, and where it is connected', async () => {
    const stage = await open('a', 'b', 'own')
    const missingPeriods = [{ fromPeriod: 300, endPeriod: 301 }]
    stage.answers.set('b', () => mapOf({ exceptions: [{ hashSlot: 1, era: 3 }], missingPeriods }))
    assert.deepEqual(stage.asked, ['a', 'b'])
    await stage.at(10 * MINUTE_MS)
    const { claims } = stage
    assert.deepEqual(claims.listClaimants(1, 2), ['a', 'b'])
    assert.deepEqual(claims.listClaimants(1, 3), ['a'])
    assert.deepEqual(claims.listClaimants(3, 2), [])
    assert.deepEqual(claims.listClaimants(1, 6), [])
    assert.deepEqual(claims.listClaimants(1, 2, { first: 300, last: 300 }), ['a'])
    assert.deepEqual(claims.listClaimants(1, 2, { first: 301, last: 301 }), ['a', 'b'])
    assert.deepEqual([claims.peerOf('a'), claims.peerOf('c'), claims.isLive('own')], ['peer a', undefined, false])
    assert.deepEqual([...claims.listLive()].sort(), ['a', 'b'])
    assert.deepEqual(claims.report(), { liveNodes: 2, haveMaps: 2, sizeBytes: 4 + 4 + 8 + 2 + 64 })
  })

  it('asks nobody whom the placement does not know, and forgets who has left it', async () => {
    const stage = await open('a', 'stranger')
    assert.deepEqual(stage.asked, ['a'])
    assert.equal(stage.claims.isLive('stranger'), true)
    stage.nodes.delete('a')
    await stage.look()
    assert.deepEqual(stage.claims.listClaimants(1, 2), [])
  })

  it('counts a node for as long as it is connected or was heard of, and no longer', async () => {
    const stage = await open('a', 'b')
    stage.connected.clear()
    stage.clock.advance(30 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), [])
    stage.claims.heard('a')
    stage.claims.heard('stranger')
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
    assert.deepEqual([...stage.claims.listLive()].sort(), ['a', 'stranger'])
    await stage.at(20 * MINUTE_MS)
    assert.deepEqual([stage.claims.isLive('a'), stage.claims.peerOf('a')], [true, undefined])
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
    stage.clock.advance(40 * MINUTE_MS)
    assert.equal(stage.claims.isLive('a'), true)
    stage.clock.advance(1)
    assert.deepEqual(
      [stage.claims.isLive('a'), stage.claims.listClaimants(1, 2), stage.claims.listLive()],
      [false, [], []],
    )
  })

  it('a map that was not given anew for an hour counts no more', async () => {
    const stage = await open('a')
    stage.answers.set('a', () => ({ status: 'busy' }))
    for (let minutes = 0; minutes < 60; minutes += 10) await stage.at(10 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
    await stage.at(MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), [])
  })

  it('asks again after ten minutes; at once who comes back; sooner who is busy, away or has nothing yet', async () => {
    const stage = await open('a')
    stage.asked.length = 0
    assert.deepEqual(await stage.at(10 * MINUTE_MS - 1), [])
    assert.deepEqual(await stage.at(1), ['a'])
    stage.connected.clear()
    await stage.at(MINUTE_MS)
    stage.connected.add('a')
    assert.deepEqual(await stage.at(MINUTE_MS), ['a'])
    for (const [answer, waitMs] of [
      [() => ({ status: 'busy' }) as const, 5_000],
      [() => ({ status: 'refused' }) as const, 5_000],
      [() => ({ status: 'notHeld' }) as const, MINUTE_MS],
      [() => Promise.reject(new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')), MINUTE_MS],
    ] as const) {
      stage.answers.set('a', answer)
      await stage.at(10 * MINUTE_MS)
      assert.deepEqual(await stage.at(waitMs - 1), [])
      assert.deepEqual(await stage.at(1), ['a'])
    }
    assert.ok(stage.failures.every(({ code }) => code === 'PROTOCOL_PEER_UNREACHABLE'))
  })

  it('who comes and goes all the time is asked twice a minute at most', async () => {
    const stage = await open('a')
    stage.asked.length = 0
    let count = 0
    for (let i = 0; i < 60; i++) {
      stage.connected.clear()
      count += (await stage.at(1_000)).length
      stage.connected.add('a')
      count += (await stage.at(1_000)).length
    }
    assert.equal(count, 4)
  })

  it('wiped node: one that comes back with nothing is not believed any more', async () => {
    const stage = await open('a', 'b')
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'b'])
    stage.answers.set('a', () => ({ status: 'notHeld' }))
    await stage.at(10 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['b'])
  })

  it('replayed map: of one whose head goes back nothing counts, until it is past where it was', async () => {
    const stage = await open('a')
    stage.answers.set('a', () => mapOf({ headPeriod: 699 }))
    await stage.at(10 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), [])
    assert.deepEqual(
      stage.failures.map(({ code }) => code),
      ['PROTOCOL_SEQUENCE_OLD'],
    )
    stage.answers.set('a', () => mapOf({ headPeriod: 700 }))
    await stage.at(MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
  })

  it('lying have-map: who answers wrongly is not believed any more', async () => {
    const stage = await open('a')
    stage.answers.set('a', () => Promise.reject(new ArchiveError('PROTOCOL_ANSWER_WRONG', 'injected')))
    await stage.at(10 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), [])
    stage.answers.delete('a')
    await stage.at(MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
  })

  it('dripping peer: after a minute it is let go, others have their turn, and it is asked in an hour', async () => {
    const stage = new Stage()
    for (const name of ['d', 'e', 'f', 'g', 'h']) stage.nodes.add(name)
    for (const name of ['d', 'e', 'f', 'g', 'h']) stage.connected.add(name)
    const answers: (() => void)[] = []
    for (const name of ['d', 'e', 'f', 'g']) {
      stage.answers.set(name, () => new Promise((resolve) => answers.push(() => resolve(mapOf()))))
    }
    await stage.claims.look()
    await settle()
    assert.deepEqual(stage.asked.splice(0), ['d', 'e', 'f', 'g'])
    await stage.claims.look()
    assert.deepEqual(stage.asked, [])
    stage.clock.advance(MINUTE_MS)
    await settle()
    for (const answer of answers.splice(0)) answer()
    await settle()
    assert.deepEqual(await stage.at(1), ['h'])
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['h'])
    assert.deepEqual(
      stage.failures.map(({ code }) => code),
      Array.from({ length: 4 }, () => 'PROTOCOL_PEER_LIMIT'),
    )
    stage.answers.clear()
    await stage.at(30 * MINUTE_MS)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['h'])
    await stage.at(30 * MINUTE_MS)
    await stage.look()
    assert.equal(stage.claims.listClaimants(1, 2).length, 5)
  })

  it('claims that failed an audit are not believed for six hours; of a node that fails 1,000 none is', async () => {
    const stage = await open('a', 'b')
    stage.claims.withdraw('a', 1, 2)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['b'])
    assert.deepEqual(stage.claims.listClaimants(1, 3), ['a', 'b'])
    assert.deepEqual(stage.claims.listClaimants(2, 2), ['a', 'b'])
    for (let ms = 0; ms < WITHDRAWN_MS; ms += 10 * MINUTE_MS) {
      assert.deepEqual(stage.claims.listClaimants(1, 2), ['b'])
      await stage.at(10 * MINUTE_MS)
    }
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'b'])
    for (let era = 0; era < 1_024; era++) stage.claims.withdraw('a', 9_000, era)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'b'])
    stage.claims.withdraw('a', 9_000, 1_024)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['b'])
    stage.claims.withdraw('stranger', 1, 2)
  })

  it('regression: what audits contradict is lacking as if the node had said so, and who shows nothing counts as away', async () => {
    const stage = await open('a', 'b', 'c')
    const { claims } = stage
    const incomplete = (): string[] =>
      ['a', 'b', 'c'].flatMap((name) =>
        [1, 2].flatMap((slot) => (claims.isIncomplete(name, slot) ? [`${name}${slot}`] : [])),
      )
    claims.withdraw('a', 1, 2)
    claims.distrust('b', true)
    assert.deepEqual(incomplete(), ['a1', 'b1', 'b2'])
    assert.deepEqual([claims.isComplete('a', 1), claims.isComplete('a', 2)], [false, true])
    assert.deepEqual(
      [claims.doubtOf('a', 1, 2), claims.doubtOf('a', 1, 1), claims.doubtOf('a', 2, 2), claims.doubtOf('b', 7, 0)],
      ['unshown', undefined, undefined, 'otherRoots'],
    )
    claims.distrust('b', true, 'placement')
    assert.equal(claims.doubtOf('b', 7, 0), 'otherRoots')
    claims.distrust('b', false)
    assert.equal(claims.doubtOf('b', 7, 0), 'otherPlacement')
    claims.distrust('b', false, 'placement')
    claims.distrust('b', false)
    stage.small.add('a')
    assert.deepEqual(
      [claims.doubtOf('a', 2, 2), claims.isLive('a'), claims.listClaimants(2, 2)],
      ['tooSmall', false, ['b', 'c']],
    )
    stage.small.clear()
    stage.claims.withdrawAll('c')
    stage.claims.withdrawAll('stranger')
    assert.deepEqual(claims.listLive().toSorted(), ['a', 'b'])
    assert.deepEqual([claims.doubtOf('c', 7, 0), claims.doubtOf('stranger', 7, 0)], ['unshown', undefined])
    assert.deepEqual(
      ['a', 'c'].map((name) => claims.isLive(name)),
      [true, false],
    )
    assert.deepEqual(claims.listClaimants(2, 2), ['a', 'b'])
    for (let ms = 0; ms < WITHDRAWN_MS; ms += 10 * MINUTE_MS) {
      assert.deepEqual([claims.isIncomplete('a', 1), claims.isLive('c')], [true, false])
      await stage.at(10 * MINUTE_MS)
    }
    await stage.look()
    assert.deepEqual(incomplete(), [])
    assert.deepEqual(claims.listClaimants(2, 2), ['a', 'b', 'c'])
  })

  it('of a node that is banned, or whose archive is another than ours, nothing counts', async () => {
    const stage = await open('a', 'b')
    stage.claims.distrust('a', true)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['b'])
    stage.claims.distrust('a', false)
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'b'])
    stage.claims.heard('b')
    stage.banned.add('b')
    stage.connected.delete('b')
    await stage.look()
    assert.deepEqual([stage.claims.listClaimants(1, 2), stage.claims.isLive('b')], [['a'], false])
  })

  it('a node that differs in two things counts again when neither differs any more', async () => {
    const stage = await open('a', 'b')
    const counting = (): readonly string[] => stage.claims.listClaimants(1, 2)
    stage.claims.distrust('a', true)
    stage.claims.distrust('a', true, 'placement')
    assert.deepEqual([counting(), stage.claims.isIncomplete('a', 1)], [['b'], true])
    stage.claims.distrust('a', false)
    assert.deepEqual(counting(), ['b'])
    stage.claims.distrust('a', false, 'placement')
    assert.deepEqual([counting(), stage.claims.isIncomplete('a', 1)], [['a', 'b'], false])
  })

  it('the first era of a node counts where it has all that we have of it', async () => {
    const stage = new Stage()
    stage.ownFirst = 300
    for (const [address, first] of [
      ['a', 300],
      ['b', 301],
      ['c', 250],
    ] as const) {
      stage.connected.add(address)
      stage.firstPeriods.set(address, first)
      stage.answers.set(address, () => mapOf({ firstEra: Math.floor(first / 128) }))
    }
    await stage.look()
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'c'])
    assert.deepEqual(stage.claims.listClaimants(1, 3), ['a', 'b', 'c'])
    assert.deepEqual(stage.claims.listClaimants(1, 1), ['c'])
    stage.ownFirst = undefined
    await stage.look()
    assert.deepEqual(stage.claims.listClaimants(1, 2), ['a', 'b', 'c'])
  })

  describe('announcements', () => {
    it('tell on where the map ends, as long as none is missing between', async () => {
      const stage = await open('a')
      stage.asked.length = 0
      stage.announce('a', 695, 64)
      stage.announce('a', 759, 32)
      assert.deepEqual(stage.claims.listClaimants(1, 6), ['a'])
      assert.deepEqual(stage.claims.listClaimants(3, 6), [])
      assert.deepEqual(await stage.at(MINUTE_MS), [])
      stage.announce('a', 900, 10)
      assert.deepEqual(stage.claims.listClaimants(1, 7), [])
      assert.deepEqual(await stage.at(0), ['a'])
    })

    it('of who told an empty map before ask for it again', async () => {
      const stage = await open()
      stage.answers.set('a', () => mapOf({ held: [] }))
      stage.connected.add('a')
      await stage.look()
      stage.answers.delete('a')
      assert.deepEqual(stage.claims.listClaimants(1, 2), [])
      stage.announce('a', 701, 1)
      await stage.at(30_000)
      assert.deepEqual(stage.claims.listClaimants(1, 2), ['a'])
    })

    it('has what it says now taken for who wants to know it at once, and nothing of who is not connected', async () => {
      const stage = await open('a')
      stage.asked.length = 0
      stage.answers.set('a', () => mapOf({ headPeriod: 770, held: [{ hashSlot: 2, endEra: 7 }] }))
      await stage.claims.askNow('b')
      await stage.claims.askNow('a')
      assert.deepEqual(stage.asked, ['a'])
      assert.deepEqual([stage.claims.listClaimants(1, 5), stage.claims.listClaimants(2, 6)], [[], ['a']])
    })

    it('say what lacks, and its map is asked for again, twice a minute at most', async () => {
      const stage = await open('a')
      stage.asked.length = 0
      stage.answers.set('a', () => mapOf({ headPeriod: 770, held: [{ hashSlot: 2, endEra: 7 }] }))
      stage.announce('a', 701, 70, [1])
      assert.deepEqual(
        [4, 5, 6].map((era) => stage.claims.listClaimants(1, era).length),
        [1, 0, 0],
      )
      assert.deepEqual(stage.claims.listClaimants(2, 6), ['a'])
      assert.deepEqual(await stage.at(29_999), [])
      assert.deepEqual(await stage.at(1), ['a'])
      assert.deepEqual(stage.claims.listClaimants(1, 4), [])
      stage.announce('a', 771, 2, [5])
      assert.deepEqual(await stage.at(29_999), [])
      assert.deepEqual(await stage.at(1), ['a'])
    })

    it('what they said is forgotten with the map that is as new', async () => {
      const stage = await open('a')
      stage.announce('a', 701, 1, [1])
      assert.deepEqual(stage.claims.listClaimants(1, 5), [])
      stage.answers.set('a', () => mapOf({ headPeriod: 700 }))
      await stage.at(30_000)
      assert.deepEqual(stage.claims.listClaimants(1, 5), [])
      stage.announce('a', 702, 1, [2])
      stage.answers.set('a', () => mapOf({ headPeriod: 702 }))
      await stage.at(30_000)
      assert.deepEqual([stage.claims.listClaimants(1, 5), stage.claims.listClaimants(2, 5)], [['a'], ['a']])
    })

    it('count as having been heard of; those of strangers change nothing', async () => {
      const stage = await open()
      stage.announce('a', 701, 1)
      stage.announce('stranger', 701, 1)
      assert.deepEqual([stage.claims.isLive('a'), stage.claims.listClaimants(1, 5)], [true, []])
    })
  })

  it('looks on until it is stopped; a bug ends it', async () => {
    const stage = new Stage()
    stage.connected.add('a')
    const done = stage.claims.start()
    await settle()
    assert.deepEqual(stage.asked, ['a'])
    await stage.claims.stop()
    await done
    const broken = new Stage()
    broken.connected.add('a')
    broken.answers.set('a', () => Promise.reject(new TypeError('a bug')))
    const failed = assert.rejects(broken.claims.start(), { message: 'a bug' })
    await settle()
    broken.clock.advance(2_000)
    await failed
    await broken.claims.stop()
  })
})
