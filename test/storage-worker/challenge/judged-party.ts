import assert from 'node:assert/strict'
import { type ChunkStore, computeChunkId } from '../../../core/index.ts'
import { ChainChallenger, type ChallengeTarget } from '../../../storage-worker/challenge/chain-challenger.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import { ChallengeHistory } from '../../../storage-worker/challenge/challenge-history.ts'
import { DiskProofs } from '../../../storage-worker/challenge/disk-proofs.ts'
import { DrawSignatures } from '../../../storage-worker/challenge/draw-signatures.ts'
import { ExpiredChallenges } from '../../../storage-worker/challenge/expired-challenges.ts'
import { RegistryLog } from '../../../storage-worker/challenge/registry-log.ts'
import { RegistryClient } from '../../../storage-worker/index.ts'
import { OperationJournal } from '../../../storage-worker/sending/operation-journal.ts'
import { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { makeWallet } from '../../devnet/node/face.ts'
import { settle } from '../../turns.ts'
import { TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'
import type { JudgedChain } from './judged-chain.ts'

const { network } = TEST_IDENTITY
export const MAS = 1_000_000_000n
/** From one look of a sidecar at the chain to the next. */
const EVERY_SLOTS = 4
const EVERY_MS = 2_000

/** Wallet of an actor: 0 is the admin. */
export function walletOf(actor: number): ReturnType<typeof makeWallet> {
  return makeWallet(`registry fuzz ${actor}`)
}

/** What of a sidecar acts in the registry, on a store. */
export type Party = Awaited<ReturnType<typeof makeParty>>

/** @param proofs - instead of those from the store */
export async function makeParty(
  chain: JudgedChain,
  actor: number,
  store: Pick<ChunkStore, 'identity' | 'findChunks' | 'readChunk'>,
  change?: (honest: DiskProofs['make']) => DiskProofs['make'],
) {
  const { address, seed } = walletOf(actor)
  const { clock } = chain
  const lines: string[] = []
  const destination = { write: (text: string) => lines.push(text.trimEnd()) }
  const log = createLogger({ level: 'info', format: 'human', destination })
  const index = await openMemoryLevel('index')
  const registry = chain.world.contract
  const client = new RegistryClient(registry, chain.portOf(address))
  const journal = new OperationJournal(index)
  const sender = new RegistrySender({ address, minBalanceNanoMas: MAS }, { client, journal, log })
  const registryLog = new RegistryLog({ network, everyMs: EVERY_MS, lookBackPeriods: 256 }, { client, clock, log })
  const disk = new DiskProofs(seed, { store, withheld: { has: () => false } })
  const honest: DiskProofs['make'] = (terms, onRead) => disk.make(terms, onRead)
  const prover = new ChainProver(
    EVERY_MS,
    { network, registry, address },
    {
      ...{ registryLog, sender, clock, log, onMargin: () => undefined, onLost: () => undefined },
      proofs: { make: change ? change(honest) : honest },
    },
  )
  const placement = { inForce: undefined }
  const expired = new ExpiredChallenges(EVERY_MS, { network, address }, { registryLog, sender, placement, clock, log })
  const history = new ChallengeHistory(index)
  const drawSignatures = new DrawSignatures(index)
  const challenger = new ChainChallenger(
    { network, registry, everyMs: EVERY_MS },
    {
      ...{ sender, history, drawSignatures, findPeer: () => undefined, clock, log },
      network: { request: async () => assert.fail('asked') },
      onOffence: () => assert.fail('an offence'),
    },
  )
  return { address, client, registryLog, prover, expired, history, challenger, lines }
}

/** All look again and again, slot by slot, while something is awaited. */
export async function whileLooking<T>(chain: JudgedChain, parties: readonly Party[], task: Promise<T>): Promise<T> {
  let isOver = false
  const done = task.finally(() => {
    isOver = true
  })
  done.catch(() => undefined)
  while (!isOver) {
    for (let slot = 0; slot < EVERY_SLOTS; slot++) {
      chain.step()
      await settle(2)
    }
    for (const { registryLog, prover, expired } of parties) {
      await registryLog.look()
      await prover.look()
      await expired.look()
    }
    await settle(2)
  }
  return await done
}

/** Nobody looks; what is sent is executed. */
export function passPeriods(chain: JudgedChain, periods: number): void {
  for (let slot = 0; slot < 32 * periods; slot++) chain.step()
}

let ids = 0

export function targetOf(chunk: Uint8Array, nonce = 7n): ChallengeTarget {
  return { challengeId: `m-${++ids}`, chunkId: computeChunkId(chunk), nonce }
}
