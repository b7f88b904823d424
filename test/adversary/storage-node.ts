import {
  type Challenge,
  type ChallengeAnswer,
  type ChallengeKind,
  computeStorageProof,
  makeChallengeAnswer,
  verifyStorageProof,
} from '../../core/index.ts'
import { type Duty, listDuty, select } from './duty.ts'
import { type HistoryChunk, readChunk } from './history.ts'
import type { Party } from './party.ts'

/** A challenge as who is to answer it sees it. */
export interface Asked {
  readonly challenge: Challenge
  readonly kind: ChallengeKind
  readonly samples: number
  /** Undefined when there is no such chunk. */
  readonly chunk: HistoryChunk | undefined
}

/** What a storage node does that another may do otherwise. */
export interface Habits {
  /** Whether the chunk, one that it is to keep, is on its disk. */
  keeps(chunk: HistoryChunk): boolean
  /** Whether its have-map names the chunk, all by default: without anchors it is asked on chain for nothing else. */
  lists?(chunk: HistoryChunk): boolean
  /** The bytes that it can lay hands on while it is asked. */
  find(chunk: HistoryChunk): Uint8Array | undefined
  answer(asked: Asked, node: StorageNode): ChallengeAnswer | undefined
  /** From the challenge to the block that takes the answer. */
  readonly answersAfterPeriods: number
}

/** 32 s: of what is sent to a real chain 99 % is in a block after 24 to 31 s. */
const ANSWERS_AFTER_PERIODS = 2

/** By challenge: many runs have the same ones. */
const answers = new Map<string, ChallengeAnswer>()

export class StorageNode {
  readonly party: Party
  readonly gb: bigint
  readonly habits: Habits
  /** What placement gives it. */
  readonly hashSlots: ReadonlySet<number>
  /** The chunks of these. */
  readonly duty: Duty
  /** Challenges that wait for its answer. */
  readonly queue: Asked[] = []
  /** What of them it may be challenged for. */
  readonly askable: Duty

  constructor(
    of: { readonly party: Party; readonly gb: bigint; readonly hashSlots: ReadonlySet<number> },
    differs: { readonly habits: Partial<Habits>; readonly isAskedForListedOnly: boolean },
  ) {
    this.party = of.party
    this.gb = of.gb
    this.hashSlots = of.hashSlots
    this.habits = {
      keeps: () => true,
      find: (chunk) => (this.habits.keeps(chunk) ? readChunk(chunk) : undefined),
      answer: (asked) => this.answerHonestly(asked),
      answersAfterPeriods: ANSWERS_AFTER_PERIODS,
      ...differs.habits,
    }
    this.duty = listDuty(of.hashSlots)
    const { lists } = this.habits
    this.askable = differs.isAskedForListedOnly && lists ? select(lists, this.duty) : this.duty
  }

  get address(): string {
    return this.party.address
  }

  /** By the prover's own code; nothing when the bytes cannot be had. */
  answerHonestly({ challenge, kind, samples, chunk }: Asked): ChallengeAnswer | undefined {
    const bytes = chunk && this.habits.find(chunk)
    if (!bytes) return undefined
    const { contract, challengeId, issuedPeriod, nonce } = challenge
    const key = [contract, this.address, kind, challengeId, issuedPeriod, nonce, chunk.period, chunk.index].join(' ')
    const answer = answers.get(key) ?? makeChallengeAnswer(bytes, { challenge, kind, samples }, this.party.seed)
    answers.set(key, answer)
    return answer
  }

  /** Whether it shows another node the leaf that is asked for, off chain. @param seed - 32 bytes, decides the leaf */
  showsLeaf(chunk: HistoryChunk, seed: Uint8Array): boolean {
    const bytes = this.habits.find(chunk)
    if (!bytes) return false
    const order = { seed, samples: 1 }
    verifyStorageProof(computeStorageProof(bytes, order), chunk.chunkId, order)
    return true
  }
}
