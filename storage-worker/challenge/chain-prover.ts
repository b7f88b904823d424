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
  type Slot,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { RegistrySender } from '../sending/registry-sender.ts'
import type { DiskProofs } from './disk-proofs.ts'
import { type ChallengeEndEvent, OpenChallenges } from './open-challenges.ts'
import { computeSlotTimeMs, type RegistryLog } from './registry-log.ts'

/** Proofs of one call, as the contract takes them. */
const MAX_BATCH = 8
/** What could not be read or sent is tried again so often while there is time. */
const RETRY_MS = PERIOD_MS / 4
const KEY = 'proof'

export interface ChainProverOptions {
  readonly network: Network
  /** Address of the registry. */
  readonly registry: string
  /** Massa address of this node. */
  readonly address: string
}

export interface ChainProverModules {
  readonly registryLog: Pick<RegistryLog, 'listen' | 'look' | 'period' | 'finalPeriod'>
  readonly sender: Pick<RegistrySender, 'client' | 'send' | 'listUnderWay'>
  readonly proofs: Pick<DiskProofs, 'make'>
  readonly clock: Clock
  readonly log: Logger
  /** From the slot that took a proof to its deadline, seconds. */
  readonly onMargin: (seconds: number) => void
  /** A challenge that was lost. */
  readonly onLost: () => void
}

/**
 * Shows the chain what it asks this node for: watches the registry, so that no message has to arrive, answers from disk,
 * and sends up to eight proofs in a call. What is open and not proven is looked at again and again until it is.
 */
export class ChainProver {
  private readonly options: ChainProverOptions
  private readonly modules: ChainProverModules
  private readonly loop: Loop
  private readonly open: OpenChallenges
  /** When a proof of it was last made, monotonic. */
  private readonly triedAtMs = new WeakMap<RegistryChallenge, number>()
  private readonly toldLost = new WeakSet<RegistryChallenge>()
  private failure: ArchiveError | undefined

  /** @param everyMs - from one look to the next */
  constructor(everyMs: number, options: ChainProverOptions, modules: ChainProverModules) {
    this.options = options
    this.modules = modules
    this.open = new OpenChallenges({
      ...modules,
      isWatched: ({ nodeAddress }) => nodeAddress === options.address,
      onOver: (event, slot, record) => this.tellEnd(event, slot, record),
    })
    this.loop = new Loop({ everyMs }, { clock: modules.clock, look: () => this.look() })
  }

  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    this.open.stop()
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
      return await this.open.find(challengeId)
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

  private tellEnd(event: ChallengeEndEvent, slot: Slot, record: RegistryChallenge): void {
    const { log, onMargin, onLost } = this.modules
    const { challengeId } = event
    if (event.name === 'CHALLENGE_PASSED') {
      const marginMs = Number(record.deadline) - computeSlotTimeMs(this.options.network, slot)
      onMargin(marginMs / 1_000)
      log.info({ challengeId, marginMs }, 'challenge passed')
    } else if (event.name === 'CHALLENGE_FAILED' || event.name === 'CHALLENGE_EXPIRED') {
      onLost()
      const reason = event.name === 'CHALLENGE_FAILED' ? event.reason : 'expired'
      log.error({ challengeId, reason }, 'challenge lost')
    }
  }

  /** Those to prove now. */
  private async listDue(): Promise<RegistryChallenge[]> {
    const { sender, clock, registryLog } = this.modules
    const sent = new Set(sender.listUnderWay(KEY).flatMap((key) => key.split(' ')))
    const nowMs = computeSlotTimeMs(this.options.network, { period: registryLog.period ?? 0, thread: 0 })
    const isTriedNow = (record: RegistryChallenge) =>
      clock.monotonicMs() - (this.triedAtMs.get(record) ?? Number.NEGATIVE_INFINITY) < RETRY_MS
    return (await this.open.list()).filter(
      (record) => nowMs <= Number(record.deadline) && !sent.has(nameOf(record)) && !isTriedNow(record),
    )
  }

  private async prove(due: readonly RegistryChallenge[]): Promise<void> {
    const { proofs, sender, clock, log } = this.modules
    const names: string[] = []
    const ids: string[] = []
    const merkleProofs: Uint8Array[] = []
    const signatures: Uint8Array[] = []
    for (const record of due) {
      this.triedAtMs.set(record, clock.monotonicMs())
      const answer = await proofs.make(this.termsOf(record))
      if (answer) {
        names.push(nameOf(record))
        ids.push(record.id)
        merkleProofs.push(answer.proof)
        signatures.push(encodeSignatureArgument(answer.signature))
      } else if (!this.toldLost.has(record)) {
        this.toldLost.add(record)
        log.error({ challengeId: record.id, chunkId: record.chunkId }, 'challenged for a chunk that is not held here')
      }
    }
    if (ids.length === 0) return
    const args = { challengeIds: ids, merkleProofs, signatures }
    const sending = sender.send({ purpose: KEY, key: [KEY, ...names].join(' '), call: 'submitProofs', args })
    // Final is late: what is due meanwhile does not wait for it.
    void sending.catch((error: unknown) => this.noteSendFailure(ids, error))
  }

  private termsOf(record: RegistryChallenge): ChallengeTerms {
    const { network, registry, address } = this.options
    return {
      kind: 'challenge',
      samples: record.samples,
      challenge: {
        chainId: network.chainId,
        contract: registry,
        challengeId: record.id,
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
    // Alone in its call, one of them may still be taken.
    if (error.code === 'REGISTRY_CHALLENGE_RESOLVED' || error.code === 'REGISTRY_CHALLENGE_UNKNOWN') {
      this.open.readAgain(ids)
    } else this.noteFailure(error)
  }

  private noteFailure(error: ArchiveError): void {
    if (this.failure?.code === error.code) return
    this.failure = error
    this.modules.log.error({ err: error, code: error.code }, 'open challenges are not proven')
  }
}

/** A proof shows the period of the issue, too: one that was made before its block was dropped is of no use in the next. */
function nameOf({ id, issuedPeriod }: RegistryChallenge): string {
  return `${id}/${issuedPeriod}`
}
