import { concatBytes, formatSecretKey, isArchiveError } from '../../core/index.ts'
import type { ChainPort } from '../../storage-worker/chain-port.ts'
import { ChainChallenger } from '../../storage-worker/challenge/chain-challenger.ts'
import { ChainProver } from '../../storage-worker/challenge/chain-prover.ts'
import { DiskProofs } from '../../storage-worker/challenge/disk-proofs.ts'
import { ExpiredChallenges } from '../../storage-worker/challenge/expired-challenges.ts'
import { RegistryLog } from '../../storage-worker/challenge/registry-log.ts'
import { openWeb3Chain, RegistryClient } from '../../storage-worker/index.ts'
import { noteRewards } from '../../storage-worker/rewards/note-rewards.ts'
import { RewardDuty } from '../../storage-worker/rewards/reward-duty.ts'
import { RegistrySender } from '../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../telemetry/index.ts'
import { GENESIS_MS, MAS, makeWallet, SteppedClock } from '../devnet/node/face.ts'
import { openTestStore } from '../storage-worker/temp-store.ts'

/*
 * A process to be killed: does one duty of a sidecar in the registry, and ends when it is done.
 *
 * Arguments: data directory, JSON-RPC of a node, registry, duty, step of the journal at which it kills itself (or none), and for a
 * challenger the id, the node and the chunk.
 */

const [dataDir = '', url = '', registry = '', duty = '', killAt = '', id = '', node = '', chunk = ''] =
  process.argv.slice(2)
const EVERY_MS = 2_000
const network = { chainId: 77n, genesisTimestampMs: BigInt(GENESIS_MS) }
const clock = new SteppedClock()
const log = createLogger({ level: 'error', format: 'human', destination: { write: () => true } })
const wallet = makeWallet(duty === 'challenger' ? 'asker' : 'holder')
const { address } = wallet

function at(step: string): void {
  if (step === killAt) process.kill(process.pid, 'SIGKILL')
}

/** Dies where it is told to. */
function mortal(chain: ChainPort): ChainPort {
  return Object.assign(Object.create(chain) as ChainPort, {
    submit: async (...[request, quote, options = {}]: Parameters<ChainPort['submit']>) => {
      const outcome = await chain.submit(request, quote, {
        ...options,
        onSigned: async (signed, bytes) => {
          at('signed')
          await options.onSigned?.(signed, bytes)
          at('noted')
        },
        onSent: () => at('sent'),
        onExecuted: () => at('included'),
      })
      at('final')
      return outcome
    },
  })
}

const store = await openTestStore(dataDir)
const journal = store.operations
const forget = journal.delete.bind(journal)
journal.delete = async (key) => {
  at('told')
  await forget(key)
  at('forgotten')
}
const web3 = await openWeb3Chain(
  {
    url,
    chainId: network.chainId,
    secretKey: formatSecretKey(concatBytes(Uint8Array.of(0), wallet.seed)),
    feeNanoMas: 0n,
    maxFeeNanoMas: MAS,
    gasMarginPercent: 20,
    requestTimeoutMs: 60_000,
    pollIntervalMs: EVERY_MS,
  },
  clock,
)
const client = new RegistryClient(registry, mortal(web3))
const sender = new RegistrySender(
  { address, minBalanceNanoMas: MAS },
  { client, journal, log, onFinal: (outcome) => noteRewards(outcome, { history: store.rewards, clock, log }) },
)
const registryLog = new RegistryLog({ network, everyMs: EVERY_MS, lookBackPeriods: 256 }, { client, clock, log })
await sender.resume()
if (duty === 'prover') await proveAll()
else if (duty === 'challenger') await challengeOnce()
else await claim()
await store.close()

/** Until none is open. */
async function proveAll(): Promise<void> {
  const proofs = new DiskProofs(wallet.seed, { store: store.chunks, withheld: { has: () => false } })
  const events = { onMargin: () => undefined, onLost: () => undefined }
  const prover = new ChainProver(
    EVERY_MS,
    { network, registry, address },
    { registryLog, sender, proofs, clock, log, ...events },
  )
  do {
    await registryLog.look()
    await prover.look()
    await clock.sleep(EVERY_MS)
  } while (prover.openCount > 0 || sender.listUnderWay('proof').length > 0)
}

async function challengeOnce(): Promise<void> {
  const placement = { inForce: undefined }
  const modules = { registryLog, sender, placement, clock, log }
  const expired = new ExpiredChallenges(EVERY_MS, { network, address }, modules)
  const challenger = new ChainChallenger(
    { network, registry, everyMs: EVERY_MS },
    {
      ...{ sender, history: store.challenges, drawSignatures: store.drawSignatures, clock, log },
      network: { request: () => Promise.reject(new Error('asked')) },
      findPeer: () => undefined,
      onOffence: () => undefined,
    },
  )
  const target = { challengeId: id, chunkId: Buffer.from(chunk, 'hex'), nonce: 7n }
  const known = await store.challenges.find(id)
  let isOver = false
  const task = known ? challenger.resume() : challenger.issue(node, [target])
  const done = task.finally(() => {
    isOver = true
  })
  done.catch(() => undefined)
  while (!isOver || sender.listUnderWay('resolve').length > 0 || sender.listUnderWay('challenge').length > 0) {
    await registryLog.look()
    await expired.look()
    await clock.sleep(EVERY_MS)
  }
  await done
}

async function claim(): Promise<void> {
  let period = 0
  const rewards = new RewardDuty(
    { address, everyMs: EVERY_MS, distributionPeriods: 100, claimThresholdNanoMas: 1n, feeNanoMas: 1n },
    { sender, placement: { inForce: undefined, isCurrent: false }, finalPeriod: () => ++period, clock, log },
  )
  do {
    await rewards.look()
    await clock.sleep(EVERY_MS)
  } while (sender.listUnderWay('claim').length > 0)
  const failure = rewards.failing('claimRewards')
  if (failure && isArchiveError(failure)) throw failure
}
