import { setMaxListeners } from 'node:events'
import {
  ArchiveError,
  type ChallengeTerms,
  type Clock,
  fromHex,
  isArchiveError,
  type Network,
  type RegistryChallenge,
  toHex,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { isNodeTrouble } from '../node-trouble.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import { type AskProofModules, askForProof } from './ask-proof.ts'
import { CHAIN_ENDS, type ChainEnd } from './chain-ends.ts'
import type { ChallengeEntry, ChallengeHistory } from './challenge-history.ts'
import type { DrawSignatures } from './draw-signatures.ts'
import { tellResult } from './tell-result.ts'

/** The record of a challenge on the ledger, and a part of that of its period: what is not used comes back. */
const COINS_PER_CHALLENGE_NANO_MAS = 30_000_000n
const COINS_PER_PERIOD_NANO_MAS = 10_000_000n

/** Looks that find no record before it counts as dropped. */
const MAX_UNKNOWN = 100

const KEY = 'challenge'

/** What to ask a node for. */
export interface ChallengeTarget {
  /** 1 to 64 of [0-9A-Za-z_-]; beginning with `m-` by hand, `a-` after failed audits. */
  readonly challengeId: string
  /** 32 bytes */
  readonly chunkId: Uint8Array
  /** u64 */
  readonly nonce: bigint
  /** 65 bytes by which a draw can be recomputed. */
  readonly drawSignature?: Uint8Array
  /** Where the registry requires anchors, see `ChunkEvidence`; of all targets of an audit or of none. */
  readonly evidence?: Uint8Array
}

export interface ChainChallengerOptions {
  readonly network: Network
  /** Address of the registry. */
  readonly registry: string
  /** From one look at the chain to the next. */
  readonly everyMs: number
}

export interface ChainChallengerModules extends AskProofModules {
  readonly sender: Pick<RegistrySender, 'client' | 'send' | 'listUnderWay'>
  readonly history: ChallengeHistory
  readonly drawSignatures: Pick<DrawSignatures, 'put'>
  /** A connected peer that speaks for this Massa address. */
  readonly findPeer: (address: string) => string | undefined
  /** One that was open when the sidecar ended. */
  readonly onResumed?: (challengeId: string) => void
  /** So many were issued by one call. */
  readonly onIssued?: (count: number) => void
  /** One is over, as a block says that may still be dropped. */
  readonly onEnd?: (entry: ChallengeEntry & { readonly result: ChainEnd }) => void
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Challenges on chain: issued by one call for up to eight chunks of one node, told to it by libp2p as well, and over when
 * the contract has said what became of each. All are in the history before they are sent, so that none is forgotten. What it
 * says of the end is candidate: `FinalVerdicts` reads it again.
 */
export class ChainChallenger {
  private readonly options: ChainChallengerOptions
  private readonly modules: ChainChallengerModules
  private readonly stopping = new AbortController()

  constructor(options: ChainChallengerOptions, modules: ChainChallengerModules) {
    this.options = options
    this.modules = modules
    // Every challenge that is open listens to it.
    setMaxListeners(0, this.stopping.signal)
  }

  /** What is open is looked at again after the next start. */
  stop(): void {
    this.stopping.abort()
  }

  /** Learns what becomes of challenges that were open when the sidecar ended. @throws ArchiveError of the store */
  async resume(): Promise<void> {
    const open = await this.modules.history.listOpen()
    for (const { challengeId } of open) this.modules.onResumed?.(challengeId)
    await Promise.all(open.map((entry) => this.finish(entry)))
  }

  /**
   * One audit: issues, and waits until each challenge is over on chain.
   *
   * @param node - Massa address
   * @param targets - 1 to 8
   * @throws ArchiveError REGISTRY_*, CHAIN_* when they are not issued (REGISTRY_CHALLENGE_EXISTS also when that is under way
   *   since before a restart); CHAIN_OUTCOME_UNKNOWN when the sidecar stops before they are over; of the store
   */
  async issue(node: string, targets: readonly ChallengeTarget[]): Promise<ChallengeEntry[]> {
    const { sender, history } = this.modules
    const ids = targets.map(({ challengeId }) => challengeId)
    const [first = ''] = ids
    if (this.isUnderWay(first)) {
      throw new ArchiveError('REGISTRY_CHALLENGE_EXISTS', `challenge ${first} was sent before`, { challengeId: first })
    }
    const evidences = targets.flatMap(({ evidence }) => (evidence ? [evidence] : []))
    let open: readonly ChallengeEntry[] = []
    const sending = sender.send({
      purpose: 'challenge',
      key: [KEY, ...ids].join(' '),
      call: 'issueChallenges',
      args: {
        challengeIds: ids,
        nodeAddress: node,
        chunkIds: targets.map(({ chunkId }) => toHex(chunkId)),
        nonces: targets.map(({ nonce }) => nonce),
        ...(evidences.length > 0 && { evidences }),
      },
      coinsNanoMas: COINS_PER_PERIOD_NANO_MAS + BigInt(targets.length) * COINS_PER_CHALLENGE_NANO_MAS,
      onSigned: async () => {
        open = targets.map((target) => this.makeEntry(node, target))
        for (const entry of open) await history.append(entry)
      },
    })
    try {
      await this.awaitIssued(first, sending)
    } catch (error) {
      if (this.stopping.signal.aborted) throw error
      // It may have been executed all the same: the chain is asked as long as it takes.
      if (!isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN')) {
        for (const entry of open) await history.delete(entry)
        throw error
      }
    }
    this.modules.onIssued?.(open.length)
    return await Promise.all(open.map((entry) => this.follow(entry)))
  }

  /**
   * The same, once another audit of the node, and the interval behind it, are over.
   *
   * @param patienceMs - waits for so long at most
   * @throws ArchiveError as `issue`; REGISTRY_AUDIT_OPEN, REGISTRY_TOO_SOON when it took longer
   */
  async issueWhenFree(
    node: string,
    targets: readonly ChallengeTarget[],
    patienceMs: number,
  ): Promise<ChallengeEntry[]> {
    const { clock } = this.modules
    const untilMs = clock.monotonicMs() + patienceMs
    for (;;) {
      try {
        return await this.issue(node, targets)
      } catch (error) {
        const isBusy = isArchiveError(error, 'REGISTRY_AUDIT_OPEN') || isArchiveError(error, 'REGISTRY_TOO_SOON')
        if (!isBusy || clock.monotonicMs() >= untilMs) throw error
        await this.pause()
      }
    }
  }

  /** A candidate block has it long before the call is final: time that the node has to answer. */
  private async awaitIssued(challengeId: string, sending: Promise<unknown>): Promise<void> {
    let isFinal = false
    const ended = sending.then(() => {
      isFinal = true
    })
    ended.catch(() => undefined)
    while (!isFinal && typeof (await this.find(challengeId)) === 'string') {
      await Promise.race([ended, this.pause()])
    }
  }

  private makeEntry(node: string, { challengeId, chunkId, nonce, drawSignature }: ChallengeTarget): ChallengeEntry {
    return {
      challengeId,
      kind: 'challenge',
      node,
      chunkId: toHex(chunkId),
      nonce: nonce.toString(),
      issuedAtMs: this.modules.clock.nowMs(),
      durationMs: 0,
      result: 'open',
      reason: '',
      ...(drawSignature && { drawSignature: toHex(drawSignature) }),
    }
  }

  /** One challenge from its record to its end. */
  private async follow(open: ChallengeEntry): Promise<ChallengeEntry> {
    const { findPeer, log } = this.modules
    const { node, chunkId: chunk, drawSignature } = open
    log.info({ node, chunk }, 'challenge issued')
    const record = await this.find(open.challengeId)
    if (typeof record !== 'string') await this.keepSignature(open, record)
    const peer = findPeer(node)
    if (peer !== undefined && typeof record !== 'string') {
      void this.tellNode(peer, record, drawSignature === undefined ? undefined : fromHex(drawSignature))
    }
    return await this.finish(open)
  }

  /** Waits until the chain says how it ended, however late somebody resolves it. */
  private async finish(open: ChallengeEntry): Promise<ChallengeEntry> {
    const { history, clock, log } = this.modules
    let unknown = 0
    for (;;) {
      const record = await this.find(open.challengeId)
      // A candidate block with it may be dropped, and then come again; and what is under way may still come into one.
      if (record !== 'away') unknown = record === 'absent' && !this.isUnderWay(open.challengeId) ? unknown + 1 : 0
      const outcome = typeof record === 'string' ? (unknown < MAX_UNKNOWN ? 'open' : 'void') : record.outcome
      if (outcome !== 'open') {
        if (typeof record !== 'string') await this.keepSignature(open, record)
        const durationMs = Math.max(0, clock.nowMs() - open.issuedAtMs)
        const told = { ...open, durationMs, ...CHAIN_ENDS[outcome] }
        const closed = typeof record === 'string' ? told : { ...told, isCandidate: true }
        await history.append(closed)
        this.modules.onEnd?.(closed)
        await tellResult(closed, history, log)
        return closed
      }
      await this.pause()
    }
  }

  private isUnderWay(challengeId: string): boolean {
    return this.modules.sender.listUnderWay('challenge').some((key) => key.split(' ').includes(challengeId))
  }

  private async keepSignature(
    { challengeId, drawSignature }: ChallengeEntry,
    { issuedPeriod }: RegistryChallenge,
  ): Promise<void> {
    if (drawSignature === undefined) return
    const signature = fromHex(drawSignature)
    await this.modules.drawSignatures.put({ challengeId, issuedPeriod: Number(issuedPeriod), signature })
  }

  /** What it answers is known before the chain has it; what counts is what the chain says. */
  private async tellNode(
    peer: string,
    record: RegistryChallenge,
    drawSignature: Uint8Array | undefined,
  ): Promise<void> {
    const { network, registry } = this.options
    const terms: ChallengeTerms = {
      kind: 'challenge',
      samples: record.samples,
      challenge: {
        chainId: network.chainId,
        contract: registry,
        challengeId: record.id,
        nodeAddress: record.nodeAddress,
        chunkId: fromHex(record.chunkId),
        nonce: record.nonce,
        issuedPeriod: Number(record.issuedPeriod),
      },
    }
    const { result, reason } = await askForProof(peer, { ...terms, drawSignature }, this.modules)
    this.modules.log.debug({ challengeId: record.id, node: record.nodeAddress, result, reason }, 'answered by libp2p')
  }

  private async find(challengeId: string): Promise<RegistryChallenge | 'absent' | 'away'> {
    try {
      return await this.modules.sender.client.read('getChallenge', { challengeId })
    } catch (error) {
      if (isArchiveError(error, 'REGISTRY_CHALLENGE_UNKNOWN')) return 'absent'
      if (isNodeTrouble(error)) return 'away'
      throw error
    }
  }

  private async pause(): Promise<void> {
    const { signal } = this.stopping
    await this.modules.clock.sleep(this.options.everyMs, signal)
    if (signal.aborted)
      throw new ArchiveError('CHAIN_OUTCOME_UNKNOWN', 'the sidecar stops before the challenge is over')
  }
}
