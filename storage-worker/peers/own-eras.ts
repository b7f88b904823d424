import {
  type ChunkStore,
  type Clock,
  computeEraText,
  ERA_PERIODS,
  type EraStatement,
  type SignatureArgument,
  signText,
} from '../../core/index.ts'
import { computeLocalEra } from '../eras/local-era.ts'
import type { PastPlacement } from '../placement/past-placements.ts'
import type { PlacementTable } from '../placement/placement-table.ts'

/** An era that is not complete here is looked at again after so long. */
const AGAIN_MS = 30_000
/** Eras behind the one in force that may be anchored yet: others ask for them, and an answer of long ago is worth no table. */
const OPEN_ERAS = 4
/** These, and the one in force. */
const MAX_STATEMENTS = OPEN_ERAS + 1

export interface SignedEra {
  readonly statement: EraStatement
  readonly signature: SignatureArgument
}

export interface OwnErasModules {
  readonly store: Pick<ChunkStore, 'identity' | 'readManifest' | 'readRange'>
  /** Of a `PlacementWatch`. */
  readonly placement: Readonly<Record<'inForce' | 'next', Pick<PlacementTable, 'era' | 'root'> | undefined>>
  /** Of eras whose tables are no longer at hand, as after a restart. */
  readonly past: { find(era: number): Promise<Pick<PastPlacement, 'computeRoot'> | undefined> }
  readonly clock: Clock
}

interface Made {
  readonly signed: SignedEra | undefined
  readonly atMs: number
}

/** What this node says about eras that are complete here, signed by its Massa key: what a quorum says alike is anchored. */
export class OwnEras {
  private readonly options: { readonly seed: Uint8Array; readonly registry: string }
  private readonly modules: OwnErasModules
  private readonly made = new Map<number, Promise<Made>>()

  /**
   * @param options.seed - 32-byte secret of the Massa key
   * @param options.registry - its address
   */
  constructor(options: { readonly seed: Uint8Array; readonly registry: string }, modules: OwnErasModules) {
    this.options = options
    this.modules = modules
  }

  /**
   * @returns undefined when a period of the era is not archived here, or the placement of the era after it is not known, as that of
   *   an era long ago
   * @throws ArchiveError of the store
   */
  async sign(era: number): Promise<SignedEra | undefined> {
    const { placement, clock } = this.modules
    if (this.options.registry === '') return undefined
    const known = await this.made.get(era)
    if (known && (known.signed || clock.monotonicMs() - known.atMs < AGAIN_MS)) return known.signed
    const next = [placement.inForce, placement.next].find((table) => table?.era === era + 1)
    if (!next && !this.isOpen(era)) return undefined
    const making = this.make(era, next?.root).then((signed) => ({ signed, atMs: clock.monotonicMs() }))
    this.made.set(era, making)
    making.catch(() => this.made.delete(era))
    for (const old of this.made.keys()) if (this.made.size > MAX_STATEMENTS) this.made.delete(old)
    return (await making).signed
  }

  /** What was said of an era is computed anew: its periods were mended. */
  forget(era: number): void {
    this.made.delete(era)
  }

  /** Whether its table is behind us, and not far. */
  private isOpen(era: number): boolean {
    const inForce = this.modules.placement.inForce?.era ?? 0
    return era + 1 < inForce && era >= inForce - OPEN_ERAS
  }

  /** @param nextRoot - of the placement of the era after it; undefined: it is looked up */
  private async make(era: number, nextRoot: Uint8Array | undefined): Promise<SignedEra | undefined> {
    const { store, past } = this.modules
    const first = era * ERA_PERIODS
    const range = await store.readRange()
    if (!range || range.first > first || range.last < first + ERA_PERIODS - 1) return undefined
    const nextPlacementRoot = nextRoot ?? (await (await past.find(era + 1))?.computeRoot())
    if (!nextPlacementRoot) return undefined
    const { totals } = await computeLocalEra(store, era)
    if (!totals) return undefined
    const { root: eraRoot, totalBytes, totalChunks } = totals
    const { chainId } = store.identity.network
    const contract = this.options.registry
    const statement: EraStatement = { chainId, contract, era, eraRoot, totalBytes, totalChunks, nextPlacementRoot }
    return { statement, signature: signText(this.options.seed, computeEraText(statement)) }
  }
}
