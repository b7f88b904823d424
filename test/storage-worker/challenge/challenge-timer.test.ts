import assert from 'node:assert/strict'
import { ArchiveError, type RegistryConfig, type RegistryNode } from '../../../core/index.ts'
import { ChallengeTimer } from '../../../storage-worker/challenge/challenge-timer.ts'
import type { AuditDraw } from '../../../storage-worker/challenge/draw-source.ts'
import type { Suspicion } from '../../../storage-worker/replication/suspicions.ts'
import type { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'

const NODE = {
  ...{ allocatedGb: 1_000n, placementGb: 1_000n, active: true, leaving: false },
  ...{ registeredPeriod: 0n, lastChallengedPeriod: 0n },
}
/** A tenth of what it offers is filled by what is anchored. */
const STATE = {
  placementTotal: 2_000n,
  weight: 5n,
  activeNodes: 2n,
  anchoredBytes: 100_000_000_000n,
  accruedPeriod: 0n,
}
const AUDIT: AuditDraw = {
  node: 'AU2',
  targets: [{ challengeId: 'drawn', chunkId: new Uint8Array(32), nonce: 1n }],
  signature: new Uint8Array(65),
}

describe('storage-worker/challenge/challenge-timer', () => {
  function setUp(
    change: {
      readonly isChallenger?: boolean
      readonly node?: Partial<RegistryNode>
      /** Of the configuration, nanoMAS. */
      readonly fee?: bigint
      readonly config?: Partial<RegistryConfig>
    } = {},
  ) {
    const world = {
      period: 100,
      drawn: [] as number[],
      issued: [] as [string, string][],
      /** Of each challenge that was issued. */
      shown: [] as (Uint8Array | undefined)[],
      /** Of the placement asked for, or why there is none. */
      evidence: (_placementEra?: number): Uint8Array | undefined => undefined,
      hasLeft: false,
      next: AUDIT as AuditDraw | 'unarchived' | undefined,
      suspicions: [] as Suspicion[],
      lines: [] as string[],
      failing: undefined as ArchiveError | undefined,
      /** What issuing waits for. */
      until: Promise.resolve(),
    }
    const views: Record<string, unknown> = {
      isChallenger: change.isChallenger ?? true,
      getConfig: {
        ...{ maxOpenChallengesPerNode: 3, rewardPerGbPerPeriod: 1_000_000n, maxRewardPerPeriod: 0n },
        ...{ replicationFactor: 2, requireAnchors: false, ...change.config },
      },
      getNodeInfo: { ...NODE, ...change.node },
    }
    const client = {
      read: async (name: string) => {
        if (name === 'getNodeInfo' && world.hasLeft) throw new ArchiveError('REGISTRY_NODE_UNKNOWN', 'made')
        return views[name]
      },
      readState: async () => STATE,
      chain: { readStatus: async () => ({ minimalFeeNanoMas: 10_000_000n }) },
    } as unknown as RegistrySender['client']
    const timer = new ChallengeTimer(
      1_000,
      {
        address: 'AU1',
        frequencyPeriods: 100,
        minIntervalPeriods: 225,
        maxFeePercent: 10,
        feeNanoMas: change.fee ?? 0n,
      },
      {
        registryLog: {
          get period() {
            return world.period
          },
        },
        sender: { client },
        challenger: {
          issue: async (node, targets) => {
            world.issued.push([node, targets[0]?.challengeId ?? ''])
            world.shown.push(...targets.map(({ evidence }) => evidence))
            const { failing, until } = world
            await until
            if (failing) throw failing
            return []
          },
        },
        draw: async (period, count) => {
          assert.equal(count, 3)
          world.drawn.push(period)
          return world.next
        },
        listSuspicions: () => world.suspicions,
        findChunkId: async (period) => (period === 5 ? new Uint8Array(32) : undefined),
        gatherEvidence: async (_node, _chunkId, placementEra) => world.evidence(placementEra),
        random: (count) => new Uint8Array(count).fill(7),
        clock: new ManualClock(0),
        log: createLogger({
          level: 'debug',
          format: 'human',
          destination: { write: (line) => world.lines.push(line) },
        }),
      },
    )
    return { world, timer }
  }

  it('issues what is drawn, once in each period that the frequency divides', async () => {
    const { world, timer } = setUp()
    for (const period of [250, 251, 299, 300, 301]) {
      world.period = period
      await timer.look()
    }
    assert.deepEqual(world.drawn, [200, 300])
    assert.deepEqual(world.issued, [
      ['AU2', 'drawn'],
      ['AU2', 'drawn'],
    ])
  })

  it('waits for blocks that are not archived yet, and draws nothing before the first period of its kind', async () => {
    const { world, timer } = setUp()
    world.period = 99
    await timer.look()
    assert.deepEqual(world.drawn, [])
    world.period = 300
    world.next = 'unarchived'
    await timer.look()
    world.next = AUDIT
    await timer.look()
    assert.deepEqual([world.drawn, world.issued.length], [[300, 300], 1])
  })

  it('leaves alone: itself, who was challenged not long ago, who leaves, and who earns too little for the fees', async () => {
    const cases: Partial<RegistryNode>[] = [
      { lastChallengedPeriod: 76n },
      { leaving: true },
      { active: false },
      // 300 periods of 0.001 MAS: a tenth is 0.03 MAS a GB, an audit takes 0.02.
      { placementGb: 0n },
    ]
    for (const node of cases) {
      const { world, timer } = setUp({ node })
      world.period = 300
      await timer.look()
      assert.deepEqual([world.drawn, world.issued], [[300], []])
    }
    const { world, timer } = setUp({ node: { placementGb: 1n, lastChallengedPeriod: 75n } })
    world.period = 300
    await timer.look()
    assert.equal(world.issued.length, 1)
    const own = setUp()
    own.world.period = 300
    own.world.next = { ...AUDIT, node: 'AU1' }
    await own.timer.look()
    assert.deepEqual(own.world.issued, [])
  })

  it('counts with what the node earns, where only history that is anchored is paid: not with what it offers', async () => {
    // Of 1,000 GB that it offers these are counted: in 300 periods each earns 0.03 MAS, and an audit takes 0.02.
    for (const [placementGb, issued] of [
      [6n, 0],
      [7n, 1],
    ] as const) {
      const { world, timer } = setUp({ node: { placementGb }, config: { requireAnchors: true } })
      world.period = 300
      await timer.look()
      assert.equal(world.issued.length, issued)
    }
  })

  it('counts what a node that was never challenged earned since it registered, and fees as they are configured', async () => {
    // 7 GB earn 0.21 MAS in 300 periods and 0.007 in ten; two operations take 0.02 MAS, or what is configured.
    for (const [registeredPeriod, fee, issued] of [
      [290n, undefined, 0],
      [0n, undefined, 1],
      [0n, 20_000_000n, 0],
      [0n, 10_000_000n, 1],
    ] as const) {
      const node = { placementGb: 7n, registeredPeriod }
      const { world, timer } = setUp({ node, config: { requireAnchors: true }, ...(fee && { fee }) })
      world.period = 300
      await timer.look()
      assert.equal(world.issued.length, issued)
    }
  })

  it('counts all operations that an audit brings, those that delete its records too', async () => {
    // 7 GB: a tenth of 300 periods is 0.021 MAS. Two operations and the 20th part of one for each of two or three records.
    for (const [count, issued] of [
      [1, 1],
      [2, 0],
    ] as const) {
      const { world, timer } = setUp({ node: { placementGb: 7n }, config: { requireAnchors: true } })
      world.next = { ...AUDIT, targets: Array.from({ length: count }, () => AUDIT.targets[0] ?? assert.fail()) }
      world.period = 300
      await timer.look()
      assert.equal(world.issued.length, issued)
    }
  })

  it('who may not challenge draws nothing, and asks for no suspected chunk', async () => {
    const { world, timer } = setUp({ isChallenger: false })
    world.suspicions = [{ address: 'AU3', period: 5, index: 0, sinceMs: 0, kind: 'failed' }]
    await timer.look()
    assert.deepEqual([world.drawn, world.issued], [[], []])
  })

  it('a chunk that was not shown to audits twice is asked for on chain, once in a day', async () => {
    const { world, timer } = setUp()
    world.next = undefined
    world.suspicions = [
      { address: 'AU3', period: 5, index: 0, sinceMs: 0, kind: 'failed' },
      { address: 'AU4', period: 6, index: 0, sinceMs: 0, kind: 'failed' },
    ]
    for (const period of [100, 101, 102, 5_499, 5_500, 5_501]) {
      world.period = period
      await timer.look()
    }
    const id = `a-${'07'.repeat(16)}`
    assert.deepEqual(world.issued, [
      ['AU3', id],
      ['AU3', id],
    ])
  })

  it('a suspected chunk that the registry does not take yet is asked for again after 8 periods', async () => {
    const { world, timer } = setUp()
    world.next = undefined
    world.suspicions = [{ address: 'AU3', period: 5, index: 0, sinceMs: 0, kind: 'failed' }]
    const askedIn: number[] = []
    const lookAt = async (period: number) => {
      const before = world.issued.length
      world.period = period
      await timer.look()
      await settle(5)
      if (world.issued.length > before) askedIn.push(period)
    }
    for (const [code, from] of [
      ['REGISTRY_TOO_SOON', 100],
      ['REGISTRY_AUDIT_OPEN', 108],
      ['REGISTRY_NOT_HOLDER', 116],
      ['REGISTRY_PLACEMENT_AGE', 124],
    ] as const) {
      world.failing = new ArchiveError(code, 'made')
      for (let period = from; period < from + 8; period++) await lookAt(period)
    }
    world.failing = undefined
    for (const period of [132, 133, 140, 5_531, 5_532]) await lookAt(period)
    assert.deepEqual(askedIn, [100, 108, 116, 124, 132, 5_532])
  })

  it('shows evidence of the placement that was drawn; a challenge for which something lacks is left out', async () => {
    const { world, timer } = setUp()
    world.period = 300
    world.next = { ...AUDIT, targets: [0, 1, 2].map(() => AUDIT.targets[0] ?? assert.fail()), placementEra: 7 }
    let asked = 0
    world.evidence = (placementEra) => {
      if (++asked === 2) throw new ArchiveError('CHAIN_EVIDENCE_ERA_INCOMPLETE', 'made')
      return Uint8Array.of(placementEra ?? 0, asked)
    }
    await timer.look()
    assert.deepEqual(world.shown, [Uint8Array.of(7, 1), Uint8Array.of(7, 3)])
    world.hasLeft = true
    world.period = 400
    await timer.look()
    assert.deepEqual([world.drawn, world.issued.length], [[300, 400], 1])
  })

  it('a suspected chunk for which evidence lacks is asked for again after 8 periods', async () => {
    const { world, timer } = setUp()
    world.next = undefined
    world.suspicions = [{ address: 'AU3', period: 5, index: 0, sinceMs: 0, kind: 'failed' }]
    world.evidence = () => {
      throw new ArchiveError('CHAIN_EVIDENCE_UNANCHORED', 'made')
    }
    await timer.look()
    world.evidence = () => Uint8Array.of(1)
    for (const [period, shown] of [
      [107, []],
      [108, [Uint8Array.of(1)]],
    ] as const) {
      world.period = period
      await timer.look()
      assert.deepEqual(world.shown, shown)
    }
  })

  it('error: what was drawn and came into no block is issued again after 8 periods, until the next draw', async () => {
    const { world, timer } = setUp()
    const issuedIn: number[] = []
    const lookAt = async (period: number) => {
      const before = world.issued.length
      world.period = period
      await timer.look()
      await settle(5)
      if (world.issued.length > before) issuedIn.push(period)
    }
    world.failing = new ArchiveError('CHAIN_OPERATION_EXPIRED', 'made')
    for (let period = 300; period < 312; period++) await lookAt(period)
    world.failing = new ArchiveError('REGISTRY_CHALLENGE_EXISTS', 'made')
    for (let period = 312; period < 399; period++) await lookAt(period)
    world.failing = new ArchiveError('CHAIN_NODE_UNREACHABLE', 'made')
    for (const period of [399, 400, 500]) await lookAt(period)
    assert.deepEqual(issuedIn, [300, 308, 316, 400, 500])
  })

  it('error: what was drawn before and fails late takes nothing from the next draw, which is issued again', async () => {
    const { world, timer } = setUp()
    world.failing = new ArchiveError('CHAIN_OPERATION_EXPIRED', 'made')
    let fail = () => {}
    world.until = new Promise((resolve) => {
      fail = resolve
    })
    world.period = 300
    await timer.look()
    world.until = Promise.resolve()
    world.period = 400
    await timer.look()
    await settle(5)
    fail()
    await settle(5)
    assert.equal(world.issued.length, 2)
    world.period = 408
    await timer.look()
    assert.deepEqual([world.issued.length, world.drawn], [3, [300, 400, 400]])
  })

  it('error: a massa-node that is away while a draw or a suspicion is looked at costs none of them', async () => {
    const { world, timer } = setUp()
    world.period = 300
    world.suspicions = [{ address: 'AU3', period: 5, index: 0, sinceMs: 0, kind: 'failed' }]
    const away = () => {
      throw new ArchiveError('CHAIN_NODE_UNREACHABLE', 'made')
    }
    world.evidence = away
    await assert.rejects(timer.look(), { code: 'CHAIN_NODE_UNREACHABLE' })
    world.evidence = () => undefined
    await timer.look()
    assert.deepEqual(world.issued.splice(0), [
      ['AU2', 'drawn'],
      ['AU3', `a-${'07'.repeat(16)}`],
    ])
    world.failing = new ArchiveError('CHAIN_NODE_UNREACHABLE', 'made')
    for (const period of [5_800, 5_807, 5_808]) {
      world.period = period
      await timer.look()
      await settle(5)
    }
    assert.deepEqual(
      world.issued.map(([node]) => node),
      ['AU2', 'AU3', 'AU2', 'AU3'],
    )
  })

  it('error: a refusal of the registry is no trouble, an empty wallet is told', async () => {
    for (const [code, level] of [
      ['REGISTRY_TOO_SOON', 'DEBUG'],
      ['CHAIN_WALLET_LOW', 'WARN'],
    ] as const) {
      const { world, timer } = setUp()
      world.period = 300
      world.failing = new ArchiveError(code, 'made')
      await timer.look()
      await settle(5)
      assert.ok(
        world.lines.some((line) => line.startsWith(`[${level}] no challenge issued`)),
        world.lines.join(''),
      )
    }
  })
})
