import { encodeManifest, equalBytes, LEAF_SIZE_BYTES, type Period, toHex } from '../../core/index.ts'
import type { AuditRequest } from '../../protocol-handler/index.ts'
import {
  auditResponseCodec,
  blockResponseCodec,
  type ChunkRequest,
  chunkResponseCodec,
  manifestResponseCodec,
  type StreamName,
  sealsResponseCodec,
} from '../../protocol-handler/index.ts'
import { MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimChain } from './sim-chain.ts'
import type { StoredPeriod } from './sim-disk.ts'
import type { Answered, SimNode } from './sim-node.ts'

/** A period on a disk before and after a write. */
export interface Change {
  readonly before: StoredPeriod | undefined
  readonly after: StoredPeriod | undefined
}

/** What must hold at every moment of a simulation, looked at with each write and each answer of an honest node. */
export class Invariants {
  private readonly chain: SimChain
  private readonly scheduler: Scheduler
  /** By period: copies of each chunk on disks of honest nodes, whether they run or not. */
  private readonly copies = new Map<Period, number[]>()
  private readonly places = new Map<string, { readonly period: Period; readonly index: number }>()
  private checks = 0

  constructor(modules: { readonly chain: SimChain; readonly scheduler: Scheduler }) {
    this.chain = modules.chain
    this.scheduler = modules.scheduler
  }

  /** Writes and answers that were compared with the truth. */
  get checkCount(): number {
    return this.checks
  }

  copiesOf(period: Period, index: number): number {
    return this.copies.get(period)?.[index] ?? 0
  }

  /** What an honest node answered is true, down to the byte. */
  onServed(node: SimNode, name: StreamName, { request, frames }: Answered): void {
    this.checks++
    const [frame] = frames
    if (!frame) return
    if (name === 'chunk') this.checkChunk(node, request as ChunkRequest, frame)
    else if (name === 'manifest') this.checkManifests(node, frame)
    else if (name === 'audit') this.checkLeaf(node, request as AuditRequest, frame)
    else if (name === 'block') for (const each of frames) this.checkBlock(node, each)
  }

  onCommit(node: SimNode, period: Period, { before, after }: Change): void {
    this.checks++
    const truth = this.chain.period(period)
    const counts = this.copies.get(period) ?? this.begin(period)
    for (const index of truth.chunks.keys()) {
      counts[index] = (counts[index] ?? 0) + Number(isHeld(after, index)) - Number(isHeld(before, index))
    }
    const held = after ? [...after.values.keys()].filter((n) => isHeld(after, n)) : []
    this.scheduler.trace(`commit ${node.name} ${period} ${held.join()}`)
    if (!after) return
    if (!equalBytes(after.summary.root, truth.summary.root)) this.violate(node, `another root of period ${period}`)
    for (const [n, value] of after.values) {
      if (before?.values.get(n) === value) continue
      const wanted = n === SEALS ? truth.seals : n === MANIFEST ? encodeManifest(truth.manifest) : truth.chunks[n]
      if (wanted && wanted !== value && !equalBytes(wanted, value)) {
        this.violate(node, `value ${n} of period ${period} was stored and is not what the chain says`)
      }
    }
  }

  private begin(period: Period): number[] {
    const { manifest } = this.chain.period(period)
    const counts = manifest.chunks.map(() => 0)
    for (const [index, { chunkId }] of manifest.chunks.entries()) this.places.set(toHex(chunkId), { period, index })
    this.copies.set(period, counts)
    return counts
  }

  private checkChunk(node: SimNode, request: ChunkRequest, frame: Uint8Array): void {
    const place = this.places.get(toHex(request.chunkId))
    const truth = place && this.chain.period(place.period)
    if (request.wanted === 'seals') {
      const answer = sealsResponseCodec.decode(frame)
      if (answer.status !== 'ok') return
      const wanted = truth?.seals.subarray(answer.offset, answer.offset + answer.part.length)
      if (!wanted || !equalBytes(wanted, answer.part)) this.violate(node, 'SEALS were served that are none')
      return
    }
    const answer = chunkResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    const wanted = place && truth?.chunks[place.index]
    if (!wanted || !equalBytes(wanted, answer.data)) this.violate(node, 'a chunk was served that is none')
  }

  private checkManifests(node: SimNode, frame: Uint8Array): void {
    const answer = manifestResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    for (const [i, item] of answer.items.entries()) {
      if (!item) continue
      const truth = this.chain.period(answer.firstPeriod + i)
      const wanted = answer.wanted === 'roots' ? truth.summary.root : encodeManifest(truth.manifest)
      if (!equalBytes(wanted, item))
        this.violate(node, `a wrong manifest of period ${answer.firstPeriod + i} was served`)
    }
  }

  private checkLeaf(node: SimNode, { chunkId }: AuditRequest, frame: Uint8Array): void {
    const answer = auditResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    const place = this.places.get(toHex(chunkId))
    const chunk = place && this.chain.period(place.period).chunks[place.index]
    const wanted = chunk?.subarray(answer.leafIndex * LEAF_SIZE_BYTES, (answer.leafIndex + 1) * LEAF_SIZE_BYTES)
    if (!wanted || !equalBytes(wanted, answer.leaf)) this.violate(node, 'a leaf was shown that is none')
  }

  private checkBlock(node: SimNode, frame: Uint8Array): void {
    const answer = blockResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    const wanted = this.chain.blockById(answer.id)
    if (!wanted || !equalBytes(wanted.record, answer.record) || !equalBytes(wanted.seals, answer.seals)) {
      this.violate(node, 'a block was served that is none')
    }
  }

  private violate(node: SimNode, what: string): void {
    this.scheduler.fail(new Error(`${node.name}: ${what}`))
  }
}

/** There, and as it was written. */
function isHeld(stored: StoredPeriod | undefined, n: number): boolean {
  return stored?.values.has(n) === true && !stored.damaged.has(n)
}
