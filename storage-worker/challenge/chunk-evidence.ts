import {
  ArchiveError,
  type ChunkPlace,
  type ChunkStore,
  computeHashSlot,
  computeLeafHash,
  computeTreePath,
  ERA_PERIODS,
  type EraAnchor,
  type Evidence,
  encodeEvidence,
  isArchiveError,
  type RegistryConfig,
  type RegistryNode,
  toHex,
  verifyEvidence,
} from '../../core/index.ts'
import type { AnchoredEras } from '../anchors/anchored-eras.ts'
import type { PastPlacement, PastPlacements } from '../placement/past-placements.ts'
import type { RegistryClient } from '../registry-client.ts'

/** Equal chunks have several places; any of them does, if its era is anchored and whole. */
const MAX_PLACES = 16

export interface ChunkEvidenceModules {
  readonly client: Pick<RegistryClient, 'read' | 'readDated'>
  readonly store: Pick<ChunkStore, 'identity' | 'findChunks' | 'readManifest' | 'listSummaries'>
  readonly anchors: Pick<AnchoredEras, 'find'>
  readonly placements: Pick<PastPlacements, 'find'>
}

/** What the chain knows of the challenged node, and when. */
interface Duty {
  readonly node: RegistryNode
  readonly currentEra: number
  readonly lagEras: number
}

interface AnchoredPlacement {
  readonly placement: PastPlacement
  /** Of the era before, which has its root. */
  readonly anchor: EraAnchor
}

/**
 * Gathers what a challenge has to show where the registry requires anchors: that the chunk is in an anchored era, and that an
 * anchored placement gives it to the node (docs/FORMAT.md, Evidence).
 */
export class ChunkEvidence {
  private readonly modules: ChunkEvidenceModules

  constructor(modules: ChunkEvidenceModules) {
    this.modules = modules
  }

  /** The settings by which challenges are issued. @throws ArchiveError CHAIN_* */
  readConfig(): Promise<RegistryConfig> {
    return this.modules.client.read('getConfig', {})
  }

  /**
   * Undefined where the registry requires no evidence; else as `gather`.
   *
   * @throws ArchiveError as `gather`
   */
  async gatherIfRequired(address: string, chunkId: Uint8Array, placementEra?: number): Promise<Uint8Array | undefined> {
    const { requireAnchors } = await this.readConfig()
    return requireAnchors ? await this.gather(address, chunkId, placementEra) : undefined
  }

  /**
   * Evidence that counts now and in this era, about 1 kB. It has been verified, but for whether the chunk is the node's duty: that
   * is for the registry to say, which refuses a challenge of another node before anything is sent.
   *
   * @param address - Massa address of the node that is to be challenged
   * @param chunkId - 32 bytes
   * @param placementEra - of the placement to show; the newest that is anchored and known here where it is left out
   * @throws ArchiveError CHAIN_EVIDENCE_*, which says what lacks; REGISTRY_NODE_UNKNOWN; CHAIN_*; of the store
   */
  async gather(address: string, chunkId: Uint8Array, placementEra?: number): Promise<Uint8Array> {
    const { value: node, period } = await this.modules.client.readDated('getNodeInfo', { address })
    const { placementLagEras } = await this.readConfig()
    const duty = { node, currentEra: Math.floor(period / ERA_PERIODS), lagEras: placementLagEras }
    const placed = await this.findPlacement(duty, placementEra)
    const { chunk, anchor } = await this.findChunk(chunkId)
    const evidence = encodeEvidence({
      ...chunk,
      placementEra: BigInt(placed.placement.snapshot.era),
      holders: placed.placement.addressesIn(computeHashSlot(chunkId)),
      placementPath: await placed.placement.computePath(computeHashSlot(chunkId)),
    })
    this.verify(evidence, { chunkId, duty, anchors: [anchor, placed.anchor] })
    return evidence
  }

  /** A placement that counts in this era, of the era named or the newest there is. */
  private async findPlacement({ currentEra, lagEras }: Duty, wanted: number | undefined): Promise<AnchoredPlacement> {
    const newest = currentEra - lagEras
    const oldest = Math.max(1, currentEra - 2 * lagEras)
    const { anchors, placements } = this.modules
    let anchored: number | undefined
    for (let era = Math.min(newest, wanted ?? newest); era >= Math.max(oldest, wanted ?? oldest); era--) {
      const anchor = await anchors.find(era - 1)
      if (!anchor) continue
      anchored ??= era
      const placement = await placements.find(era)
      if (placement) return { placement, anchor }
    }
    if (anchored !== undefined) {
      throw lacks('CHAIN_EVIDENCE_PLACEMENT_UNKNOWN', `nobody read here in era ${anchored} who was to hold what`)
    }
    const eras = wanted === undefined ? `eras ${oldest} to ${newest}` : `era ${wanted}`
    throw lacks('CHAIN_EVIDENCE_UNANCHORED', `in era ${currentEra} no placement counts of ${eras} that is anchored`)
  }

  /** The chunk in an anchored era that is whole here. */
  private async findChunk(chunkId: Uint8Array) {
    const places = await this.modules.store.findChunks(toHex(chunkId), MAX_PLACES)
    let reason = lacks('CHAIN_EVIDENCE_CHUNK_UNKNOWN', `chunk ${toHex(chunkId).slice(0, 12)} is not in this archive`)
    for (const place of places) {
      try {
        return await this.proveChunk(place)
      } catch (error) {
        if (!isArchiveError(error) || !error.code.startsWith('CHAIN_EVIDENCE_')) throw error
        reason = error
      }
    }
    throw reason
  }

  private async proveChunk({ period, index }: ChunkPlace) {
    const { store, anchors } = this.modules
    const era = Math.floor(period / ERA_PERIODS)
    const anchor = await anchors.find(era)
    if (!anchor) throw lacks('CHAIN_EVIDENCE_UNANCHORED', `era ${era} of the chunk is not anchored`)
    const first = era * ERA_PERIODS
    const roots: Uint8Array[] = []
    for await (const { root } of store.listSummaries({ from: first, to: first + ERA_PERIODS - 1 })) {
      roots.push(computeLeafHash(root))
    }
    const manifest = await store.readManifest(period)
    if (roots.length < ERA_PERIODS || !manifest) {
      const text = `${ERA_PERIODS - roots.length} periods of era ${era} are not archived here`
      throw lacks('CHAIN_EVIDENCE_ERA_INCOMPLETE', text)
    }
    const chunk: Pick<Evidence, Exclude<keyof Evidence, 'placementEra' | 'holders' | 'placementPath'>> = {
      era: BigInt(era),
      period: BigInt(period),
      bitmap: manifest.bitmap,
      chunkCount: manifest.chunks.length,
      chunkIndex: index,
      chunkPath: computeTreePath(
        manifest.chunks.map((each) => computeLeafHash(each.chunkId)),
        index,
      ),
      periodPath: computeTreePath(roots, period - first),
    }
    return { chunk, anchor }
  }

  /** By the contract's own rule. @throws ArchiveError CHAIN_EVIDENCE_* */
  private verify(
    evidence: Uint8Array,
    of: { readonly chunkId: Uint8Array; readonly duty: Duty; readonly anchors: readonly EraAnchor[] },
  ): void {
    const { node, currentEra, lagEras } = of.duty
    try {
      verifyEvidence(evidence, {
        network: this.modules.store.identity.network,
        chunkId: of.chunkId,
        nodeAddress: node.address,
        registeredEra: node.registeredPeriod / BigInt(ERA_PERIODS),
        currentEra: BigInt(currentEra),
        placementLagEras: lagEras,
        findAnchor: (era) => of.anchors.find((anchor) => BigInt(anchor.era) === era),
      })
    } catch (error) {
      if (!isArchiveError(error, 'CORE_EVIDENCE_INVALID')) throw error
      const { fault } = error.context
      // The window was kept: the node registered in the era of the placement, or later.
      if (fault === 'not-holder' || fault === 'placement-age') return
      throw new ArchiveError('CHAIN_EVIDENCE_DIFFERS', error.message, { address: node.address }, error)
    }
  }
}

type EvidenceCode = Extract<ArchiveError['code'], `CHAIN_EVIDENCE_${string}`>

function lacks(code: EvidenceCode, message: string): ArchiveError {
  return new ArchiveError(code, message)
}
