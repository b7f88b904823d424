import {
  type ArchiveError,
  BYTE_PRICE_NANO_MAS,
  type Clock,
  computeEraDigest,
  computeVotePage,
  ERA_PERIODS,
  type ErrorCode,
  encodeSignatureArgument,
  isArchiveError,
  Loop,
  PERIOD_MS,
  type Period,
} from '../../core/index.ts'
import { MAX_ERA_SIGNATURES } from '../../protocol-handler/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import { orAborted } from '../replication/or-aborted.ts'
import type { RegistrySender, SendOrder } from '../sending/registry-sender.ts'
import { computeAnchorTurn } from './anchor-turn.ts'
import type { EraGatherer, GatheredEra } from './era-gatherer.ts'
import { type Ballot, planBallot } from './plan-ballot.ts'
import { readVoteState } from './read-vote-state.ts'

/** Periods after our turn in which the signatures that lack may still come. */
export const PARTIAL_AFTER_PERIODS = 8
/** Periods from a call that was not enough to the next such one. */
export const PARTIAL_AGAIN_PERIODS = 32
/**
 * What is executed in the next era counts with other stakes, and a vote starts over: what is sent in the last periods of one
 * may be, since it is in a block within 2, and final slots are some behind.
 */
const LAST_PERIODS = 8
/** It never comes into the registry. */
const CLOSING: readonly ErrorCode[] = ['REGISTRY_ERA_TOO_EARLY']
/** The registry changed between what was read and what was sent: the next look sees it. */
const RACES: readonly ErrorCode[] = ['REGISTRY_ERA_ANCHORED', 'REGISTRY_VOTES_COUNTED', 'REGISTRY_SIGNATURES_UNSORTED']
/** Records of an era and of its vote, and a page of voters: keys, values and overhead, at most. */
const RECORDS_BYTES = 256n
const PAGE_BYTES = 96n

export interface EraAnchorerModules {
  readonly gatherer: Pick<EraGatherer, 'listOpen'>
  readonly sender: Pick<RegistrySender, 'client' | 'send'>
  /** Of a `PlacementWatch`. */
  readonly placement: {
    readonly inForce:
      | { readonly era: number; readonly snapshot: { readonly nodes: readonly { readonly address: string }[] } }
      | undefined
    readonly isCurrent: boolean
  }
  /** Newest final period that is known. */
  readonly finalPeriod: () => Period | undefined
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Anchors eras in the registry when it is this node's turn and nobody has: with the signatures that are here, in as many
 * calls as they take.
 *
 * It looks at the registry before each call and does what lacks, so it may end and begin again at any time. A statement
 * that is a quorum stays out of it when another one was first.
 */
export class EraAnchorer {
  private readonly options: { readonly address: string; readonly maxSignatures: number }
  private readonly modules: EraAnchorerModules
  private readonly loop: Loop
  /** Anchored by a final call from here, or of a time before the registry. */
  private readonly closed = new Set<number>()
  /** By era: no call that is not enough before this period. */
  private readonly partialFrom = new Map<number, Period>()
  private failure: ArchiveError | undefined

  /**
   * @param options.address - the Massa address that we speak for
   * @param options.maxSignatures - of a call; 100 unless a test says otherwise
   */
  constructor(options: { readonly address: string; readonly maxSignatures?: number }, modules: EraAnchorerModules) {
    this.options = { maxSignatures: MAX_ERA_SIGNATURES, ...options }
    this.modules = modules
    this.loop = new Loop({ everyMs: PERIOD_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  /** A call that is under way goes on without it. */
  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Why eras are not anchored from here, if so. */
  get failing(): ArchiveError | undefined {
    return this.failure
  }

  /** Anchors what is open and has its turn. */
  async look(): Promise<void> {
    const open = this.modules.gatherer.listOpen()
    for (const era of this.closed) if (!open.some((each) => each.era === era)) this.closed.delete(era)
    for (const era of this.partialFrom.keys()) if (!open.some((each) => each.era === era)) this.partialFrom.delete(era)
    try {
      for (const each of open) if (!this.closed.has(each.era)) await this.anchor(each)
      this.failure = undefined
    } catch (error) {
      if (!isArchiveError(error)) throw error
      if (!this.loop.signal.aborted) this.tellFailure(error)
    }
  }

  private async anchor(gathered: GatheredEra): Promise<void> {
    // Each round has the registry count signatures that it had not: it ends.
    while (!this.loop.signal.aborted) {
      const ballot = await this.plan(gathered)
      if (!ballot || !(await this.send(gathered, ballot)) || !ballot.reachesQuorum) return
    }
  }

  /** Undefined when it is not our turn, nothing lacks, or nothing that is here helps. */
  private async plan(gathered: GatheredEra): Promise<Ballot | undefined> {
    const { placement, finalPeriod, sender } = this.modules
    const { address, maxSignatures } = this.options
    const { era, statement, signatures } = gathered
    const [table, period] = [placement.inForce, finalPeriod()]
    if (!table || !placement.isCurrent || period === undefined || table.era <= era) return undefined
    if (period >= (table.era + 1) * ERA_PERIODS - LAST_PERIODS) return undefined
    const turn = computeAnchorTurn(
      { era, eraInForce: table.era, address },
      table.snapshot.nodes.map((node) => node.address),
    )
    if (turn === undefined || period < turn || (await this.isAnchored(era))) return undefined
    const { voters, state } = await readVoteState(sender.client, {
      era,
      digest: computeEraDigest(statement),
      snapshotEra: table.era,
      addresses: new Set(signatures.keys()),
    })
    const ballot = planBallot(voters, state, maxSignatures)
    if (!ballot || ballot.reachesQuorum) return ballot
    if (period < Math.max(turn + PARTIAL_AFTER_PERIODS, this.partialFrom.get(era) ?? 0)) return undefined
    this.partialFrom.set(era, period + PARTIAL_AGAIN_PERIODS)
    return ballot
  }

  /** In the candidate state, and so asked again until it is final and the era no longer open: its block may be dropped. */
  private async isAnchored(era: number): Promise<boolean> {
    try {
      await this.modules.sender.client.read('getEra', { era: BigInt(era) })
      return true
    } catch (error) {
      if (isArchiveError(error, 'REGISTRY_ERA_UNKNOWN')) return false
      throw error
    }
  }

  /** @returns true when there is more to do */
  private async send({ era, statement, signatures }: GatheredEra, { voters }: Ballot): Promise<boolean> {
    const { sender, log } = this.modules
    const pages = new Set(voters.map(({ index }) => computeVotePage(index))).size
    const order: SendOrder<'anchorEra'> = {
      purpose: 'era',
      key: `era/${era}`,
      call: 'anchorEra',
      args: {
        era: BigInt(era),
        root: statement.eraRoot,
        totalBytes: statement.totalBytes,
        totalChunks: statement.totalChunks,
        placementRoot: statement.nextPlacementRoot,
        signatures: voters.flatMap(({ address }) => {
          const signature = signatures.get(address)
          return signature ? [encodeSignatureArgument(signature)] : []
        }),
      },
      coinsNanoMas: (RECORDS_BYTES + BigInt(pages) * PAGE_BYTES) * BYTE_PRICE_NANO_MAS,
    }
    try {
      const outcome = await orAborted(sender.send(order), this.loop.signal)
      if (!outcome) return false
      const isAnchored = outcome.events.some(({ name }) => name === 'ERA_ANCHORED')
      if (isAnchored) this.closed.add(era)
      const fields = { era, operationId: outcome.operationId, count: voters.length, root: statement.eraRoot }
      log.info(fields, isAnchored ? 'era anchored' : 'signatures of an era counted')
      return !isAnchored
    } catch (error) {
      if (!isArchiveError(error) || ![...CLOSING, ...RACES].includes(error.code)) throw error
      if (CLOSING.includes(error.code)) this.closed.add(era)
      log.debug({ era, code: error.code }, 'era not anchored by this call')
      return false
    }
  }

  private tellFailure(error: ArchiveError): void {
    const isNew = this.failure?.code !== error.code
    this.failure = error
    if (isNew) this.modules.log.warn({ err: error, code: error.code }, 'eras are not anchored from here')
  }
}
