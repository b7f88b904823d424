import { randomBytes } from 'node:crypto'
import { type ChallengeTerms, DEFAULT_SAMPLES, isArchiveError, type Period, toHex } from '../../../core/index.ts'
import { askForProof } from '../../../storage-worker/challenge/ask-proof.ts'
import type {
  ChainChallenger,
  ChainChallengerModules,
  ChainChallengerOptions,
  ChallengeTarget,
} from '../../../storage-worker/challenge/chain-challenger.ts'
import {
  ChallengeTimer,
  type ChallengeTimerModules,
  type ChallengeTimerOptions,
} from '../../../storage-worker/challenge/challenge-timer.ts'
import { partsOf, tellDeed, twist } from './twist.ts'

/** Of one audit. */
export const AUDIT_TARGETS = 8
/** Refusals that time alone ends. */
const NOT_YET: readonly string[] = ['REGISTRY_AUDIT_OPEN', 'REGISTRY_TOO_SOON']

/** What a challenger has that draws for nobody. */
export interface Turn {
  readonly period: Period
  readonly address: string
  readonly timer: ChallengeTimerModules
  readonly chain: ChainChallengerModules
  readonly chainOptions: ChainChallengerOptions
  readonly challenger: ChainChallenger
}

/** In the place of honest draws: every second, from when on the registry lets this node challenge. */
export function onTurn(act: (turn: Turn) => Promise<void>): void {
  twist<ChallengeTimer, ChallengeTimer['look']>(ChallengeTimer, 'look', (_, self) => async () => {
    const { options, modules } = partsOf<{
      readonly options: ChallengeTimerOptions
      readonly modules: ChallengeTimerModules & { readonly challenger: ChainChallenger }
    }>(self)
    const { period } = modules.registryLog
    const { address } = options
    if (period === undefined || !(await modules.sender.client.read('isChallenger', { address }))) return
    const { challenger } = modules
    const { modules: chain, options: chainOptions } = partsOf<{
      readonly modules: ChainChallengerModules
      readonly options: ChainChallengerOptions
    }>(challenger)
    await act({ period, address, timer: modules, chain, chainOptions, challenger })
  })
}

const underWay = new Set<string>()

/** An audit of a node, unless the one before is not over or the registry takes none of it yet. Waits for nothing. */
export function audit(turn: Turn, node: string, what: string, targets: readonly ChallengeTarget[]): void {
  if (underWay.has(node) || targets.length === 0) return
  underWay.add(node)
  turn.challenger
    .issue(node, targets)
    .then(
      (ended) => tellDeed(`challenges for ${what}: ${ended.map(({ result }) => result).join(' ')}`),
      (error: unknown) => {
        if (!isArchiveError(error)) throw error
        if (!NOT_YET.includes(error.code)) tellDeed(`may not challenge for ${what}: ${error.code}`)
      },
    )
    .finally(() => underWay.delete(node))
}

export function isUnderAudit(node: string): boolean {
  return underWay.has(node)
}

export function targetOf(chunkId: Uint8Array): ChallengeTarget {
  const nonce = randomBytes(8).readBigUInt64BE()
  return { challengeId: `x-${toHex(randomBytes(16))}`, chunkId, nonce }
}

/** Of what is young enough for everybody to have it, and old enough to be final. */
export async function listYoungTargets({ timer, period }: Turn): Promise<ChallengeTarget[]> {
  const ages = Array.from({ length: AUDIT_TARGETS }, (_, i) => 10 + i)
  const ids = await Promise.all(ages.map((age) => timer.findChunkId(period - age, 0)))
  return ids.flatMap((chunkId) => (chunkId ? [targetOf(chunkId)] : []))
}

/**
 * Asks by libp2p.
 *
 * @param issuedPeriod - that the challenge is said to be of; undefined for a rehearsal
 * @returns what came of it; undefined when the node is not connected
 */
export async function askPeer(
  { chain, chainOptions }: Turn,
  nodeAddress: string,
  { chunkId, challengeId, nonce }: ChallengeTarget,
  issuedPeriod?: Period,
): Promise<string | undefined> {
  const peer = chain.findPeer(nodeAddress)
  if (peer === undefined) return undefined
  const { network, registry: contract } = chainOptions
  const terms: ChallengeTerms = {
    kind: issuedPeriod === undefined ? 'rehearsal' : 'challenge',
    samples: DEFAULT_SAMPLES,
    challenge: {
      chainId: network.chainId,
      contract,
      challengeId,
      nodeAddress,
      chunkId,
      nonce,
      issuedPeriod: issuedPeriod ?? 0,
    },
  }
  return (await askForProof(peer, terms, chain)).result
}
