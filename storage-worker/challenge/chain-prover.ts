import {
  type ArchiveError,
  type ChallengeTerms,
  type Clock,
  encodeSignatureArgument,
  fromHex,
  isArchiveError,
  Loop,
  type Network,
  PERIOD_MS,
  type RegistryChallenge,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistryLogEntry } from '../registry-client.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { DiskProofs } from './disk-proofs.ts'
import { computeSlotTimeMs, type RegistryLog } from './registry-log.ts'

/** Proofs of one call, as the contract takes them. */
const MAX_BATCH = 8
/** What could not be read or sent is tried again so often while there is time. */
const RETRY_MS = PERIOD_MS / 4
/** Past its deadline a challenge waits for whoever has it judged; not for ever, since events may be missed. */
const FORGET_PERIODS = 256
const KEY = 'proof'

export interface ChainProverOptions {
  readonly network: Network
  /** Address of the registry. */
  readonly registry: string
  /** Massa address of this node. */
  readonly address: string
}

export interface ChainProverModules {
  readonly registryLog: Pick<RegistryLog, 'listen' | 'look' | 'period'>
  readonly sender: Pick<RegistrySender, 'client' | 'send' | 'listUnderWay'>
  readonly proofs: Pick<DiskProofs, 'make'>
  readonly clock: Clock
  readonly log: Logger
  /** From the slot that took a proof to its deadline, seconds. */
  readonly onMargin: (seconds: number) => void
  /** A challenge that was lost. */
  readonly onLost: () => void
}

/** A challenge of this node that is open as far as is known. */
interface OpenChallenge {
  record: RegistryChallenge | undefined
  triedAtMs: number
  isToldLost: boolean
}

/**
 * Shows the chain what it asks this node for: watches the registry, so that no message has to arrive, answers from disk,
 * and sends up to eight proofs in a call. What is open and not proven is looked at again and again until it is.
 */
export class ChainProver {
  private readonly options: ChainProverOptions
  private readonly modules: ChainProverModules
  private readonly loop: Loop
  private readonly open = new Map<string, OpenChallenge>()
  private readonly unlisten: () => void
  private failure: ArchiveError | undefined

  /** @param everyMs - from one look to the next */
  constructor(everyMs: number, options: ChainProverOptions, modules: ChainProverModules) {
    this.options = options
    this.modules = modules
    this.unlisten = modules.registryLog.listen((entry) => this.note(entry))
    this.loop = new Loop({ everyMs }, { clock: modules.clock, look: () => this.look() })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    this.unlisten()
    return this.loop.stop()
  }

  /** Challenges that are not over as far as is known. */
  get openCount(): number {
    return this.open.size
  }

  /** The record of an open challenge of this node; the registry is read once more for one that is not known. */
  async findOpen(challengeId: string): Promise<RegistryChallenge | undefined> {
    try {
      if (!this.open.has(challengeId)) await this.modules.registryLog.look()
      const challenge = this.open.get(challengeId)
      return challenge && (await this.readRecord(challengeId, challenge))
    } catch (error) {
      // Who asks is told no; the chain is asked again in the next look.
      if (!isArchiveError(error)) throw error
      return undefined
    }
  }

  /** What `start` does again and again. Resolves when what is due is on its way. */
  async look(): Promise<void> {
    try {
      const due = await this.listDue()
      for (let at = 0; at < due.length; at += MAX_BATCH) await this.prove(due.slice(at, at + MAX_BATCH))
      this.failure = undefined
    } catch (error) {
      if (!isArchiveError(error)) throw error
      this.noteFailure(error)
    }
  }

  private note({ slot, event }: RegistryLogEntry): void {
    const { address, network } = this.options
    if (!('challengeId' in event) || event.nodeAddress !== address) return
    const { challengeId } = event
    if (event.name === 'CHALLENGE_ISSUED') {
      // Anew also when it is known: after a block was dropped it stands in another one, and is another challenge.
      this.open.set(challengeId, { record: undefined, triedAtMs: Number.NEGATIVE_INFINITY, isToldLost: false })
      return
    }
    const record = this.open.get(challengeId)?.record
    this.open.delete(challengeId)
    // It was over before it was seen open: history that the first look goes back to.
    if (!record) return
    const { log, onMargin, onLost } = this.modules
    if (event.name === 'CHALLENGE_PASSED') {
      const marginMs = Number(record.deadline) - computeSlotTimeMs(network, slot)
      onMargin(marginMs / 1_000)
      log.info({ challengeId, marginMs }, 'challenge passed')
    } else if (event.name === 'CHALLENGE_FAILED' || event.name === 'CHALLENGE_EXPIRED') {
      onLost()
      const reason = event.name === 'CHALLENGE_FAILED' ? event.reason : 'expired'
      log.error({ challengeId, reason }, 'challenge lost')
    }
  }

  private async readRecord(challengeId: string, challenge: OpenChallenge): Promise<RegistryChallenge | undefined> {
    challenge.record ??= await this.modules.sender.client.read('getChallenge', { challengeId })
    return challenge.record
  }

  /** Those to prove now. */
  private async listDue(): Promise<[string, RegistryChallenge][]> {
    const { sender, clock, registryLog } = this.modules
    const sent = new Set(sender.listUnderWay('proof').flatMap((key) => key.split(' ')))
    const due: [string, RegistryChallenge][] = []
    for (const [challengeId, challenge] of [...this.open]) {
      const record = await this.readRecord(challengeId, challenge)
      if (!record) continue
      const { network } = this.options
      const nowMs = computeSlotTimeMs(network, { period: registryLog.period ?? 0, thread: 0 })
      const lateMs = nowMs - Number(record.deadline)
      if (lateMs > FORGET_PERIODS * PERIOD_MS) {
        this.open.delete(challengeId)
      } else if (lateMs <= 0 && !sent.has(challengeId) && clock.monotonicMs() - challenge.triedAtMs >= RETRY_MS) {
        due.push([challengeId, record])
      }
    }
    return due
  }

  private async prove(due: readonly [string, RegistryChallenge][]): Promise<void> {
    const { proofs, sender, clock, log } = this.modules
    const ids: string[] = []
    const merkleProofs: Uint8Array[] = []
    const signatures: Uint8Array[] = []
    for (const [challengeId, record] of due) {
      const challenge = this.open.get(challengeId)
      if (!challenge) continue
      challenge.triedAtMs = clock.monotonicMs()
      const answer = await proofs.make(this.termsOf(challengeId, record))
      if (answer) {
        ids.push(challengeId)
        merkleProofs.push(answer.proof)
        signatures.push(encodeSignatureArgument(answer.signature))
      } else if (!challenge.isToldLost) {
        challenge.isToldLost = true
        log.error({ challengeId, chunkId: record.chunkId }, 'challenged for a chunk that is not held here')
      }
    }
    if (ids.length === 0) return
    const args = { challengeIds: ids, merkleProofs, signatures }
    const sending = sender.send({ purpose: 'proof', key: [KEY, ...ids].join(' '), call: 'submitProofs', args })
    // Final is late: what is due meanwhile does not wait for it.
    void sending.catch((error: unknown) => this.noteSendFailure(ids, error))
  }

  private termsOf(challengeId: string, record: RegistryChallenge): ChallengeTerms {
    const { network, registry, address } = this.options
    return {
      kind: 'challenge',
      samples: record.samples,
      challenge: {
        chainId: network.chainId,
        contract: registry,
        challengeId,
        nodeAddress: address,
        chunkId: fromHex(record.chunkId),
        nonce: record.nonce,
        issuedPeriod: Number(record.issuedPeriod),
      },
    }
  }

  /** Somebody else showed one of them, or it is too late: what is left goes in the next look. */
  private noteSendFailure(ids: readonly string[], error: unknown): void {
    if (this.loop.signal.aborted) return
    if (!isArchiveError(error)) {
      this.modules.log.error({ err: error }, 'proof not sent')
      return
    }
    if (error.code === 'REGISTRY_CHALLENGE_RESOLVED' || error.code === 'REGISTRY_CHALLENGE_UNKNOWN') {
      void this.forgetResolved(ids)
      return
    }
    this.noteFailure(error)
  }

  private async forgetResolved(ids: readonly string[]): Promise<void> {
    for (const challengeId of ids) {
      try {
        const { resolved } = await this.modules.sender.client.read('getChallenge', { challengeId })
        const challenge = this.open.get(challengeId)
        if (resolved) this.open.delete(challengeId)
        // Alone in its call, one of them may still be taken.
        else if (challenge) challenge.triedAtMs = Number.NEGATIVE_INFINITY
      } catch (error) {
        if (!isArchiveError(error)) throw error
        if (error.code === 'REGISTRY_CHALLENGE_UNKNOWN') this.open.delete(challengeId)
      }
    }
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.error({ err: error, code: error.code }, 'open challenges are not proven')
  }
}
