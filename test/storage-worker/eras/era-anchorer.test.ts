import assert from 'node:assert/strict'
import { ArchiveError, ERA_PERIODS, type EraStatement } from '../../../core/index.ts'
import { computeAnchorTurn } from '../../../storage-worker/eras/anchor-turn.ts'
import { EraAnchorer, PARTIAL_AFTER_PERIODS, PARTIAL_AGAIN_PERIODS } from '../../../storage-worker/eras/era-anchorer.ts'
import type { GatheredEra } from '../../../storage-worker/eras/era-gatherer.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { type AnchoredWorld, deployAnchored, type Era, FIRST_NODE, makeEra } from '../../sc/anchored-world.ts'
import { CHAIN_ID, call, MAS, userOf } from '../../sc/registry-world.ts'
import { listVotes, PLACEMENT_ROOT, vote } from '../../sc/vote-steps.ts'
import { EngineRegistry } from './engine-registry.ts'
import { signatureOf } from './said-eras.ts'

/** Of 10 MAS each: five of them are the quorum of 66 %. */
const NODES = 7
/** Eras 1 to 3 are over, and all of them can be anchored. */
const IN_FORCE = 4
const MAX_ERA = 3

describe('storage-worker/eras/era-anchorer on the shipped contract', () => {
  let world: AnchoredWorld
  let addresses: readonly string[]
  let eras: ReadonlyMap<number, Era>

  before(() => {
    eras = new Map([1, 2, MAX_ERA].map((era) => [era, makeEra(era, undefined, 1)]))
  })

  beforeEach(() => {
    world = deployAnchored(NODES)
    addresses = world.nodes.map(({ address }) => address)
  })

  const eraOf = (era: number): Era => {
    const made = eras.get(era)
    if (!made) throw new Error(`no era ${era}`)
    return made
  }

  function gather(era: number, signers: readonly number[]): GatheredEra {
    const { root: eraRoot, totalBytes, totalChunks } = eraOf(era)
    const rest = { chainId: CHAIN_ID, contract: world.contract, nextPlacementRoot: PLACEMENT_ROOT }
    const statement: EraStatement = { ...rest, era, eraRoot, totalBytes, totalChunks }
    const signatures = new Map(
      signers.map((i) => [userOf(FIRST_NODE + i).address, signatureOf(FIRST_NODE + i, statement)]),
    )
    return { era, statement, signatures, differing: new Map() }
  }

  /** The first in the order of `era`, at its turn, unless told otherwise. */
  function open(gathered: GatheredEra, change: { rank?: number; maxSignatures?: number; late?: number } = {}) {
    const { rank = 0, maxSignatures = 100, late = 0 } = change
    const turnOf = (address: string) =>
      computeAnchorTurn({ era: gathered.era, eraInForce: IN_FORCE, address }, addresses)
    const ordered = [...addresses].sort((a, b) => Number(turnOf(a)) - Number(turnOf(b)))
    const address = ordered[rank] ?? ''
    const registry = new EngineRegistry(world)
    const place = { period: Number(turnOf(ordered[0] ?? '')) + late, listed: [gathered] }
    const logged: string[] = []
    const anchorer = new EraAnchorer(
      { address, maxSignatures },
      {
        gatherer: { listOpen: () => place.listed },
        sender: registry,
        placement: {
          inForce: { era: IN_FORCE, snapshot: { nodes: addresses.map((each) => ({ address: each })) } },
          isCurrent: true,
        },
        finalPeriod: () => place.period,
        clock: new SetClock(),
        log: createLogger({
          level: 'info',
          format: 'json',
          destination: { write: (text) => logged.push(JSON.parse(text).msg) },
        }),
      },
    )
    return { anchorer, registry, place, logged }
  }

  it('a quorum in one call, of as few signatures as make it; then it looks no more', async () => {
    const { anchorer, registry, logged } = open(gather(1, [6, 5, 4, 3, 2, 1, 0]))
    await anchorer.look()
    await anchorer.look()
    assert.deepEqual(registry.sent, [{ call: 'anchorEra', key: 'era/1' }])
    const { root, totalBytes, totalChunks, placementRoot } = await registry.client.read('getEra', { era: 1n })
    const { root: eraRoot, ...era } = eraOf(1)
    assert.deepEqual([root, totalBytes, totalChunks], [eraRoot, era.totalBytes, era.totalChunks])
    assert.deepEqual([placementRoot, logged, listVotes(world)], [PLACEMENT_ROOT, ['era anchored'], []])
  })

  it('over several calls where one does not take them all', async () => {
    const { anchorer, registry, logged } = open(gather(1, [0, 1, 2, 3, 4, 5]), { maxSignatures: 2 })
    await anchorer.look()
    assert.equal(registry.sent.length, 3)
    assert.deepEqual(logged, ['signatures of an era counted', 'signatures of an era counted', 'era anchored'])
    assert.deepEqual(listVotes(world), [])
  })

  it('a restart between two calls: what is counted is not sent again, by whoever goes on', async () => {
    const first = open(gather(1, [0, 1, 2, 3, 4]), { maxSignatures: 2 })
    first.registry.afterSend = () => {
      throw new ArchiveError('CHAIN_OUTCOME_UNKNOWN', 'ended behind it')
    }
    await first.anchorer.look()
    assert.deepEqual([first.registry.sent.length, listVotes(world).length], [1, 1])
    assert.equal(first.anchorer.failing?.code, 'CHAIN_OUTCOME_UNKNOWN')
    const second = open(gather(1, [0, 1, 2, 3, 4]), { maxSignatures: 3 })
    await second.anchorer.look()
    assert.deepEqual(second.logged, ['era anchored'])
  })

  it('without a quorum: after 8 periods what is here is counted, once, and others add theirs', async () => {
    const { anchorer, registry, place, logged } = open(gather(1, [0, 1, 2]))
    await anchorer.look()
    place.period += PARTIAL_AFTER_PERIODS - 1
    await anchorer.look()
    assert.equal(registry.sent.length, 0)
    place.period++
    for (let i = 0; i < 2; i++) await anchorer.look()
    assert.deepEqual(logged, ['signatures of an era counted'])
    // One more is not enough, and not sent by itself before it is time.
    place.listed = [gather(1, [0, 1, 2, 3])]
    await anchorer.look()
    assert.equal(registry.sent.length, 1)
    place.period += PARTIAL_AGAIN_PERIODS
    await anchorer.look()
    assert.equal(registry.sent.length, 2)
    // What makes the quorum is sent at once.
    const other = open(gather(1, [4, 5]), { rank: 1, late: 2 })
    await other.anchorer.look()
    assert.deepEqual(other.logged, ['era anchored'])
  })

  it('what counts is the stake as the era in force began; a vote on another statement stands beside it', async () => {
    const [rich] = world.nodes
    assert(rich)
    call(world, rich, 'topUpStake', undefined, 1_000n * MAS)
    vote(world, makeEra(1, undefined, 2), world.nodes.slice(0, 2))
    const few = open(gather(1, [0, 1, 2, 3]))
    await few.anchorer.look()
    assert.equal(few.registry.sent.length, 0)
    const enough = open(gather(1, [0, 1, 2, 3, 4]))
    await enough.anchorer.look()
    assert.deepEqual([enough.logged, listVotes(world).length], [['era anchored'], 1])
  })

  it('each waits for its turn; who comes later sees that it is done, and sends nothing', async () => {
    const all = [0, 1, 2, 3, 4, 5, 6]
    const second = open(gather(1, all), { rank: 1, late: 1 })
    await second.anchorer.look()
    assert.equal(second.registry.sent.length, 0)
    await open(gather(1, all)).anchorer.look()
    second.place.period++
    await second.anchorer.look()
    assert.deepEqual([second.registry.sent, second.anchorer.failing], [[], undefined])
    const stranger = open(gather(2, all), { rank: NODES, late: 100 })
    await stranger.anchorer.look()
    assert.equal(stranger.registry.sent.length, 0)
  })

  it('nothing is sent from 8 periods before the next era on, until the placement of that one is in force', async () => {
    const { anchorer, registry, place, logged } = open(gather(1, [0, 1, 2, 3, 4]))
    for (const period of [5 * ERA_PERIODS - 8, 5 * ERA_PERIODS + 7]) {
      place.period = period
      await anchorer.look()
    }
    assert.equal(registry.sent.length, 0)
    place.period = 5 * ERA_PERIODS - 9
    await anchorer.look()
    assert.deepEqual(logged, ['era anchored'])
  })

  it('another one was first, between the look and the call: that is no failure, and costs nothing', async () => {
    const { anchorer, registry, logged } = open(gather(1, [0, 1, 2, 3, 4]))
    registry.beforeSend = () => {
      vote(world, eraOf(1), world.nodes.slice(0, 5))
      registry.beforeSend = () => assert.fail('it is anchored')
    }
    for (let i = 0; i < 2; i++) await anchorer.look()
    assert.deepEqual([registry.sent, logged, anchorer.failing], [[], [], undefined])
  })

  it('what anchored it was in a block that is dropped: it is anchored from here then', async () => {
    for (const isBetween of [false, true]) {
      const { anchorer, registry, logged } = open(gather(1, [0, 1, 2, 3, 4]))
      const before = world.engine.snapshot()
      const anchorByOther = () => vote(world, eraOf(1), world.nodes.slice(0, 5))
      if (isBetween) registry.beforeSend = anchorByOther
      else anchorByOther()
      await anchorer.look()
      registry.beforeSend = () => undefined
      assert.deepEqual(registry.sent, [])
      world.engine.restore(before)
      await anchorer.look()
      assert.deepEqual(logged, ['era anchored'])
      world.engine.restore(before)
    }
  })

  it('others counted the same signatures meanwhile: no failure, and the next look goes on from there', async () => {
    const { anchorer, registry, logged } = open(gather(1, [0, 1, 2, 3, 4]), { maxSignatures: 3 })
    registry.beforeSend = () => {
      registry.beforeSend = () => undefined
      vote(world, eraOf(1), world.nodes.slice(0, 3))
    }
    await anchorer.look()
    assert.deepEqual([registry.sent, anchorer.failing], [[], undefined])
    await anchorer.look()
    assert.deepEqual(logged, ['era anchored'])
  })

  it('several eras in one look; an era before the first one of the registry is left alone', async () => {
    const signers = [0, 1, 2, 3, 4]
    const { anchorer, registry, place, logged } = open(gather(2, signers), { late: 2 * NODES })
    const early = { ...gather(2, signers), era: 0, statement: { ...gather(2, signers).statement, era: 0 } }
    const zero = new Map(signers.map((i) => [addresses[i] ?? '', signatureOf(FIRST_NODE + i, early.statement)]))
    place.listed = [{ ...early, signatures: zero }, gather(2, signers), gather(3, signers)]
    for (let i = 0; i < 2; i++) await anchorer.look()
    assert.deepEqual([logged, registry.sent.length, anchorer.failing], [['era anchored', 'era anchored'], 2, undefined])
  })

  it('error: what keeps it from the chain is told once, and tried again', async () => {
    const { anchorer, registry, logged } = open(gather(1, [0, 1, 2, 3, 4]))
    registry.beforeSend = () => {
      throw new ArchiveError('CHAIN_NODE_UNREACHABLE', 'made')
    }
    for (let i = 0; i < 3; i++) await anchorer.look()
    assert.deepEqual([logged, anchorer.failing?.code], [['eras are not anchored from here'], 'CHAIN_NODE_UNREACHABLE'])
    registry.beforeSend = () => undefined
    await anchorer.look()
    assert.deepEqual([logged.at(-1), anchorer.failing], ['era anchored', undefined])
  })
})
