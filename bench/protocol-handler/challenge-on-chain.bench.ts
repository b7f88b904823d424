import assert from 'node:assert/strict'
import { setTimeout } from 'node:timers/promises'
import { loadRegistryParams } from '../../config/index.ts'
import { type Clock, computeChunkId, type Loop } from '../../core/index.ts'
import { ChainChallenger } from '../../storage-worker/challenge/chain-challenger.ts'
import { ChainProver } from '../../storage-worker/challenge/chain-prover.ts'
import { ChallengeHistory } from '../../storage-worker/challenge/challenge-history.ts'
import { DiskProofs } from '../../storage-worker/challenge/disk-proofs.ts'
import { DrawSignatures } from '../../storage-worker/challenge/draw-signatures.ts'
import { ExpiredChallenges } from '../../storage-worker/challenge/expired-challenges.ts'
import { RegistryLog } from '../../storage-worker/challenge/registry-log.ts'
import { deployRegistry, openWeb3Chain, planDeployment, RegistryClient } from '../../storage-worker/index.ts'
import { OperationJournal } from '../../storage-worker/sending/operation-journal.ts'
import { RegistrySender } from '../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../telemetry/index.ts'
import { GENESIS_MS, MAS, makeWallet, startFace, type Wallet } from '../../test/devnet/node/face.ts'
import { openMemoryStore } from '../../test/storage-worker/replication/audited-nodes.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import { openMemoryLevel } from '../../test/storage-worker/temp-store.ts'
import type { BenchRow } from '../bench-row.ts'

/*
 * Question: how long does it take on chain from a challenge to its verdict, as a candidate block says it? Input: the shipped
 * contract with the settings of the seed (60 s to answer) on a devnet node in this process, at speed 1 (real slots of 500 ms): no
 * traffic, no network, no block missed. One challenger and ten nodes, each of the thread of its address; three rounds that are
 * answered, begun at different times of a period, and one in which nobody has the chunk. Who acts looks once a second, as
 * sidecars do. Baseline: the same on a massa-node of Massa's own in a sandbox, three sidecars, measured by hand once: not in this run.
 * Goal: an answer within the 60 s that it has; a verdict on none within two inclusions of 31 s and those 60 s.
 */

const NETWORK = { chainId: 77n, genesisTimestampMs: BigInt(GENESIS_MS) }
const EVERY_MS = 1_000
const ROUNDS = 3
const ADMIN = makeWallet('admin')
const ASKER = makeWallet('asker')
const HOLDERS = Array.from({ length: 10 }, (_, i) => makeWallet(`holder ${i}`))
/** More than the interval between two audits of a node, and another part of a period each time. */
const REST_MS = 37_300
const SANDBOX = { validP50: 23.6, validP95: 36.8, expiredP50: 110 }

/** Time of the chain, which leaps while things are set up and then is real. */
class LeapingClock implements Clock {
  isLeaping = true
  private aheadMs = GENESIS_MS + 20_000 - performance.now()

  nowMs(): number {
    return Math.floor(performance.now() + this.aheadMs)
  }

  monotonicMs(): number {
    return this.nowMs()
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (this.isLeaping) this.aheadMs += durationMs
    await setTimeout(this.isLeaping ? 0 : durationMs, undefined, signal && { signal }).catch(() => undefined)
  }
}

export async function run(): Promise<BenchRow[]> {
  const clock = new LeapingClock()
  const face = await startFace(clock, [ADMIN, ASKER, ...HOLDERS])
  const period = makePeriod(5, { blocks: 4, operations: 2 })
  const chunkId = computeChunkId(period.chunks[0] ?? assert.fail())
  const stops: (() => Promise<void>)[] = []
  let hasChunk = true

  const clientOf = async ({ secret }: Wallet, address: string) => {
    const about = { url: face.url, chainId: NETWORK.chainId, secretKey: secret, feeNanoMas: 0n, maxFeeNanoMas: MAS }
    const pace = { gasMarginPercent: 20, requestTimeoutMs: 10_000, pollIntervalMs: EVERY_MS }
    return new RegistryClient(address, await openWeb3Chain({ ...about, ...pace }, clock))
  }
  const keepRunning = (loop: Pick<Loop, 'start' | 'stop'>) => {
    const running = loop.start()
    stops.push(async () => void (await Promise.allSettled([loop.stop(), running])))
  }
  const open = async (wallet: Wallet, registry: string) => {
    const { address, seed } = wallet
    // That there is no chunk is said for each challenge, as it should be.
    const log = createLogger({ level: 'error', format: 'json', destination: { write: () => true } })
    const client = await clientOf(wallet, registry)
    const index = await openMemoryLevel('index')
    const store = await openMemoryStore()
    await store.writePeriod(period)
    const sender = new RegistrySender(
      { address, minBalanceNanoMas: MAS },
      { client, journal: new OperationJournal(index), log },
    )
    stops.push(() => sender.stop())
    const registryLog = new RegistryLog(
      { network: NETWORK, everyMs: EVERY_MS, lookBackPeriods: 256 },
      { client, clock, log },
    )
    const about = { network: NETWORK, registry, address }
    const proofs = new DiskProofs(seed, { store, withheld: { has: () => !hasChunk } })
    const shared = { sender, registryLog, clock, log }
    const events = { onMargin: () => undefined, onLost: () => undefined }
    keepRunning(registryLog)
    keepRunning(new ChainProver(EVERY_MS, about, { ...shared, proofs, ...events }))
    keepRunning(new ExpiredChallenges(EVERY_MS, about, { ...shared, placement: { inForce: undefined } }))
    const notes = { history: new ChallengeHistory(index), drawSignatures: new DrawSignatures(index) }
    const network = { request: () => assert.fail('asked') }
    const alone = { network, findPeer: () => undefined, onOffence: () => assert.fail('an offence') }
    return new ChainChallenger({ ...about, everyMs: EVERY_MS }, { ...shared, ...notes, ...alone })
  }

  try {
    const { chain } = await clientOf(ADMIN, '')
    const { address: registry } = await deployRegistry(
      chain,
      await planDeployment(chain, loadRegistryParams(undefined)),
    )
    const admin = await clientOf(ADMIN, registry)
    await admin.call('fundRewards', {}, { coinsNanoMas: 50n * MAS })
    await admin.call('addChallenger', { address: ASKER.address }, { coinsNanoMas: MAS })
    for (const holder of HOLDERS) {
      await (await clientOf(holder, registry)).call(
        'registerStorageNode',
        { allocatedGb: 5n },
        { coinsNanoMas: 20n * MAS },
      )
    }
    await clock.sleep(20 * 16_000)
    clock.isLeaping = false
    for (const holder of HOLDERS) await open(holder, registry)
    const challenger = await open(ASKER, registry)
    const challengeAll = async (round: number, wanted: string) => {
      await clock.sleep(REST_MS)
      return await Promise.all(
        HOLDERS.map(async ({ address }, i) => {
          const begunMs = clock.nowMs()
          const [entry] = await challenger.issue(address, [{ challengeId: `m-${round}-${i}`, chunkId, nonce: 7n }])
          assert.equal(entry?.result, wanted)
          return (clock.nowMs() - begunMs) / 1_000
        }),
      )
    }
    const valid: number[] = []
    for (let round = 0; round < ROUNDS; round++) valid.push(...(await challengeAll(round, 'valid')))
    hasChunk = false
    const expired = await challengeAll(ROUNDS, 'noAnswer')
    return [
      row({ what: 'to "valid"', seconds: valid, share: 0.5, sandbox: SANDBOX.validP50, goal: 60 }),
      row({ what: 'to "valid"', seconds: valid, share: 0.95, sandbox: SANDBOX.validP95, goal: 60 }),
      row({ what: 'to "expired"', seconds: expired, share: 0.5, sandbox: SANDBOX.expiredP50, goal: 60 + 2 * 31 }),
    ]
  } finally {
    await Promise.all(stops.map((stop) => stop()))
    await face.close()
  }
}

interface Measured {
  readonly what: string
  readonly seconds: readonly number[]
  readonly share: number
  /** s, on Massa's own node. */
  readonly sandbox: number
  /** s */
  readonly goal: number
}

function row({ what, seconds, share, sandbox, goal }: Measured): BenchRow {
  const found = [...seconds].sort((a, b) => a - b)[Math.floor(seconds.length * share)] ?? Number.NaN
  return {
    question: `from challenge ${what} on chain, devnet node in process at speed 1, p${share * 100} of ${seconds.length}`,
    measured: `${found.toFixed(1)} s`,
    baseline: `massa-node in a sandbox, three sidecars, by hand: ${sandbox.toFixed(1)} s`,
    ratio: found / sandbox,
    goal: `< ${goal} s`,
    holds: found < goal,
  }
}
