import { randomBytes } from 'node:crypto'
import { ERA_PERIODS } from '../../core/index.ts'
import { ChallengeTimer, computeIntervalPeriods } from '../../storage-worker/challenge/challenge-timer.ts'
import { drawAudit } from '../../storage-worker/challenge/draw-audit.ts'
import type { Auditor } from '../../storage-worker/replication/auditor.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { keepRunning, type PeerContext } from '../peers/peer-context.ts'
import { type ChainContext, REGISTRY_LOOK_MS } from './chain-context.ts'
import type { ChainChallenges } from './start-chain-challenges.ts'

/** Challenges nodes on chain by draws, and for what they did not show to audits. */
export function startChallengeTimer(
  context: PeerContext,
  { sender }: ChainContext,
  modules: ChainChallenges & { readonly auditor: Auditor; readonly claims: Pick<HolderClaims, 'listClaimants'> },
): void {
  const { config, address, seed, store, placement, clock, log } = context
  const { registryLog, challenger, evidence, auditor, claims } = modules
  const timer = new ChallengeTimer(
    REGISTRY_LOOK_MS,
    {
      address,
      frequencyPeriods: config.challengeFrequencyPeriods,
      minIntervalPeriods: computeIntervalPeriods(config.minChallengeInterval),
      maxFeePercent: config.contract.maxChallengeFeePercent,
    },
    {
      registryLog,
      sender,
      challenger,
      draw: (period, count) =>
        drawAudit(
          { period, keySeed: seed, count },
          {
            store: store.chunks,
            listNodes: () => placement.inForce?.snapshot.nodes.map((node) => node.address) ?? [],
            claims: (node, hashSlot, of) => {
              const era = Math.floor(of / ERA_PERIODS)
              return claims.listClaimants(hashSlot, era, { first: of, last: of }).includes(node)
            },
          },
        ),
      listSuspicions: () => auditor.listSuspicions(),
      findChunkId: async (period, index) => (await store.chunks.readManifest(period))?.chunks[index]?.chunkId,
      gatherEvidence: (node, chunkId) => evidence.gatherIfRequired(node, chunkId),
      random: randomBytes,
      clock,
      log,
    },
  )
  keepRunning('challenge timer', timer, context)
}
