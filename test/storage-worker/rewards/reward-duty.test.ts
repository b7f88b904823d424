import assert from 'node:assert/strict'
import { ArchiveError, computeDistributionWait } from '../../../core/index.ts'
import { noteRewards } from '../../../storage-worker/rewards/note-rewards.ts'
import { RewardDuty } from '../../../storage-worker/rewards/reward-duty.ts'
import type { RewardEntry } from '../../../storage-worker/rewards/reward-history.ts'
import type { SendOrder } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { u64Arg } from '../../reference/args-writer.ts'
import { addChallenger, passAudit, registerNode } from '../../sc/challenge-steps.ts'
import { readNode, readState } from '../../sc/registry-records.ts'
import {
  ADMIN,
  ANYONE,
  CHALLENGER,
  call,
  deployRegistry,
  goTo,
  MAS,
  type User,
  userOf,
  type World,
} from '../../sc/registry-world.ts'
import { settle } from '../../turns.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'

const NODES = [10, 11, 12].map(userOf)
const ADDRESSES = NODES.map(({ address }) => address)
const EVERY = 100
const RATE = 1_000_000n

/** What is sent is executed some periods later, and costs a fee then, whatever becomes of it. */
class Mempool {
  readonly fees: string[] = []
  private readonly world: World
  /** From sending to the block: 31 s are known of a real chain. */
  private readonly delayPeriods: number
  private waiting: { readonly period: number; readonly order: SendOrder; readonly user: User }[] = []

  constructor(world: World, delayPeriods = 2) {
    this.world = world
    this.delayPeriods = delayPeriods
  }

  /** As a `RegistrySender` does: once at a time for each key of a user; who sent it hears nothing of it any more here. */
  send(user: User, order: SendOrder): Promise<never> {
    const isUnderWay = this.waiting.some((each) => each.user === user && each.order.key === order.key)
    if (!isUnderWay) this.waiting.push({ period: this.world.engine.slot.period + this.delayPeriods, order, user })
    return new Promise(() => undefined)
  }

  async executeUntil(period: number): Promise<void> {
    const due = this.waiting.filter((each) => each.period <= period)
    this.waiting = this.waiting.filter((each) => each.period > period)
    for (const { order, user } of due) {
      this.fees.push(order.key)
      await new EngineRegistry(this.world, user).send(order)
    }
  }
}

/** The nodes in the order of their turns. */
function inTurn(duePeriod: number): User[] {
  const waitOf = ({ address }: User) => Number(computeDistributionWait({ duePeriod, address }, ADDRESSES))
  return [...NODES].sort((a, b) => waitOf(a) - waitOf(b))
}

describe('storage-worker/rewards/reward-duty on the shipped contract', () => {
  let world: World

  beforeEach(() => {
    world = deployRegistry()
    call(world, ANYONE, 'fundRewards', undefined, 100n * MAS)
    for (const node of NODES) registerNode(world, node)
    addChallenger(world, CHALLENGER)
  })

  /** A sidecar that sees the chain as it is. */
  function open(
    user: User,
    change: {
      threshold?: bigint
      fee?: bigint
      addresses?: readonly string[]
      isCurrent?: boolean
      mempool?: Mempool
      /** What is final by now. */
      finalPeriod?: () => number
    } = {},
  ) {
    const { threshold = 0n, fee = 0n, addresses = ADDRESSES, isCurrent = true, mempool } = change
    const { finalPeriod = () => world.engine.slot.period } = change
    const registry = new EngineRegistry(world, user)
    const logged: string[] = []
    const history: RewardEntry[] = []
    const clock = new SetClock()
    const destination = { write: (text: string) => logged.push(JSON.parse(text).msg) }
    const log = createLogger({ level: 'info', format: 'json', destination })
    const duty = new RewardDuty(
      {
        ...{ address: user.address, everyMs: 1_000, distributionPeriods: EVERY },
        ...{ claimThresholdNanoMas: threshold, feeNanoMas: fee },
      },
      {
        sender: {
          client: registry.client,
          send: async (order) => {
            if (mempool) return mempool.send(user, order)
            const outcome = await registry.send(order)
            await noteRewards(outcome, { history: { append: async (entry) => void history.push(entry) }, clock, log })
            return outcome
          },
        },
        placement: { inForce: { snapshot: { nodes: addresses.map((address) => ({ address })) } }, isCurrent },
        finalPeriod,
        clock,
        log,
      },
    )
    return { duty, registry, logged, history }
  }

  const distributed = () => Number(readState(world).get('lastDistributedPeriod'))

  it('three nodes that look at once pay one fee, though a call is in a block two periods later, and so across restarts', async () => {
    const mempool = new Mempool(world)
    let sidecars = NODES.map((node) => open(node, { mempool }))
    for (let period = 98; period <= 320; period++) {
      goTo(world, period)
      await mempool.executeUntil(period)
      for (const { duty } of sidecars) void duty.look()
      await settle(20)
      // All of them end and begin again, some with a call under way.
      if (period % 7 === 0 || period === 102) sidecars = NODES.map((node) => open(node, { mempool }))
    }
    assert.deepEqual(mempool.fees, ['distribute/100', 'distribute/200', 'distribute/300'])
    assert.equal(distributed(), 300)
  })

  it('adversary: an overloaded chain is final in leaps, and has the call in a block late: one fee all the same', async () => {
    const mempool = new Mempool(world, 3)
    // Nothing new is final for seven periods, and then all of it.
    const finalPeriod = () => Math.floor(world.engine.slot.period / 8) * 8
    const sidecars = NODES.map((node) => open(node, { mempool, finalPeriod }))
    for (let period = 98; period <= 140; period++) {
      goTo(world, period)
      await mempool.executeUntil(period)
      for (const { duty } of sidecars) void duty.look()
      await settle(20)
    }
    assert.deepEqual(mempool.fees, ['distribute/100'])
  })

  it('who is first does it in the period behind; when he is away the next one waits four periods more', async () => {
    const [first, second] = inTurn(100).map((node) => open(node))
    assert.ok(first && second)
    goTo(world, 101)
    await second.duty.look()
    assert.equal(distributed(), 0)
    goTo(world, 104)
    await second.duty.look()
    assert.equal(distributed(), 0)
    goTo(world, 105)
    await second.duty.look()
    assert.equal(distributed(), 100)
    assert.deepEqual([second.history[0]?.kind, second.history[0]?.period], ['distribution', 100])
    await first.duty.look()
    assert.deepEqual([first.registry.sent.length, first.logged, second.logged], [0, [], ['rewards distributed']])
  })

  it('that another one was first, just before, is no failure', async () => {
    const [first] = inTurn(100)
    assert.ok(first)
    const { duty, registry, logged } = open(first)
    registry.beforeSend = () => {
      call(world, ANYONE, 'distributeRewards', u64Arg(100), MAS)
    }
    goTo(world, 101)
    await duty.look()
    assert.deepEqual([registry.sent, logged, duty.failing('distributeRewards')], [[], [], undefined])
  })

  it('error: with too little in the wallet it says so once, goes on claiming, and tries again', async () => {
    const [first] = inTurn(100)
    assert.ok(first)
    const { duty, registry, logged } = open(first, { threshold: 1n })
    registry.beforeSend = () => {
      throw new ArchiveError('CHAIN_WALLET_LOW', 'too little')
    }
    for (const period of [101, 102]) {
      goTo(world, period)
      await duty.look()
    }
    assert.equal(duty.failing('distributeRewards')?.code, 'CHAIN_WALLET_LOW')
    assert.equal(duty.failing('claimRewards'), undefined)
    assert.deepEqual(logged, ['rewards not handled from here'])
    registry.beforeSend = () => undefined
    goTo(world, 103)
    await duty.look()
    assert.deepEqual([duty.failing('distributeRewards'), distributed()], [undefined, 100])
  })

  it('sends nothing while the registry is paused, without a placement in force, or for who is no node', async () => {
    goTo(world, 110)
    const strangers = [
      open(ANYONE),
      open(NODES[0] ?? ANYONE, { isCurrent: false }),
      open(NODES[0] ?? ANYONE, { addresses: [] }),
    ]
    for (const { duty, registry } of strangers) {
      await duty.look()
      assert.deepEqual(registry.sent, [])
    }
    call(world, ADMIN, 'setPaused', Uint8Array.of(1))
    for (const node of NODES) await open(node).duty.look()
    assert.equal(distributed(), 0)
  })

  it('claims from the threshold on, not one nanoMAS before, and again when as much has vested', async () => {
    const [node] = NODES
    assert.ok(node)
    goTo(world, 30)
    passAudit(world, 'a', node)
    // 20 periods of 5 GB.
    const vested = 20n * 5n * RATE
    assert.equal(readNode(world, node.address).get('pendingRewards'), vested)
    const later = open(node, { threshold: vested + 1n })
    await later.duty.look()
    const never = open(node, { threshold: 0n })
    await never.duty.look()
    assert.deepEqual([later.registry.sent, never.registry.sent], [[], []])
    const { duty, registry, logged, history } = open(node, { threshold: vested })
    await duty.look()
    assert.deepEqual([registry.sent, logged], [[{ call: 'claimRewards', key: 'claim' }], ['rewards claimed']])
    const [entry] = history
    assert.deepEqual([entry?.kind, entry?.period, entry?.amountNanoMas], ['claim', null, `${vested}`])
    assert.deepEqual([entry?.feeNanoMas, entry?.operationId], ['1', 'O1'])
    goTo(world, 45)
    passAudit(world, 'b', node)
    await duty.look()
    goTo(world, 55)
    passAudit(world, 'c', node)
    await duty.look()
    assert.equal(registry.sent.length, 2)
    assert.equal(readNode(world, node.address).get('pendingRewards'), 0n)
  })

  it('claims nothing that is no more than the fee, however low the threshold, and says so once', async () => {
    const [node] = NODES
    assert.ok(node)
    goTo(world, 30)
    passAudit(world, 'a', node)
    const vested = 20n * 5n * RATE
    let final = 30
    const poor = open(node, { threshold: 1n, fee: vested, finalPeriod: () => final++ })
    for (let i = 0; i < 2; i++) await poor.duty.look()
    const told = ['what is due for a claim waits until it is more than the fee']
    assert.deepEqual([poor.registry.sent, poor.logged], [[], told])
    // Where no fee is configured it is the least that the node takes.
    const least = open(node, { threshold: 1n })
    const status = await least.registry.client.chain.readStatus()
    least.registry.client.chain.readStatus = async () => ({ ...status, minimalFeeNanoMas: vested })
    await least.duty.look()
    assert.deepEqual([least.registry.sent, least.logged], [[], told])
    const rich = open(node, { threshold: 1n, fee: vested - 1n })
    await rich.duty.look()
    assert.equal(rich.registry.sent.length, 1)
  })

  it('what was claimed by hand meanwhile is no failure', async () => {
    const [node] = NODES
    assert.ok(node)
    goTo(world, 30)
    passAudit(world, 'a', node)
    const { duty, registry, logged } = open(node, { threshold: 1n })
    registry.beforeSend = () => {
      call(world, node, 'claimRewards')
    }
    await duty.look()
    assert.deepEqual([registry.sent, logged, duty.failing('claimRewards')], [[], [], undefined])
  })
})
