import {
  ArchiveError,
  computeHashSlot,
  type Manifest,
  type PeriodSummary,
  type RegisteredNode,
  toHex,
} from '../../../core/index.ts'
import {
  type AuditResponse,
  auditRequestCodec,
  auditResponseCodec,
  chunkRequestCodec,
} from '../../../protocol-handler/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { createAuditService } from '../../../storage-worker/peers/audit-service.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import type { Requester } from '../../../storage-worker/peers/peer-client.ts'
import { drawNumbers } from '../../archiver/simulated-chain.ts'
import { joinFrame } from '../../join-frame.ts'
import { noise, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'

/** A whole number from 0 to below `maxExclusive`, decided by a seed. */
export function drawWholes(seed: number): (maxExclusive: number) => number {
  const draw = drawNumbers(seed)
  return (maxExclusive) => Math.floor(draw() * maxExclusive)
}

export async function openMemoryStore(): Promise<LevelChunkStore> {
  const [bodies, index] = [await openMemoryLevel('bodies'), await openMemoryLevel('index')]
  return new LevelChunkStore(TEST_IDENTITY, { bodies, index })
}

export interface AskedLeaf {
  readonly peer: string
  readonly chunkId: string
  readonly leafIndex: number
}

/** Nodes that show leaves of their stores, and SEALS, when they are asked, unless a test has them do something else. */
export class MadeNodes implements Requester {
  readonly asked: AskedLeaf[] = []
  readonly stores = new Map<string, LevelChunkStore>()
  /** By peer: what it makes of its answer; it may throw. */
  readonly habits = new Map<string, (answer: AuditResponse) => AuditResponse>()

  async request(peer: string, name: string, options: { readonly bytes: Uint8Array }): Promise<Uint8Array[]> {
    if (name === 'chunk') return await this.serve(peer, options.bytes)
    if (name !== 'audit') throw new Error(`asked for ${name}`)
    const request = auditRequestCodec.decode(options.bytes)
    this.asked.push({ peer, chunkId: toHex(request.chunkId), leafIndex: request.leafIndex })
    const store = this.stores.get(peer)
    if (!store) throw unreachable(peer)
    const [frame = new Uint8Array()] = await createAuditService(store).answer(request, 'asker')
    const answer = auditResponseCodec.decode(frame)
    return [auditResponseCodec.encode(this.habits.get(peer)?.(answer) ?? answer)]
  }

  private async serve(peer: string, bytes: Uint8Array): Promise<Uint8Array[]> {
    const store = this.stores.get(peer)
    if (!store) throw unreachable(peer)
    return (await createChunkService(store).answer(chunkRequestCodec.decode(bytes), 'asker')).map(joinFrame)
  }
}

export function unreachable(peer: string): ArchiveError {
  return new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected', { peer })
}

/** Another leaf than that of the chunk. */
export function showWrongLeaf(answer: AuditResponse): AuditResponse {
  return answer.status === 'ok' ? { ...answer, leaf: answer.leaf.map((byte) => byte ^ 1) } : answer
}

export function registered(address: string, rest: Partial<RegisteredNode> = {}): RegisteredNode {
  return { address, placementGb: 10n, operator: '', p2pAddrs: [], retentionPeriods: 0n, ...rest }
}

/** Says of each hash slot who holds it. */
export class MadeTable {
  readonly snapshot: { readonly nodes: readonly RegisteredNode[] }
  private readonly holds: (address: string, hashSlot: number) => boolean

  constructor(nodes: readonly RegisteredNode[], holds: (address: string, hashSlot: number) => boolean) {
    this.snapshot = { nodes }
    this.holds = holds
  }

  isHolder(address: string, hashSlot: number): boolean {
    return this.snapshot.nodes.some((node) => node.address === address) && this.holds(address, hashSlot)
  }

  listSlotsOf(address: string): readonly number[] {
    return Array.from({ length: 16_384 }, (_, hashSlot) => hashSlot).filter((slot) => this.isHolder(address, slot))
  }
}

export function slotOf(chunkId: Uint8Array): number {
  return computeHashSlot(chunkId)
}

/** Summaries and manifests alone; how often they were read. */
export class MadePeriods {
  readonly manifests = new Map<number, Manifest>()
  summariesRead = 0

  /** @param lengths - of its chunks, bytes */
  put(period: number, lengths: readonly number[]): void {
    const chunks = lengths.map((byteLength, i) => ({ byteLength, chunkId: noise(`chunk ${period} ${i}`, 32) }))
    this.manifests.set(period, { network: TEST_IDENTITY.network, period, bitmap: 1, chunks })
  }

  async readRange() {
    const periods = [...this.manifests.keys()]
    return periods.length === 0 ? undefined : { first: Math.min(...periods), last: Math.max(...periods) }
  }

  async *listSummaries({ from, to }: { from: number; to: number }): AsyncGenerator<PeriodSummary> {
    for (const [period, { chunks }] of [...this.manifests].sort(([a], [b]) => a - b)) {
      if (period < from || period > to) continue
      this.summariesRead++
      const bodyBytes = chunks.reduce((sum, { byteLength }) => sum + byteLength, 0)
      yield { period, root: new Uint8Array(32), bodyBytes, blocks: 1, operations: 0, chunks: chunks.length }
    }
  }

  async readManifest(period: number) {
    return this.manifests.get(period)
  }
}
