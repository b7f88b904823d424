import assert from 'node:assert/strict'
import {
  ArchiveError,
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type EraAnchor,
  type EraStatement,
  equalBytes,
  type Manifest,
  type Period,
} from '../../../core/index.ts'
import { COMPARE_AGAIN_MS, EraDifferences } from '../../../storage-worker/eras/era-differences.ts'
import type { SignedEra } from '../../../storage-worker/peers/own-eras.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { makeEra, NETWORK } from '../../sc/anchored-world.ts'

const ERA = 1
const FIRST = ERA * ERA_PERIODS
const { manifests: TRUE } = makeEra(ERA, undefined, 1)

type Change = (manifest: Manifest) => Manifest

/** The era with other manifests at some of its periods. */
function change(periods: readonly Period[], how: Change): readonly Manifest[] {
  return TRUE.map((manifest) => (periods.includes(manifest.period) ? how(manifest) : manifest))
}
const withoutThreads =
  (...threads: number[]): Change =>
  (manifest) => ({
    ...manifest,
    bitmap: threads.reduce((bits, thread) => bits & ~(1 << thread), manifest.bitmap) >>> 0,
  })
const otherBytes: Change = (manifest) => ({
  ...manifest,
  chunks: manifest.chunks.map((chunk) => ({ ...chunk, chunkId: new Uint8Array(32).fill(0xcc) })),
})
const shorter: Change = (manifest) => ({
  ...manifest,
  chunks: manifest.chunks.map((chunk) => ({ ...chunk, byteLength: chunk.byteLength - 1 })),
})

function totalsOf(manifests: readonly Manifest[]) {
  const totalBytes = manifests.reduce((sum, manifest) => sum + BigInt(computeBodyBytes(manifest)), 0n)
  const totals = { era: ERA, totalBytes, totalChunks: BigInt(manifests.length) }
  return { ...totals, root: computeEraRoot({ ...totals, network: NETWORK }, manifests.map(computePeriodRoot)) }
}

function statementOf(manifests: readonly Manifest[]): EraStatement {
  const { root: eraRoot, ...totals } = totalsOf(manifests)
  return { chainId: 77n, contract: 'AS1', nextPlacementRoot: new Uint8Array(32), eraRoot, ...totals }
}

/** This node, and a, b, c ... who each have an archive; the PeerId of a is `peer a`. */
class World {
  readonly clock = new SetClock()
  own: readonly Manifest[] = TRUE
  readonly archives = new Map<string, readonly Manifest[]>()
  /** What they signed, where it is another archive than they show. */
  readonly signedBy = new Map<string, readonly Manifest[]>()
  anchored: readonly Manifest[] | undefined
  unreadable: Period | undefined
  /** Own copies that are damaged; mending brings the true one. */
  readonly damaged = new Set<Period>()
  /** Somebody has the true one. */
  isThere = true
  signs = 0
  readonly mended: Period[] = []
  readonly asked: string[] = []
  readonly logged: unknown[] = []
  private signed: SignedEra | undefined
  readonly differences = new EraDifferences({
    own: {
      sign: async (era) => {
        if (era !== ERA) return undefined
        this.signs++
        if (this.unreadable !== undefined) throw new ArchiveError('STORE_VALUE_CORRUPT', 'made')
        const signature = { publicKey: new Uint8Array(33), signature: new Uint8Array(65) }
        this.signed ??= { statement: statementOf(this.own), signature }
        return this.signed
      },
      forget: () => {
        this.signed = undefined
      },
    },
    gatherer: {
      listOpen: () => {
        const differing = [...this.archives].map(
          ([name, archive]) => [name, statementOf(this.signedBy.get(name) ?? archive)] as const,
        )
        const statement = this.signed?.statement ?? statementOf(this.own)
        const others = differing.filter(([, said]) => !equalBytes(said.eraRoot, statement.eraRoot))
        return [{ era: ERA, statement, signatures: new Map(), differing: new Map(others) }]
      },
    },
    anchors: {
      find: async (): Promise<EraAnchor | undefined> =>
        this.anchored && { ...totalsOf(this.anchored), placementRoot: new Uint8Array(32), anchoredPeriod: 300n },
    },
    placement: { inForce: { era: ERA + 1 }, isCurrent: true },
    store: {
      identity: { network: NETWORK, chunkSizeBytes: 1_048_576 },
      readManifest: async (period) => {
        if (period === this.unreadable) throw new ArchiveError('STORE_VALUE_CORRUPT', 'made')
        return this.own[period - FIRST]
      },
    },
    client: {
      fetchRoots: async (peer) => {
        this.asked.push(peer)
        const archive = this.archives.get(peer.slice(5))
        return archive ? { status: 'ok', value: archive.map(computePeriodRoot) } : { status: 'notHeld' }
      },
      fetchManifest: async (peer, period) => {
        const value = this.archives.get(peer.slice(5))?.[period - FIRST]
        return value ? { status: 'ok', value } : { status: 'notHeld' }
      },
      fetchManifests: async (peer) => ({ status: 'ok', value: this.archives.get(peer.slice(5)) ?? [] }),
    },
    ports: {
      listPeers: () => [...this.archives.keys()].map((address) => ({ peer: `peer ${address}`, address })),
      mend: async (period) => {
        this.mended.push(period)
        if (!this.damaged.has(period)) return []
        if (!this.isThere) return [{ code: 'STORE_VALUE_CORRUPT', repaired: false }]
        this.damaged.delete(period)
        this.unreadable = undefined
        this.own = TRUE
        return [{ code: 'STORE_VALUE_CORRUPT', repaired: true }]
      },
    },
    clock: this.clock,
    log: createLogger({
      level: 'info',
      format: 'json',
      destination: {
        write: (text) => {
          const { level, era, address, period, code, repaired } = JSON.parse(text)
          this.logged.push([level, era, address ?? repaired, period, code])
        },
      },
    }),
  })

  async look(): Promise<unknown> {
    await this.differences.look()
    return this.differences.list()
  }
}

describe('storage-worker/eras/era-differences', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  const reasons: [string, Change, string][] = [
    ['blocks that it lacks', withoutThreads(3, 31), 'blocks only here in threads 3, 31'],
    ['other bytes in the same slots', otherBytes, 'other bytes in the same slots'],
    ['another length', shorter, 'the last chunk is of another length'],
  ]
  for (const [name, how, reason] of reasons) {
    it(`a node with ${name}: which periods, and why, told once`, async () => {
      world.archives.set('same', TRUE)
      world.archives.set('other', change([FIRST + 5, FIRST + 90], how))
      const found = [{ era: ERA, by: 'other', period: FIRST + 5, periods: 2, reason }]
      for (let i = 0; i < 3; i++) {
        assert.deepEqual(await world.look(), found)
        world.clock.timeMs += COMPARE_AGAIN_MS
      }
      assert.deepEqual(world.asked, ['peer other'])
      // Our own copies were read again before anything was said.
      assert.deepEqual(world.mended, [FIRST + 5, FIRST + 90])
      assert.deepEqual(world.logged, [['warn', ERA, 'other', FIRST + 5, 'PROTOCOL_ROOTS_DIFFER']])
    })
  }

  it('blocks that this archive lacks are named, too; it is over when the node signs the same', async () => {
    world.own = change([FIRST + 7], withoutThreads(0))
    world.archives.set('other', TRUE)
    assert.deepEqual(await world.look(), [
      { era: ERA, by: 'other', period: FIRST + 7, periods: 1, reason: 'blocks only there in threads 0' },
    ])
    world.archives.set('other', world.own)
    assert.deepEqual(await world.look(), [])
    assert.deepEqual(world.logged.at(-1), ['info', ERA, 'other', undefined, undefined])
  })

  it('own copy damaged: it is fetched again, and then there is no difference', async () => {
    world.own = change([FIRST + 7], otherBytes)
    world.archives.set('other', TRUE)
    world.damaged.add(FIRST + 7)
    await world.look()
    assert.deepEqual(await world.look(), [])
    assert.deepEqual(world.logged.slice(0, 1), [['warn', ERA, 1, FIRST + 7, 'STORE_VALUE_CORRUPT']])
    assert.deepEqual(world.mended, [FIRST + 7])
  })

  it('an era that cannot be computed: the period that cannot be read is mended; where it cannot be, again after five minutes', async () => {
    world.unreadable = FIRST + 9
    world.damaged.add(FIRST + 9)
    world.isThere = false
    for (let i = 0; i < 3; i++) await world.look()
    // Each try reads the era, and counts as a damage that was found.
    assert.deepEqual([world.mended, world.signs], [[FIRST + 9], 1])
    assert.deepEqual(world.logged, [['warn', ERA, 0, FIRST + 9, 'STORE_VALUE_CORRUPT']])
    world.clock.timeMs += COMPARE_AGAIN_MS
    world.isThere = true
    await world.look()
    assert.deepEqual(world.mended, [FIRST + 9, FIRST + 9])
    assert.deepEqual([await world.look(), world.unreadable, world.signs], [[], undefined, 3])
  })

  it('another root is anchored: an error, and the period is found with whoever has that root', async () => {
    world.own = change([FIRST + 7], otherBytes)
    world.anchored = TRUE
    world.archives.set('liar', change([FIRST + 8], otherBytes))
    for (const name of ['b', 'c', 'd']) world.archives.set(name, world.own)
    const unknown = [{ era: ERA, by: 'registry' }]
    for (let i = 0; i < 2; i++) assert.deepEqual(await world.look(), unknown)
    assert.deepEqual(world.logged, [['error', ERA, 'registry', undefined, 'PROTOCOL_ROOTS_DIFFER']])
    // Of more than four others are asked the next time.
    world.archives.set('true', TRUE)
    world.clock.timeMs += COMPARE_AGAIN_MS
    const reason = 'other bytes in the same slots'
    assert.deepEqual(await world.look(), [{ era: ERA, by: 'registry', period: FIRST + 7, periods: 1, reason }])
    assert.deepEqual(world.logged.slice(1), [['error', ERA, 'registry', FIRST + 7, 'PROTOCOL_ROOTS_DIFFER']])
  })

  it('our root is anchored: whoever says something else is no concern of ours', async () => {
    world.anchored = TRUE
    world.archives.set('other', change([FIRST], otherBytes))
    assert.deepEqual([await world.look(), world.asked], [[], []])
  })

  it('lying peer: roots that do not make what it signed name no period; it is asked again after five minutes', async () => {
    world.archives.set('other', TRUE)
    world.signedBy.set('other', change([FIRST], otherBytes))
    for (let i = 0; i < 2; i++) assert.deepEqual(await world.look(), [{ era: ERA, by: 'other' }])
    world.clock.timeMs += COMPARE_AGAIN_MS
    await world.look()
    assert.equal(world.asked.length, 2)
    assert.equal(world.logged.length, 1)
  })

  it('limit: of an archive that has nothing in common eight copies are read again', async () => {
    world.archives.set('other', TRUE.map(otherBytes))
    await world.look()
    assert.equal(world.mended.length, 8)
    assert.equal(world.differences.list()[0]?.periods, ERA_PERIODS)
  })
})
