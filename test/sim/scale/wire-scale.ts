import {
  CHUNK_SIZE_BYTES,
  computePathLength,
  type HolderTable,
  LEAF_SIZE_BYTES,
  PUBLIC_KEY_BYTES,
  SIGNATURE_BYTES,
} from '../../../core/index.ts'
import {
  auditRequestCodec,
  auditResponseCodec,
  type HavePage,
  haveRequestCodec,
  haveResponseCodec,
} from '../../../protocol-handler/index.ts'
import { type PlacementNode, readPlacement } from '../../../storage-worker/index.ts'
import { NETWORK as MADE_NETWORK, MadeRegistry, REGISTRY } from '../../storage-worker/placement/made-registry.ts'
import { makeSnapshot, NETWORK } from './made-nodes.ts'
import { countSlots } from './placement-scale.ts'

/** Sizes of a have-map, and of asking for it. */
export interface HaveMapSize {
  readonly pages: number
  readonly bytes: number
}

/** The have-map of the node with the most hash slots, complete. */
export function computeHaveMapSize(table: HolderTable): HaveMapSize {
  const counts = countSlots(table)
  const slots = table.listSlotsOf(counts.indexOf(Math.max(...counts)))
  const perPage = countSlotsPerPage()
  const size = { pages: 0, bytes: 0 }
  for (let from = 0; from < slots.length; from += perPage) {
    size.pages++
    size.bytes += encodePage(slots.slice(from, from + perPage)) + haveRequestCodec.encode({ fromHashSlot: 0 }).length
  }
  return size
}

function countSlotsPerPage(): number {
  const slotBytes = encodePage([0, 1]) - encodePage([0])
  return Math.floor((haveResponseCodec.maxBytes - encodePage([])) / slotBytes)
}

function encodePage(hashSlots: readonly number[]): number {
  const page: HavePage = {
    network: NETWORK,
    headPeriod: 100_000_000,
    firstEra: 0,
    fromHashSlot: 0,
    endHashSlot: 16_384,
    held: hashSlots.map((hashSlot) => ({ hashSlot, endEra: 781_251 })),
    exceptions: [],
    missingPeriods: [],
  }
  const signature = { publicKey: new Uint8Array(PUBLIC_KEY_BYTES), signature: new Uint8Array(SIGNATURE_BYTES) }
  return haveResponseCodec.encode({ status: 'ok', page: { ...page, signature } }).length
}

/** One audit of a full chunk, question and answer. */
export function computeAuditBytes(): number {
  const leaves = CHUNK_SIZE_BYTES / LEAF_SIZE_BYTES
  const hash = new Uint8Array(32)
  const answer = auditResponseCodec.encode({
    status: 'ok',
    leafIndex: 0,
    byteLength: CHUNK_SIZE_BYTES,
    treeRoot: hash,
    leaf: new Uint8Array(LEAF_SIZE_BYTES),
    path: Array.from({ length: computePathLength(0, leaves) }, () => hash),
  })
  return auditRequestCodec.encode({ chunkId: hash, leafIndex: 0 }).length + answer.length
}

/** What a sidecar asks its own massa-node for once in an era. */
export interface RegistryReading {
  readonly calls: number
  /** Of values and keys. */
  readonly bytes: number
}

export async function measureRegistryReading(nodes: number): Promise<RegistryReading> {
  const registry = new MadeRegistry()
  for (const { address, placementGb, p2pAddrs } of makeSnapshot({ nodes }).nodes) {
    registry.add(address, { placementGb, p2pAddrs })
  }
  const reading = { calls: 0, bytes: 0 }
  const node: PlacementNode = {
    url: registry.url,
    getStatus: () => registry.getStatus(),
    queryDatastore: async (address, queries) => {
      const answers = await registry.queryDatastore(address, queries)
      reading.calls++
      for (const answer of answers.answers) for (const bytes of answer ?? []) reading.bytes += bytes.length
      return answers
    },
  }
  await readPlacement(
    { registry: REGISTRY, network: MADE_NETWORK },
    { node, clock: { nowMs: () => 1e12, monotonicMs: () => 0 } },
  )
  return reading
}
