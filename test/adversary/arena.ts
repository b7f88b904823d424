import {
  type ChallengeAnswer,
  encodeSignatureArgument,
  isArchiveError,
  MAX_BATCH,
  PERIOD_MS,
  parseAddress,
  type RegistryConfig,
  toHex,
  verifyChallengeAnswer,
} from '../../core/index.ts'
import type { SeededRandom } from '../fuzz/registry/random.ts'
import type { HistoryChunk } from './history.ts'
import type { Party } from './party.ts'
import type { Placement } from './placement.ts'
import { type CallResult, CHAIN_ID, type RegistryChain } from './registry-chain.ts'
import type { SettingName } from './settings.ts'
import type { Asked, StorageNode } from './storage-node.ts'

/** What a record or two cost; the rest comes back. */
const RECORD_COINS_NANO_MAS = 10n ** 9n
const PASSED = 'CHALLENGE_PASSED:'

/** One challenge to be issued. */
export interface Order {
  readonly id: string
  readonly chunkId: Uint8Array
  readonly nonce: bigint
  /** Undefined when there is no such chunk. */
  readonly chunk: HistoryChunk | undefined
}

interface OpenChallenge {
  readonly asked: Asked
  readonly node: StorageNode
  readonly deadlineMs: number
}

/** A registry with its nodes, in one run. */
export interface ArenaWorld {
  readonly setting: SettingName
  readonly config: RegistryConfig
  readonly chain: RegistryChain
  readonly placement: Placement
  readonly random: SeededRandom
  readonly challengerCount: number
  /** By an honest challenger. */
  readonly isWatched: boolean
  /** Resolves and distributes, whenever it is due. */
  readonly patron: Party
  readonly honest: readonly StorageNode[]
  /** The adversary's. */
  readonly suspects: readonly StorageNode[]
}

/** Where honest nodes and an adversary meet: who is challenged, who answers, and what the registry says to it. */
export class Arena {
  readonly world: ArenaWorld
  readonly nodes: readonly StorageNode[]
  private readonly open = new Map<string, OpenChallenge>()
  /** The last one of each node. */
  private readonly audits = new Map<
    StorageNode,
    { readonly by: Party; readonly period: number; readonly ids: string[] }
  >()
  private readonly inactive = new Set<StorageNode>()
  private distributedPeriod = 0

  constructor(world: ArenaWorld) {
    this.world = world
    this.nodes = [...world.honest, ...world.suspects]
  }

  get period(): number {
    return this.world.chain.period
  }

  get random(): SeededRandom {
    return this.world.random
  }

  /** Challenges that are open, whoever they are for. */
  listOpen(): readonly { readonly asked: Asked; readonly node: StorageNode }[] {
    return [...this.open.values()]
  }

  /** Whether the registry takes an audit by this challenger now, and the challenger's own interval is over. */
  mayAudit(by: Party, node: StorageNode, intervalPeriods = 0): boolean {
    const { chain, config, challengerCount } = this.world
    const last = this.audits.get(node)
    const isAgain = challengerCount > 1 && last?.by === by
    const least = Math.max(1, intervalPeriods, Number(config.minChallengeIntervalPeriods)) * (isAgain ? 2 : 1)
    if (last !== undefined && (this.period < last.period + least || last.ids.some((id) => this.open.has(id))))
      return false
    // Nobody here tops up a stake.
    if (!this.inactive.has(node) && !chain.view('getNodeInfo', node).active) this.inactive.add(node)
    return !this.inactive.has(node)
  }

  /** Challenges a node, with evidence where there are placements on chain. */
  issue(by: Party, node: StorageNode, orders: readonly Order[]): CallResult {
    const { chain, config, placement } = this.world
    const result = chain.send(
      by.address,
      'issueChallenges',
      {
        challengeIds: orders.map(({ id }) => id),
        nodeAddress: node.address,
        chunkIds: orders.map(({ chunkId }) => toHex(chunkId)),
        nonces: orders.map(({ nonce }) => nonce),
        evidences: config.requireAnchors
          ? orders.map(({ chunk }) => (chunk ? placement.proveHolder(chunk) : new Uint8Array()))
          : [],
      },
      RECORD_COINS_NANO_MAS,
    )
    if (!result.ok) return result
    this.audits.set(node, { by, period: this.period, ids: orders.map(({ id }) => id) })
    for (const order of orders) {
      const asked = this.makeAsked(node, order, 'challenge')
      node.queue.push(asked)
      const deadlineMs = this.period * PERIOD_MS + Number(config.challengeResponseTimeout)
      this.open.set(order.id, { asked, node, deadlineMs })
    }
    return result
  }

  makeAsked(node: StorageNode, { id, chunkId, nonce, chunk }: Order, kind: Asked['kind']): Asked {
    const { chain, config } = this.world
    return {
      challenge: {
        chainId: CHAIN_ID,
        contract: chain.contract,
        challengeId: id,
        nodeAddress: node.address,
        chunkId,
        nonce,
        issuedPeriod: kind === 'challenge' ? this.period : 0,
      },
      kind,
      samples: config.samplesPerChallenge,
      chunk,
    }
  }

  /** Has a node answer what is due, as it answers. */
  answer(node: StorageNode): void {
    const due = node.queue.filter(
      ({ challenge }) => challenge.issuedPeriod + node.habits.answersAfterPeriods <= this.period,
    )
    if (due.length === 0) return
    node.queue.splice(0, node.queue.length, ...node.queue.filter((asked) => !due.includes(asked)))
    const answers = due.flatMap((asked) => {
      const answer = node.habits.answer(asked, node)
      return answer ? [{ asked, answer }] : []
    })
    if (answers.length > 0) this.submit(node.party, answers)
  }

  /**
   * Sends answers, in one call.
   *
   * @throws Error when the registry says otherwise than `verifyChallengeAnswer` does
   */
  submit(by: Party, answers: readonly { readonly asked: Asked; readonly answer: ChallengeAnswer }[]): CallResult {
    const result = this.world.chain.send(by.address, 'submitProofs', {
      challengeIds: answers.map(({ asked }) => asked.challenge.challengeId),
      merkleProofs: answers.map(({ answer }) => answer.proof),
      signatures: answers.map(({ answer }) => encodeSignatureArgument(answer.signature)),
    })
    const passed = new Set(
      result.events.filter((event) => event.startsWith(PASSED)).map((event) => event.slice(PASSED.length)),
    )
    let good = 0
    for (const { asked, answer } of answers) {
      const { challengeId, nodeAddress } = asked.challenge
      const isGood = isAccepted(answer, asked)
      if (isGood) good++
      if (!result.ok) continue
      this.open.delete(challengeId)
      if (passed.has(`${challengeId},${nodeAddress}`) !== isGood) throw new Error(`${challengeId}: core says ${isGood}`)
    }
    const isLate = result.code === 'REGISTRY_CHALLENGE_LATE' || result.code === 'REGISTRY_CHALLENGE_RESOLVED'
    if (!result.ok && !isLate && good === answers.length) throw new Error(`a good answer is refused: ${result.code}`)
    return result
  }

  /** Has expire what nobody answered in time, and distributes. */
  keepUp(distributeEveryPeriods: number): void {
    const { chain, patron } = this.world
    const nowMs = this.period * PERIOD_MS
    const expired = [...this.open].filter(([, { deadlineMs }]) => deadlineMs < nowMs).map(([id]) => id)
    for (let i = 0; i < expired.length; i += MAX_BATCH) {
      const challengeIds = expired.slice(i, i + MAX_BATCH)
      mustSucceed(chain.send(patron.address, 'resolveExpiredChallenges', { challengeIds }))
      for (const id of challengeIds) this.open.delete(id)
    }
    if (this.period % distributeEveryPeriods === 0) this.distribute(patron)
  }

  /** Up to the period before this one, unless somebody did. */
  distribute(by: Party): void {
    const period = this.period - 1
    if (period <= this.distributedPeriod) return
    this.distributedPeriod = period
    mustSucceed(
      this.world.chain.send(by.address, 'distributeRewards', { period: BigInt(period) }, RECORD_COINS_NANO_MAS),
    )
  }
}

/** An answer is made for one challenge. */
const verdicts = new WeakMap<ChallengeAnswer, boolean>()

/** By the verifier's own code. */
export function isAccepted(answer: ChallengeAnswer, asked: Asked): boolean {
  const verdict = verdicts.get(answer) ?? judge(answer, asked)
  verdicts.set(answer, verdict)
  return verdict
}

function judge(answer: ChallengeAnswer, { challenge, kind, samples }: Asked): boolean {
  try {
    verifyChallengeAnswer(answer, { challenge, kind, samples }, parseAddress(challenge.nodeAddress))
    return true
  } catch (error) {
    if (isArchiveError(error, 'CORE_PROOF_INVALID')) return false
    throw error
  }
}

export function mustSucceed({ ok, code }: CallResult): void {
  if (!ok) throw new Error(`refused: ${code}`)
}
