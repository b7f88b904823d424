import { randomBytes } from 'node:crypto'
import { ERA_PERIODS, type Period } from '../../core/index.ts'
import { ChallengeTimer, computeIntervalPeriods } from '../../storage-worker/challenge/challenge-timer.ts'
import { drawAnchoredAudit } from '../../storage-worker/challenge/draw-anchored-audit.ts'
import { drawAudit, listDrawNodes } from '../../storage-worker/challenge/draw-audit.ts'
import type { Auditor } from '../../storage-worker/replication/auditor.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { keepRunning, type PeerContext } from '../peers/peer-context.ts'
import { type ChainContext, REGISTRY_LOOK_MS } from './chain-context.ts'
import type { ChainChallenges } from './start-chain-challenges.ts'

/** Challenges nodes on chain by draws, and for what they did not show to audits. */
export function startChallengeTimer(
  context: PeerContext,
  { sender, anchors }: ChainContext,
  modules: ChainChallenges & { readonly auditor: Auditor; readonly claims: Pick<HolderClaims, 'listClaimants'> },
): void {
  const { config, address, seed, store, pastPlacements: placements, clock, log } = context
  const { registryLog, challenger, evidence, auditor, claims } = modules
  const readFirstEra = async () => Number((await sender.client.readState()).firstEra)
  const anchored = { store: store.chunks, readFirstEra, anchors, placements }
  const claimed = {
    store: store.chunks,
    listNodes: (period: Period) => listDrawNodes(period, placements),
    claims: (node: string, hashSlot: number, of: Period) => {
      const era = Math.floor(of / ERA_PERIODS)
      return claims.listClaimants(hashSlot, era, { first: of, last: of }).includes(node)
    },
  }
  const timer = new ChallengeTimer(
    REGISTRY_LOOK_MS,
    {
      address,
      frequencyPeriods: config.challengeFrequencyPeriods,
      minIntervalPeriods: computeIntervalPeriods(config.minChallengeInterval),
      maxFeePercent: config.contract.maxChallengeFeePercent,
      feeNanoMas: config.contract.feeNanoMas,
    },
    {
      registryLog,
      sender,
      challenger,
      draw: async (period, count) => {
        const { requireAnchors, placementLagEras: lagEras } = await evidence.readConfig()
        const options = { period, keySeed: seed, count }
        if (!requireAnchors) return await drawAudit(options, claimed)
        return await drawAnchoredAudit({ ...options, lagEras }, anchored)
      },
      listSuspicions: () => auditor.listSuspicions(),
      findChunkId: async (period, index) => (await store.chunks.readManifest(period))?.chunks[index]?.chunkId,
      gatherEvidence: (node, chunkId, placementEra) => evidence.gatherIfRequired(node, chunkId, placementEra),
      random: randomBytes,
      clock,
      log,
    },
  )
  keepRunning('challenge timer', timer, context)
}
