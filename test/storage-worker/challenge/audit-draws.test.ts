import assert from 'node:assert/strict'
import {
  type ArchivedPeriod,
  computeAuditDraw,
  computeDraw,
  computeDrawChallengeId,
  computeDrawNonce,
  computeDrawText,
  ERA_PERIODS,
  type Period,
  type PlacementSnapshot,
  signText,
} from '../../../core/index.ts'
import { DrawAudits } from '../../../storage-worker/challenge/audit-draws.ts'
import type { ChallengeTarget } from '../../../storage-worker/challenge/chain-challenger.ts'
import { DrawSignatures } from '../../../storage-worker/challenge/draw-signatures.ts'
import { type AuditDraw, readBlockIds, signDraw } from '../../../storage-worker/challenge/draw-source.ts'
import {
  type KnownSource,
  type KnownSourceModules,
  openKnownSource,
} from '../../../storage-worker/challenge/known-source.ts'
import { PastPlacements } from '../../../storage-worker/placement/past-placements.ts'
import { PlacementArchive } from '../../../storage-worker/placement/placement-archive.ts'
import { registered } from '../replication/audited-nodes.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { signAgain } from './drawn-twice.ts'
import { type MadeIssue, makeIssuedPeriod } from './issued-period.ts'

const ASKER = seedOf('challenger')
const OTHER = seedOf('another challenger')
const NODES = ['one', 'two', 'three'].map((name) => addressOf(seedOf(name)))
const REGISTRY = 'AS12t3dMRYFR9x44Ut2DwKCGTAP3WcpX2p7ZoEeCzkUom6PUwC9Yc'
const { network } = TEST_IDENTITY
const FREQUENCY = 4
/** Of era 2, whose newest placement that may be used is that of era 1. */
const PERIOD = 268
const ISSUED = PERIOD + 1
const LAST = PERIOD + 3

/** Era 0 whole, and as much as draws are signed of; in memory, since every draw reads all of an era. */
const PERIODS = new Map<Period, ArchivedPeriod>()
const STORE = {
  readManifest: async (period: Period) => PERIODS.get(period)?.manifest,
  readChunk: async (period: Period, index: number) => PERIODS.get(period)?.chunks[index],
  readRange: async () => ({ first: 0, last: PERIOD - 1 }),
  async *listSummaries({ from, to }: { readonly from: Period; readonly to: Period }) {
    for (const [period, { summary }] of PERIODS) if (period >= from && period <= to) yield summary
  },
}

function fillStore(): void {
  for (let period = 0; period < PERIOD; period++) {
    if (period < ERA_PERIODS || period >= 220) PERIODS.set(period, makePeriod(period, { blocks: 1, operations: 0 }))
  }
}

for (const isAnchored of [false, true]) {
  describe(`storage-worker/challenge/audit-draws, ${isAnchored ? 'with anchors' : 'without anchors'}`, () => {
    let known: KnownSource
    let honest: AuditDraw

    before(async () => {
      if (PERIODS.size === 0) fillStore()
      known = await openSource()
      honest = await draw(ASKER, PERIOD)
    })

    /** Each hash slot has two holders in eras 1 and 2. @param laterLagEras - of era 3, where it is over */
    async function openSource(change: Partial<KnownSourceModules> = {}, laterLagEras?: number) {
      const readings = new PlacementArchive(await openMemoryLevel('index'))
      for (const era of laterLagEras ? [1, 2, 3] : [1, 2]) {
        const snapshot: PlacementSnapshot = {
          ...{ network, era, replicas: 2, eraBytes: 0n, requireAnchors: isAnchored },
          nodes: NODES.map((node) => registered(node)),
        }
        const lagEras = era === 3 ? (laterLagEras ?? 1) : 1
        await readings.put(REGISTRY, { snapshot, replicationFactor: 2, lagEras, period: era * ERA_PERIODS + 8 })
      }
      const ofEra = [...PERIODS.values()].slice(0, ERA_PERIODS).map(({ summary }) => summary)
      const totalBytes = ofEra.reduce((sum, { bodyBytes }) => sum + BigInt(bodyBytes), 0n)
      const roots = { root: new Uint8Array(32), placementRoot: new Uint8Array(32) }
      const anchor = { era: 0, ...roots, totalBytes, totalChunks: 128n, anchoredPeriod: 140n }
      const anchors = { findAll: async () => [anchor] }
      const placements = new PastPlacements(REGISTRY, readings)
      const modules = { store: STORE, readings, placements, anchors, readFirstEra: async () => 0, ...change }
      return await openKnownSource({ registry: REGISTRY, period: PERIOD }, modules)
    }

    async function textOf(period: Period) {
      const blockIds = (await readBlockIds(STORE, period - 8)) ?? assert.fail()
      return { blockIds, text: computeDrawText(period, blockIds) }
    }

    async function draw(keySeed: Uint8Array, period: Period): Promise<AuditDraw> {
      const { blockIds } = await textOf(period)
      const { source } = known
      if (typeof source === 'string') assert.fail(source)
      return (await signDraw({ period, keySeed, count: 8, blockIds }, source)) ?? assert.fail()
    }

    interface Told {
      readonly from?: Period
      readonly lacking?: readonly Period[]
      /** Signatures that came with challenges: those of all of them, unless given. */
      readonly seen?: readonly ChallengeTarget[]
      readonly source?: KnownSource
    }

    /** What an audit says when these calls, and no others, are in the archive. */
    async function audit(issues: readonly MadeIssue[], told: Told = {}) {
      const made = new Map<Period, ArchivedPeriod>()
      for (let period = PERIOD; period <= LAST; period++) {
        if (told.lacking?.includes(period)) continue
        made.set(period, makeIssuedPeriod(period, REGISTRY, period === ISSUED ? issues : []))
      }
      const signatures = new DrawSignatures(await openMemoryLevel('index'))
      for (const { challengeId, drawSignature } of told.seen ?? issues.flatMap(({ targets }) => targets)) {
        const signature = drawSignature
        if (signature) await signatures.put({ challengeId, issuedPeriod: ISSUED, signature })
      }
      const audits = new DrawAudits(
        { network, registry: REGISTRY, frequencyPeriods: FREQUENCY },
        {
          store: {
            readManifest: async (period) => made.get(period)?.manifest ?? (await STORE.readManifest(period)),
            readChunk: async (period, index) =>
              made.get(period)?.chunks[index] ?? (await STORE.readChunk(period, index)),
            readExecutionResults: async (period) => made.get(period)?.executionResults,
            readRange: async () => ({ first: 0, last: LAST }),
          },
          openSearch: () => ({ find: ({ challengeId }) => signatures.find(challengeId) }),
          openSource: async () => told.source ?? known,
          readAuditChallenges: async () => 8,
        },
      )
      return await audits.audit(told.from ?? PERIOD)
    }

    /** What is said of the first of some challenges, in short. */
    async function judge(issues: readonly MadeIssue[], told: Told = {}) {
      const { challenges } = await audit(issues, told)
      const [first] = challenges
      return first && [first.verdict, ...first.differences.map(({ field }) => field), ...first.lacks]
    }

    const by = (change: Partial<MadeIssue> = {}): MadeIssue => ({
      ...{ seed: ASKER, node: honest.node, targets: honest.targets },
      ...change,
    })

    /** The first challenge of a draw. */
    function byDraw({ node, targets }: AuditDraw, seed = ASKER): MadeIssue {
      return { seed, node, targets: targets.slice(0, 1) }
    }

    it('finds what honest challengers issued as drawn, and nothing left out', async () => {
      const issues = [by(), { ...(await draw(OTHER, PERIOD)), seed: OTHER }]
      const { challenges, notIssued, lacks, isDue } = await audit(issues)
      assert.deepEqual([challenges.length, isDue], [issues.flatMap(({ targets }) => targets).length, true])
      assert.ok(challenges.length >= 8)
      assert.deepEqual(new Set(challenges.map(({ verdict }) => verdict)), new Set(['asDrawn']))
      assert.deepEqual([notIssued, lacks], [[], []])
      assert.deepEqual(new Set(challenges.map(({ issuer }) => issuer)), new Set([ASKER, OTHER].map(addressOf)))
    })

    it('a favourite victim, a nonce of choice: names the field, what was drawn and what was issued', async () => {
      const victim = NODES.find((node) => node !== honest.node) ?? assert.fail()
      const chosen = await audit([by({ node: victim })])
      assert.deepEqual(chosen.challenges[0]?.differences, [{ field: 'node', expected: honest.node, found: victim }])
      const [target] = honest.targets
      assert.ok(target)
      const ground = await audit([by({ targets: [{ ...target, nonce: target.nonce + 1n }] })])
      const nonce = { field: 'nonce', expected: `${target.nonce}`, found: `${target.nonce + 1n}` }
      assert.deepEqual(ground.challenges[0]?.differences, [nonce])
      assert.equal(ground.challenges[0]?.verdict, 'differs')
    })

    it('another chunk: differs where anchors tell what was to be drawn, else it cannot be checked', async () => {
      const [target] = honest.targets
      const other = (await STORE.readManifest(220))?.chunks[0]?.chunkId
      assert.ok(target && other)
      const [verdict, what] = (await judge([by({ targets: [{ ...target, chunkId: other }] })])) ?? []
      if (isAnchored) assert.deepEqual([verdict, what], ['differs', 'chunk'])
      else assert.deepEqual([verdict, what?.startsWith('the chunk: ')], ['unchecked', true])
    })

    it('a signature of a period in which no draw was due, of a draw held back, of another key', async () => {
      assert.deepEqual(await judge([byDraw(await draw(ASKER, PERIOD - 1))]), ['differs', 'period'])
      assert.deepEqual(await judge([byDraw(await draw(ASKER, PERIOD - 36))]), ['differs', 'signature'])
      assert.deepEqual(await judge([byDraw(honest, OTHER)]), ['differs', 'signature'])
    })

    it('limit: a draw may be issued 33 periods later, and is told of in the audit of its own period', async () => {
      const late = [byDraw(await draw(ASKER, ISSUED - 33))]
      assert.equal(await judge(late), undefined)
      assert.deepEqual(await judge(late, { from: ISSUED - 33 }), ['asDrawn'])
    })

    it('a second signature of the same text, which draws something else', async () => {
      const { text } = await textOf(PERIOD)
      const drawSignature = signAgain(ASKER, text)
      assert.notDeepEqual(drawSignature, signText(ASKER, text).signature)
      const own = computeAuditDraw(computeDraw(drawSignature.subarray(1)), 0)
      const [target] = honest.targets
      assert.ok(target)
      const again = { challengeId: computeDrawChallengeId(own), nonce: computeDrawNonce(own), drawSignature }
      const { challenges } = await audit([by(), by({ targets: [{ ...target, ...again }] })])
      assert.deepEqual(challenges.at(-1)?.differences[0]?.field, 'signature')
      assert.equal(challenges[0]?.verdict, 'asDrawn')
    })

    it('says of what it cannot check what lacks, and of what is no draw that it is none', async () => {
      assert.match(`${await judge([by()], { seen: [] })}`, /^unchecked,no signature of a draw that gives this id/)
      assert.match(`${await judge([by({ through: REGISTRY })])}`, /^unchecked,the public key of the issuer is not/)
      const source = { isAnchored, source: 'nobody read it' }
      assert.deepEqual(await judge([by()], { source }), ['unchecked', 'nobody read it'])
      const [target] = honest.targets
      assert.ok(target)
      for (const id of ['m-1', 'a-1']) {
        assert.deepEqual(await judge([by({ targets: [{ ...target, challengeId: id }] })]), ['undrawn'])
      }
      // A made-up id, with the signature of a draw that does not give it.
      const made = by({ targets: [{ ...target, challengeId: 'ab'.repeat(32) }] })
      assert.match(`${await judge([made])}`, /^unchecked,no signature/)
    })

    it('knows who could be drawn by what was read in that era, and says why not', async () => {
      assert.equal(known.isAnchored, isAnchored)
      const nothing = new PlacementArchive(await openMemoryLevel('index'))
      assert.match(`${(await openSource({ readings: nothing })).source}`, /^the placement of era 2 was not read here/)
      assert.match(`${(await openSource({}, 2)).source}`, /^the settings that a draw depends on changed in era 2$/)
      assert.equal(typeof (await openSource({}, 1)).source, 'object')
      if (!isAnchored) return
      const untold = await openSource({ anchors: { findAll: async () => undefined } })
      assert.match(`${untold.source}`, /^nobody tells at the moment which eras are anchored$/)
      const unanchored = await openSource({ anchors: { findAll: async () => [] } })
      assert.deepEqual(await judge([byDraw(honest)], { source: unanchored }), ['differs', 'node'])
    })

    it('tells which periods may have had more, and which challenges of an audit did not come', async () => {
      const { lacks, challenges } = await audit([by()], { lacking: [PERIOD + 2] })
      assert.deepEqual([lacks, challenges.length], [[`period ${PERIOD + 2} is not archived`], honest.targets.length])
      const { notIssued } = await audit([by({ targets: honest.targets.slice(0, 1) })])
      assert.deepEqual(
        notIssued.map(({ challengeId, node }) => [challengeId, node]),
        honest.targets.slice(1).map(({ challengeId }) => [challengeId, honest.node]),
      )
    })

    it('knows nothing of calls that failed, nor of periods in which no draw was due', async () => {
      assert.deepEqual((await audit([by({ isFailed: true })])).challenges, [])
      const { isDue, challenges } = await audit([by()], { from: PERIOD + 1 })
      assert.deepEqual([isDue, challenges], [false, []])
    })
  })
}
