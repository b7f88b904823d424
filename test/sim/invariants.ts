import { ERA_PERIODS, encodeManifest, equalBytes, LEAF_SIZE_BYTES, type Period, toHex } from '../../core/index.ts'
import type { AuditRequest } from '../../protocol-handler/index.ts'
import {
  auditResponseCodec,
  blockResponseCodec,
  type ChunkRequest,
  chunkResponseCodec,
  haveResponseCodec,
  manifestResponseCodec,
  type StreamName,
  sealsResponseCodec,
} from '../../protocol-handler/index.ts'
import { MANIFEST, SEALS } from '../../storage-worker/keyspace.ts'
import { ChunkCopies, isHeld } from './chunk-copies.ts'
import type { Scheduler } from './scheduler.ts'
import { ShownChunks } from './shown-chunks.ts'
import type { SimChain } from './sim-chain.ts'
import type { StoredPeriod } from './sim-disk.ts'
import type { SimNode } from './sim-node.ts'
import type { Answered } from './sim-peer.ts'
import type { SimRegistry } from './sim-registry.ts'

/** A period on a disk before and after a write. */
export interface Change {
  readonly before: StoredPeriod | undefined
  readonly after: StoredPeriod | undefined
}

/** What must hold at every moment of a simulation, looked at with each write and each answer of an honest node. */
export class Invariants {
  readonly copies: ChunkCopies
  private readonly chain: SimChain
  private readonly scheduler: Scheduler
  private readonly registry: SimRegistry
  private readonly honest = new Map<string, SimNode>()
  private readonly shown = new ShownChunks()
  private readonly places = new Map<string, { readonly period: Period; readonly index: number }>()
  /** Have-maps, by their bytes, that were looked at: a node makes one now and then, and gives it to many. */
  private readonly seenMaps = new WeakSet<Uint8Array>()
  private checks = 0
  private letGo = 0

  constructor(modules: { readonly chain: SimChain; readonly scheduler: Scheduler; readonly registry: SimRegistry }) {
    this.chain = modules.chain
    this.scheduler = modules.scheduler
    this.registry = modules.registry
    this.copies = new ChunkCopies(modules.registry.replicas, modules.chain)
  }

  /** Writes and answers that were compared with the truth. */
  get checkCount(): number {
    return this.checks
  }

  /** Chunks that were let go of. */
  get letGoCount(): number {
    return this.letGo
  }

  /** From now on it is watched. */
  watch(node: SimNode): void {
    this.honest.set(node.identity.massaAddress, node)
  }

  /** What an honest node answered is true, down to the byte. */
  onServed(node: SimNode, name: StreamName, { asker, request, frames }: Answered): void {
    this.checks++
    const [frame] = frames
    if (!frame) return
    if (name === 'chunk') this.checkChunk(node, { asker, request: request as ChunkRequest }, frame)
    else if (name === 'manifest') this.checkManifests(node, frame)
    else if (name === 'audit') this.checkLeaf(node, { asker, request: request as AuditRequest }, frame)
    else if (name === 'block') for (const each of frames) this.checkBlock(node, each)
    else if (name === 'have') this.checkHaveMap(node, frame)
  }

  onCommit(node: SimNode, period: Period, { before, after }: Change): void {
    this.checks++
    const truth = this.chain.period(period)
    for (const [index, { chunkId }] of truth.manifest.chunks.entries()) {
      this.places.set(toHex(chunkId), { period, index })
    }
    this.copies.note(period, before, after)
    this.checkLost(node, period)
    const held = after ? [...after.values.keys()].filter((n) => isHeld(after, n)) : []
    this.scheduler.trace(`commit ${node.name} ${period} ${held.join()}`)
    if (!after) return
    this.checkDropped(node, period, { before, after })
    if (!equalBytes(after.summary.root, truth.summary.root)) this.violate(node, `another root of period ${period}`)
    for (const [n, value] of after.values) {
      if (before?.values.get(n) === value) continue
      const wanted = n === SEALS ? truth.seals : n === MANIFEST ? encodeManifest(truth.manifest) : truth.chunks[n]
      if (wanted && wanted !== value && !equalBytes(wanted, value)) {
        this.violate(node, `value ${n} of period ${period} was stored and is not what the chain says`)
      }
    }
  }

  /** Of a chunk that had all its copies one is left: fewer disks are lost in all than there were copies. */
  private checkLost(node: SimNode, period: Period): void {
    const lost = this.copies.listOf(period).find(({ copies, isSettled }) => isSettled && copies === 0)
    if (lost) this.violate(node, `had the last copy of chunk ${lost.index} of period ${period}, and it is gone`)
  }

  /**
   * What is let go of was shown by each of its holders to who lets go of it, and is held by each, but for those that have
   * lost their disks since.
   */
  private checkDropped(node: SimNode, period: Period, { before, after }: Change): void {
    const table = this.registry.tableAt(node.feed.headPeriod)
    for (const { index, hashSlot } of this.copies.listOf(period)) {
      if (!before?.values.has(index) || after?.values.has(index)) continue
      this.letGo++
      const holders = table?.holdersOfSlot(hashSlot).holders ?? []
      const nameOf = (address: string): string => this.honest.get(address)?.name ?? 'a sham'
      const what = `let go of chunk ${index} of period ${period}`
      const lacking = holders.find(({ address }) => {
        const holder = this.honest.get(address)
        return !holder || (holder.disk.losses === 0 && !isHeld(holder.disk.get(period), index))
      })
      if (lacking) this.violate(node, `${what}, and ${nameOf(lacking.address)} does not hold it`)
      const silent = holders.find(({ address }) => !this.hasShown(nameOf(address), node, { period, index, before }))
      if (silent) this.violate(node, `${what}, and ${nameOf(silent.address)} did not show it`)
      if (holders.length < this.registry.replicas) this.violate(node, `${what}, which has ${holders.length} holders`)
    }
  }

  /** SEALS go with chunk 0. */
  private hasShown(
    name: string,
    { identity }: SimNode,
    { period, index, before }: { readonly period: Period; readonly index: number; readonly before: StoredPeriod },
  ): boolean {
    const isSealed = index === 0 && before.values.has(SEALS)
    return (
      this.shown.has(identity.peer, name, { period, shown: index }) &&
      (!isSealed || this.shown.has(identity.peer, name, { period, shown: 'seals' }))
    )
  }

  /** What it says that it holds is on its disk. */
  private checkHaveMap(node: SimNode, frame: Uint8Array): void {
    if (this.seenMaps.has(frame)) return
    this.seenMaps.add(frame)
    const answer = haveResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    const { firstEra, headPeriod, held, exceptions, missingPeriods } = answer.page
    const ends = new Map(held.map(({ hashSlot, endEra }) => [hashSlot, endEra]))
    const lacking = new Set(exceptions.map(({ hashSlot, era }) => `${hashSlot} ${era}`))
    const [first = headPeriod] = node.disk.listPeriods()
    for (let period = Math.max(first, firstEra * ERA_PERIODS); period <= headPeriod; period++) {
      const era = Math.floor(period / ERA_PERIODS)
      if (missingPeriods.some(({ fromPeriod, endPeriod }) => period >= fromPeriod && period < endPeriod)) continue
      for (const { index, hashSlot } of this.copies.listOf(period)) {
        const isClaimed = era < (ends.get(hashSlot) ?? 0) && !lacking.has(`${hashSlot} ${era}`)
        if (!isClaimed || isHeld(node.disk.get(period), index)) continue
        this.violate(node, `says that it holds chunk ${index} of period ${period}, and does not`)
      }
    }
  }

  private checkChunk(
    node: SimNode,
    { asker, request }: { readonly asker: string; readonly request: ChunkRequest },
    frame: Uint8Array,
  ): void {
    const place = this.places.get(toHex(request.chunkId))
    const truth = place && this.chain.period(place.period)
    if (request.wanted === 'seals') {
      const answer = sealsResponseCodec.decode(frame)
      if (answer.status !== 'ok') return
      const wanted = truth?.seals.subarray(answer.offset, answer.offset + answer.part.length)
      if (!wanted || !equalBytes(wanted, answer.part)) this.violate(node, 'SEALS were served that are none')
      if (place) this.shown.note(asker, node.name, { period: place.period, shown: 'seals' })
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

  private checkLeaf(
    node: SimNode,
    { asker, request }: { readonly asker: string; readonly request: AuditRequest },
    frame: Uint8Array,
  ): void {
    const answer = auditResponseCodec.decode(frame)
    if (answer.status !== 'ok') return
    const place = this.places.get(toHex(request.chunkId))
    const chunk = place && this.chain.period(place.period).chunks[place.index]
    const wanted = chunk?.subarray(answer.leafIndex * LEAF_SIZE_BYTES, (answer.leafIndex + 1) * LEAF_SIZE_BYTES)
    if (!wanted || !equalBytes(wanted, answer.leaf)) this.violate(node, 'a leaf was shown that is none')
    if (place) this.shown.note(asker, node.name, { period: place.period, shown: place.index })
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
