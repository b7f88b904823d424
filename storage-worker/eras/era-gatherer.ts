import { isBug } from '../../archiver/store-watch.ts'
import {
  type Clock,
  computeEraDigest,
  computeEraText,
  type EraStatement,
  equalBytes,
  isArchiveError,
  Loop,
  type Network,
  type SignatureArgument,
  verifyText,
} from '../../core/index.ts'
import type { Logger } from '../../telemetry/index.ts'
import type { OwnEras, SignedEra } from '../peers/own-eras.ts'
import type { PeerClient, SaidEra } from '../peers/peer-client.ts'

const LOOK_MS = 2_000
/** Two periods: it archives the last one of the era, or reads its placement. */
export const SILENT_AGAIN_MS = 32_000
/** What a node has heard of others since. */
export const SAID_AGAIN_MS = 300_000
/** The disk does not give what it has of the era. */
export const FAILED_AGAIN_MS = 60_000
/** Of as many peers as there are connections each is asked in time, even where most never answer. */
const MAX_ASKED = 4
/** Eras that may still be anchored: of those before nobody remembers what he said. */
export const OPEN_ERAS = 4

export interface EraGathererModules {
  readonly own: Pick<OwnEras, 'sign'>
  readonly client: Pick<PeerClient, 'fetchEra'>
  /** Of a `PlacementWatch`. */
  readonly placement: { readonly inForce: { readonly era: number } | undefined; readonly isCurrent: boolean }
  /** Of an `AnchoredEras`. */
  readonly anchors: { isAnchored(era: number): boolean }
  readonly ports: {
    /** Connected peers, with the Massa address that each is bound to. */
    readonly listPeers: () => readonly { readonly peer: string; readonly address: string }[]
    /** Whether the placement in force knows a node: nobody else has a vote. */
    readonly isNode: (address: string) => boolean
    /** It hands on signatures that are none. */
    readonly onWrong: (peer: string) => void
  }
  readonly clock: Clock
  readonly log: Logger
}

/** What is known here of an era that is over. */
export interface GatheredEra {
  readonly era: number
  /** What this node says. */
  readonly statement: EraStatement
  /** Of nodes that say the same, this one first, by address; all verified. */
  readonly signatures: ReadonlyMap<string, SignatureArgument>
  /** What other nodes say instead, by address. */
  readonly differing: ReadonlyMap<string, EraStatement>
}

interface OpenEra extends GatheredEra {
  readonly digest: Uint8Array
  readonly signatures: Map<string, SignatureArgument>
  readonly differing: Map<string, EraStatement>
  /** When a node may be asked again, by the monotonic clock. */
  readonly againMs: Map<string, number>
  /** Where the next list of signatures of others begins. */
  listFrom: number
}

/**
 * Asks the connected nodes of the registry what they say about each era that is over and not anchored (`/era/1`), and keeps
 * the signatures of those who say the same as this one, also those that reach it through others.
 *
 * No more is kept than a signature and a statement of each node of the registry.
 */
export class EraGatherer {
  private readonly options: { readonly network: Network; readonly registry: string; readonly ownAddress: string }
  private readonly modules: EraGathererModules
  private readonly loop: Loop
  private readonly open = new Map<number, OpenEra>()
  /** The last era that the disk did not let us compute. */
  private failure: { readonly era: number; readonly againMs: number } | undefined

  /**
   * @param options.registry - its address
   * @param options.ownAddress - the Massa address that we speak for
   */
  constructor(
    options: { readonly network: Network; readonly registry: string; readonly ownAddress: string },
    modules: EraGathererModules,
  ) {
    this.options = options
    this.modules = modules
    this.loop = new Loop({ everyMs: LOOK_MS }, { clock: modules.clock, look: () => this.look() })
  }

  /** Runs until `stop`. @throws what is no ArchiveError: a bug */
  start(): Promise<void> {
    return this.loop.start()
  }

  stop(): Promise<void> {
    return this.loop.stop()
  }

  /** Eras that are over, complete here and not known to be anchored, ascending. */
  listOpen(): readonly GatheredEra[] {
    return [...this.open.values()].sort((a, b) => a.era - b.era)
  }

  /** Signatures of others under what this node says about an era; each call goes on where the last one ended. */
  listOthers(era: number, limit: number): SignatureArgument[] {
    const open = this.open.get(era)
    if (!open) return []
    const others = [...open.signatures].flatMap(([address, signature]) =>
      address === this.options.ownAddress ? [] : [signature],
    )
    const count = Math.min(limit, others.length)
    const from = open.listFrom
    open.listFrom = (from + count) % Math.max(1, others.length)
    return Array.from({ length: count }, (_, i) => others[(from + i) % others.length]).filter((each) => !!each)
  }

  /** Asks those of whom it is time to, four at most; resolves when they have answered or not. */
  async look(): Promise<void> {
    const { placement } = this.modules
    const table = placement.inForce
    if (!table || !placement.isCurrent) return
    await this.openEras(table.era)
    const due = this.listOpen().flatMap((open) => this.listDue(open as OpenEra))
    await Promise.all(due.slice(0, MAX_ASKED).map(({ open, peer, address }) => this.ask(open, peer, address)))
  }

  private async openEras(eraInForce: number): Promise<void> {
    const { anchors } = this.modules
    const first = Math.max(0, eraInForce - OPEN_ERAS)
    for (const era of this.open.keys()) if (era < first || anchors.isAnchored(era)) this.open.delete(era)
    for (let era = first; era < eraInForce; era++) {
      if (anchors.isAnchored(era)) continue
      const signed = await this.sign(era)
      // It stays what it is until a period of it was mended.
      if (!signed || this.open.get(era)?.statement === signed.statement) continue
      const { statement, signature } = signed
      this.open.set(era, {
        era,
        statement,
        digest: computeEraDigest(statement),
        signatures: new Map([[this.options.ownAddress, signature]]),
        differing: new Map(),
        againMs: new Map(),
        listFrom: 0,
      })
    }
  }

  private async sign(era: number): Promise<SignedEra | undefined> {
    const { own, clock, log } = this.modules
    const { failure } = this
    if (failure?.era === era && clock.monotonicMs() < failure.againMs) return undefined
    try {
      const signed = await own.sign(era)
      if (failure?.era === era) this.failure = undefined
      return signed
    } catch (error) {
      if (!isArchiveError(error) || isBug(error)) throw error
      if (failure?.era !== era) log.warn({ era, err: error, code: error.code }, 'era cannot be computed')
      this.failure = { era, againMs: clock.monotonicMs() + FAILED_AGAIN_MS }
      return undefined
    }
  }

  private listDue(open: OpenEra): { readonly open: OpenEra; readonly peer: string; readonly address: string }[] {
    const { ports, clock } = this.modules
    const nowMs = clock.monotonicMs()
    for (const kept of [open.againMs, open.differing, open.signatures]) {
      for (const address of kept.keys()) {
        if (address !== this.options.ownAddress && !ports.isNode(address)) kept.delete(address)
      }
    }
    return ports.listPeers().flatMap(({ peer, address }) => {
      const isDue = (open.againMs.get(address) ?? Number.NEGATIVE_INFINITY) <= nowMs
      const isOther = address !== this.options.ownAddress && ports.isNode(address)
      return isDue && isOther ? [{ open, peer, address }] : []
    })
  }

  private async ask(open: OpenEra, peer: string, address: string): Promise<void> {
    const { clock } = this.modules
    open.againMs.set(address, clock.monotonicMs() + SILENT_AGAIN_MS)
    const said = await this.fetch(open.era, peer, address)
    if (!said || this.loop.signal.aborted) return
    open.againMs.set(address, clock.monotonicMs() + SAID_AGAIN_MS)
    this.take(open, peer, { address, said })
  }

  private async fetch(era: number, peer: string, address: string): Promise<SaidEra | undefined> {
    const { network, registry: contract } = this.options
    try {
      const answer = await this.modules.client.fetchEra(peer, { chainId: network.chainId, contract, era, address })
      return answer.status === 'ok' ? answer.value : undefined
    } catch (error) {
      if (!isArchiveError(error)) throw error
      return undefined
    }
  }

  private take(open: OpenEra, peer: string, { address, said }: { address: string; said: SaidEra }): void {
    const { isNode, onWrong } = this.modules.ports
    if (!equalBytes(computeEraDigest(said.statement), open.digest)) {
      open.differing.set(address, said.statement)
      return
    }
    open.differing.delete(address)
    open.signatures.set(address, said.own)
    const text = computeEraText(open.statement)
    for (const other of said.others) {
      if (open.signatures.has(other.address) || !isNode(other.address)) continue
      if (!verifyText(text, other.signature)) {
        onWrong(peer)
        return
      }
      open.signatures.set(other.address, other.signature)
    }
  }
}
