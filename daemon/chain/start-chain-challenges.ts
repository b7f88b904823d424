import { isArchiveError } from '../../core/index.ts'
import { ChainChallenger } from '../../storage-worker/challenge/chain-challenger.ts'
import { ChainProver } from '../../storage-worker/challenge/chain-prover.ts'
import { ChunkEvidence } from '../../storage-worker/challenge/chunk-evidence.ts'
import type { DiskProofs } from '../../storage-worker/challenge/disk-proofs.ts'
import { ExpiredChallenges } from '../../storage-worker/challenge/expired-challenges.ts'
import { FinalVerdicts } from '../../storage-worker/challenge/final-verdicts.ts'
import { PeriodPruner } from '../../storage-worker/challenge/period-pruner.ts'
import { RecordPruner } from '../../storage-worker/challenge/record-pruner.ts'
import { RegistryLog } from '../../storage-worker/challenge/registry-log.ts'
import { CHALLENGE_ENDS } from '../../telemetry/index.ts'
import { listBoundPeers } from '../peers/connected-peers.ts'
import { keepRunning, type PeerContext } from '../peers/peer-context.ts'
import { type ChainContext, REGISTRY_LOOK_MS } from './chain-context.ts'

/** Longer than the longest deadline that a registry may have, and the turns behind it. */
const LOOK_BACK_PERIODS = 256

export interface ChainChallenges {
  readonly registryLog: RegistryLog
  readonly prover: ChainProver
  readonly challenger: ChainChallenger
  /** What challenges show where the registry requires anchors. */
  readonly evidence: ChunkEvidence
}

/** Shows the registry what it asks this node for, issues the operator's challenges, and has expired ones judged. */
export function startChainChallenges(
  context: PeerContext,
  { sender, anchors, placement }: ChainContext,
  proofs: DiskProofs,
): ChainChallenges {
  const { config, address, node, store, pastPlacements, clock, log, metrics, undo, onFatal } = context
  const { network } = store.chunks.identity
  const registry = config.storageRegistryAddress
  const everyMs = REGISTRY_LOOK_MS
  const registryLog = new RegistryLog(
    { network, everyMs, lookBackPeriods: LOOK_BACK_PERIODS },
    { client: sender.client, clock, log },
  )
  metrics.lostChallenges.add(0)
  metrics.challengesIssued.add(0)
  for (const result of CHALLENGE_ENDS) metrics.challengesEnded.add(0, { result })
  const prover = new ChainProver(
    everyMs,
    { network, registry, address },
    {
      registryLog,
      sender,
      proofs,
      clock,
      log,
      onMargin: (seconds) => metrics.proofMargin.observe(seconds),
      onLost: () => metrics.lostChallenges.add(1),
    },
  )
  const expired = new ExpiredChallenges(everyMs, { network, address }, { registryLog, sender, placement, clock, log })
  const verdicts = new FinalVerdicts({ sender, history: store.challenges, clock, log })
  const challenger = new ChainChallenger(
    { network, registry, everyMs },
    {
      network: node,
      sender,
      history: store.challenges,
      drawSignatures: store.drawSignatures,
      findPeer: (wanted) => listBoundPeers(context).find((bound) => bound.address === wanted)?.peer,
      onOffence: (peer, offence) => node.penalise(peer, offence),
      onResumed: (challengeId) => expired.watch(challengeId),
      onIssued: (count) => metrics.challengesIssued.add(count),
      onEnd: (entry) => {
        metrics.challengesEnded.add(1, { result: entry.result })
        verdicts.note(entry)
      },
      clock,
      log,
    },
  )
  keepRunning('registry log', registryLog, context)
  keepRunning('prover', prover, context)
  keepRunning('expired challenges', expired, context)
  keepRunning('final verdicts', verdicts, context)
  const { feeNanoMas } = config.contract
  const pruner = new RecordPruner({ feeNanoMas }, { sender, history: store.challenges, clock, log })
  keepRunning('record pruner', pruner, context)
  keepRunning('period pruner', new PeriodPruner({ address, feeNanoMas }, { sender, placement, clock, log }), context)
  const resuming = challenger.resume().catch((error: unknown) => {
    // What is not over when the sidecar stops is looked at after the next start.
    if (isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN')) return
    if (!isArchiveError(error)) throw error
    log.warn({ err: error, code: error.code }, 'what became of earlier challenges is not known')
  })
  resuming.catch(onFatal)
  undo.push(async () => {
    challenger.stop()
    await resuming.catch(() => undefined)
  })
  const evidence = new ChunkEvidence({
    client: sender.client,
    store: store.chunks,
    anchors,
    placements: pastPlacements,
  })
  return { registryLog, prover, challenger, evidence }
}
