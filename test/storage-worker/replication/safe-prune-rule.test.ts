import assert from 'node:assert/strict'
import { ERA_PERIODS } from '../../../core/index.ts'
import { drawWholes, registered, showWrongLeaf, unreachable } from './audited-nodes.ts'
import {
  assertNothingGoes,
  at,
  CHUNKS,
  FINAL,
  FULL_BYTES,
  free,
  inEra,
  isOurs,
  keyOf,
  type Made,
  MIN_AGE,
  OTHERS,
  openPoorer,
  PERIODS,
  SEED,
  setUp,
} from './pruned-world.ts'

describe('storage-worker/replication: what safe prune never lets go', () => {
  it('a lying have-map alone never permits a drop: nodes that say they hold all and show nothing', async () => {
    const made = await setUp()
    // Connected, holders by placement, each with a have-map of everything: and not one leaf.
    for (const name of OTHERS) made.nodes.habits.set(name, () => ({ status: 'notHeld' }))
    await assertNothingGoes(made, 'unshown')
    for (const habit of [showWrongLeaf, () => ({ status: 'busy' }) as const]) {
      const next = await setUp()
      for (const name of OTHERS) next.nodes.habits.set(name, habit)
      await assertNothingGoes(next, 'unshown')
    }
  })

  for (const liar of OTHERS) {
    it(`one of three holders, ${liar}, that shows the wrong leaf keeps every chunk here`, async () => {
      const made = await setUp()
      made.nodes.habits.set(liar, showWrongLeaf)
      await assertNothingGoes(made, 'unshown')
    })
  }

  it('a holder that lost one chunk keeps that one here, and no other', async () => {
    const made = await setUp()
    const lost = CHUNKS.find(({ hashSlot }) => !isOurs(hashSlot))
    assert.ok(lost)
    made.nodes.stores.set('B', await openPoorer((chunk) => keyOf(chunk) === keyOf(lost)))
    await made.prune.look()
    assert.deepEqual(
      made.world.dropped,
      free(({ hashSlot }) => !isOurs(hashSlot)).filter((key) => key !== keyOf(lost)),
    )
    assert.equal(made.prune.report().kept.unshown, 1)
  })

  it('a holder that does not answer, or is not connected, keeps every chunk here', async () => {
    const made = await setUp()
    made.nodes.habits.set('C', () => {
      throw unreachable('C')
    })
    await assertNothingGoes(made, 'unshown')
    const away = await setUp()
    away.world.connected.delete('A')
    await assertNothingGoes(away, 'unshown')
    assert.equal(away.nodes.asked.length, 0)
  })

  it('two holders of one operator, or of one network, do not count twice', async () => {
    for (const [i, node] of [
      registered('B', { operator: 'one firm' }),
      registered('B', { p2pAddrs: ['/ip4/10.7.1.1/tcp/1'] }),
      // The tag of a node without one is its address.
      registered('B', { operator: 'C' }),
    ].entries()) {
      const made = await setUp()
      const other = [
        registered('C', { operator: 'one firm' }),
        registered('C', { p2pAddrs: ['/ip4/10.7.200.3/tcp/1'] }),
        registered('C'),
      ][i]
      assert.ok(other)
      made.world.registry = [registered('me'), registered('A'), node, other]
      await assertNothingGoes(made, 'clustered')
      assert.deepEqual(made.nodes.asked, [])
    }
  })

  it('holders that stand together by placement, or are fewer than the copies, never permit a drop', async () => {
    const made = await setUp()
    made.world.clustered = true
    await assertNothingGoes(made, 'clustered')
    const passed = await setUp()
    passed.world.holders = () => OTHERS.map((address, i) => ({ address, pass: i === 2 ? 2 : 1 }))
    await assertNothingGoes(passed, 'clustered')
    const few = await setUp()
    few.world.replicas = 4
    await assertNothingGoes(few, 'clustered')
    const none = await setUp()
    none.world.replicas = 0
    none.world.holders = () => []
    await assertNothingGoes(none, 'clustered')
    const unknown = await setUp()
    unknown.world.registry = ['me', 'A', 'B'].map((address) => registered(address))
    await assertNothingGoes(unknown, 'clustered')
  })

  it('what is ours, or stands in for others, stays', async () => {
    const made = await setUp()
    made.world.duty = () => 'assigned'
    await assertNothingGoes(made, 'assigned')
    made.world.duty = () => 'standIn'
    await assertNothingGoes(made, 'assigned', made.open())
    assert.deepEqual(made.nodes.asked, [])
  })

  it('a chunk we were assigned last era is kept, and one of the last 2 lag + 1 eras', async () => {
    const made = await setUp()
    const lastSlots = new Set(CHUNKS.filter(inEra(0)).map(({ hashSlot }) => hashSlot))
    const asked = new Set<number>()
    made.world.wasAssigned = (hashSlot, fromEra) => {
      asked.add(fromEra)
      return lastSlots.has(hashSlot)
    }
    made.world.lagEras = 3
    await made.prune.look()
    assert.deepEqual(
      made.world.dropped,
      free(({ hashSlot }) => !isOurs(hashSlot) && !lastSlots.has(hashSlot)),
    )
    assert.ok((made.prune.report().kept.assigned ?? 0) > 0)
    // Seven eras, with the present one.
    assert.deepEqual([...asked], [Math.floor(FINAL / ERA_PERIODS) - 6])
    made.world.lagEras = 64
    asked.clear()
    await made.open().look()
    assert.deepEqual([...asked], [0])
  })

  it('limit: a chunk of the least age goes, one a period younger does not, and wall time does not matter', async () => {
    const made = await setUp()
    const oldest = PERIODS.slice(0, 2)
    const [first] = oldest
    assert.ok(first)
    made.world.finalPeriod = first.manifest.period + MIN_AGE
    made.clock.jumpMs = 1e12
    await made.prune.look()
    assert.deepEqual(
      made.world.dropped,
      free(({ period, hashSlot }) => period === first.manifest.period && !isOurs(hashSlot)),
    )
    assert.ok(made.world.dropped.length > 0)
    assert.ok((made.prune.report().kept.young ?? 0) > 0)
  })

  it('by a placement that may be outdated, without one, or where nobody keeps for ever, nothing goes', async () => {
    for (const change of [
      (world: Made['world']) => {
        world.isCurrent = false
      },
      (world: Made['world']) => {
        world.keepsForEver = false
      },
    ]) {
      const made = await setUp()
      change(made.world)
      await assertNothingGoes(made, 'unplaced')
    }
    const bare = await setUp()
    await assertNothingGoes(bare, 'unplaced', bare.open({ placement: { inForce: undefined, isCurrent: true } }))
    const still = await setUp()
    still.world.finalPeriod = undefined
    await assertNothingGoes(still)
  })

  it('where anchors are required only chunks of anchored eras go', async () => {
    const made = await setUp()
    made.world.requireAnchors = true
    await assertNothingGoes(made, 'unanchored')
    const prune = made.open({ isAnchored: (era) => era === 2 })
    await prune.look()
    assert.deepEqual(
      made.world.dropped,
      free((chunk) => inEra(2)(chunk) && !isOurs(chunk.hashSlot)),
    )
  })

  it('evidence older than 5,400 periods does not count', async () => {
    for (const [age, drops] of [
      [5_400, true],
      [5_401, false],
    ] as const) {
      const made = await setUp()
      const { world, prune } = made
      // C is away: nothing goes, but A and B have shown.
      world.connected.delete('C')
      await assertNothingGoes(made, 'unshown')
      const shown = made.nodes.asked.length
      assert.ok(shown > 0)
      world.connected = new Set(['C'])
      world.finalPeriod = FINAL + age
      await prune.look()
      assert.equal(world.dropped.length > 0, drops, `${age}`)
      if (drops) assert.ok(made.nodes.asked.slice(shown).every(({ peer }) => peer === 'C'))
    }
  })

  it('what a holder showed counts no more when it does not show it the next time', async () => {
    const made = await setUp()
    const { world, prune } = made
    world.connected.delete('C')
    await prune.look()
    // Asked again only when its evidence is old.
    world.finalPeriod = FINAL + 5_401
    made.nodes.habits.set('A', () => ({ status: 'notHeld' }))
    world.connected = new Set(OTHERS)
    await prune.look()
    assert.deepEqual(world.dropped, [])
  })

  it('a placement that changes while holders are asked is what counts in the end', async () => {
    const made = await setUp()
    made.nodes.habits.set('C', (answer) => {
      made.world.duty = () => 'assigned'
      return answer
    })
    await assertNothingGoes(made, 'assigned')
    const stale = await setUp()
    stale.nodes.habits.set('C', (answer) => {
      stale.world.isCurrent = false
      return answer
    })
    await assertNothingGoes(stale, 'unplaced')
  })

  it(`whatever the world is like, nothing goes that the rule keeps, and all of what it lets go (seed ${SEED})`, async () => {
    const random = drawWholes(SEED)
    const chance = (percent: number): boolean => random(100) < percent
    let droppedWorlds = 0
    for (let i = 0; i < 30; i++) {
      const made = await setUp()
      const { world, nodes } = made
      const lost = new Map(OTHERS.map((name) => [name, new Set(CHUNKS.filter(() => chance(8)).map(keyOf))]))
      for (const name of OTHERS) {
        nodes.stores.set(name, await openPoorer((chunk) => lost.get(name)?.has(keyOf(chunk)) ?? false))
      }
      const liar = chance(10) ? OTHERS[random(3)] : undefined
      if (liar) nodes.habits.set(liar, showWrongLeaf)
      const away = chance(10) ? OTHERS[random(3)] : undefined
      if (away) world.connected.delete(away)
      const slots = new Set(CHUNKS.map(({ hashSlot }) => hashSlot).filter(() => chance(30)))
      const formerSlots = new Set(CHUNKS.map(({ hashSlot }) => hashSlot).filter(() => chance(20)))
      const crowded = new Set(CHUNKS.map(({ hashSlot }) => hashSlot).filter(() => chance(20)))
      const standIns = new Set(CHUNKS.map(({ hashSlot }) => hashSlot).filter(() => chance(10)))
      world.duty = (slot) => (slots.has(slot) ? 'assigned' : standIns.has(slot) ? 'standIn' : undefined)
      world.wasAssigned = (slot) => formerSlots.has(slot)
      world.holders = (slot) => OTHERS.map((address, at) => ({ address, pass: crowded.has(slot) && at === 1 ? 3 : 1 }))
      world.finalPeriod = MIN_AGE + random(4 * ERA_PERIODS)
      world.requireAnchors = chance(50)
      const anchored = new Set([0, 1, 2, 3].filter(() => chance(60)))
      world.usedBytes = 100 * FULL_BYTES
      await made.open({ isAnchored: (era) => anchored.has(era) }).look()
      const { finalPeriod, requireAnchors } = world
      const mayGo = CHUNKS.filter((chunk) => {
        const { hashSlot, period } = chunk
        if (liar || away || [slots, formerSlots, crowded, standIns].some((set) => set.has(hashSlot))) return false
        if (requireAnchors && !anchored.has(Math.floor(period / ERA_PERIODS))) return false
        if (period > finalPeriod - MIN_AGE) return false
        return OTHERS.every((name) => !lost.get(name)?.has(keyOf(chunk)))
      }).map(keyOf)
      const gone = new Set(world.dropped)
      for (const key of gone) assert.ok(mayGo.includes(key), `world ${i}: ${key}, seed ${SEED}`)
      // Asked for three that it lost, a holder is not asked for more of an era.
      for (const key of mayGo) {
        const [period = 0] = key.split('/').map(Number)
        const isGivenUp = OTHERS.some((name) => {
          const misses = [...(lost.get(name) ?? [])].filter((other) =>
            inEra(Math.floor(period / ERA_PERIODS))(at(other)),
          )
          return misses.length >= 3
        })
        if (!isGivenUp) assert.ok(gone.has(key), `world ${i}: ${key} stayed, seed ${SEED}`)
      }
      if (gone.size > 0) droppedWorlds++
    }
    assert.ok(droppedWorlds > 5, `${droppedWorlds}`)
  })
})
