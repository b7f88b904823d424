import {
  ArchiveError,
  ByteReader,
  CHUNK_SIZE_BYTES,
  type Clock,
  computeChunkIdFromRoot,
  computeEraText,
  computeLeafHash,
  computePeriodRoot,
  computeRootFromPath,
  ERA_PERIODS,
  type EraStatement,
  equalBytes,
  HASH_SLOTS,
  type IdentifyChunk,
  isArchiveError,
  LEAF_SIZE_BYTES,
  type Manifest,
  type Network,
  type Period,
  parseManifest,
  readBlockHead,
  readBlockRecord,
  restoreFilledBlock,
  SEAL_BYTES,
  type SignatureArgument,
  VerifiedChunk,
  verifyText,
} from '../../core/index.ts'
import {
  auditRequestCodec,
  auditResponseCodec,
  blockRequestCodec,
  blockResponseCodec,
  chunkRequestCodec,
  chunkResponseCodec,
  drawRequestCodec,
  drawResponseCodec,
  eraRequestCodec,
  eraResponseCodec,
  haveRequestCodec,
  haveResponseCodec,
  MAX_ANSWER_MS,
  MAX_HAVE_PAGES,
  MAX_MANIFEST_ANSWER_BYTES,
  MAX_SEALS_BYTES,
  MAX_SEALS_MS,
  manifestRequestCodec,
  manifestResponseCodec,
  type Offence,
  type Refusal,
  readSigner,
  type SignedHavePage,
  type StreamName,
  sealsResponseCodec,
  suspicionRequestCodec,
  suspicionResponseCodec,
  type ToldSuspicion,
  verifyHavePage,
  type WantedBlock,
  type WireCodec,
} from '../../protocol-handler/index.ts'
import { findDrawIndex } from '../challenge/draw-signatures.ts'

/** What the client needs of the network. */
export interface Requester {
  request(
    peer: string,
    name: StreamName,
    options: { bytes: Uint8Array; maxAnswerBytes: number; frames: number; deadlineMs: number },
  ): Promise<Uint8Array[]>
}

/** Below this, handing a chunk to a thread takes as long as hashing it. */
const THREAD_FROM_BYTES = 262_144

/**
 * What an answer of manifests has at least that leaves some out because they do not fit: the next one may be of
 * MAX_PERIOD_CHUNKS, 590 kB.
 */
const LEAST_FULL_BYTES = MAX_MANIFEST_ANSWER_BYTES / 4

/** What a node says about an era. */
export interface SaidEra {
  readonly statement: EraStatement
  readonly own: SignatureArgument
  /** Of the same statement, as the node says: not verified. */
  readonly others: readonly { readonly address: string; readonly signature: SignatureArgument }[]
}

/** What a peer answered, checked; or why there is nothing. */
export type Fetched<T> = { readonly status: 'ok'; readonly value: T } | { readonly status: Refusal }

/**
 * Asks one peer, and lets nothing through that is not what was asked for: what does not hash to its id costs the peer.
 *
 * All throw ArchiveError PROTOCOL_PEER_UNREACHABLE when there is no answer, PROTOCOL_MESSAGE_INVALID or
 * PROTOCOL_ANSWER_WRONG for a wrong one.
 */
export class PeerClient {
  private readonly network: Requester
  private readonly onOffence: (peer: string, offence: Offence) => void
  private readonly clock: Clock
  private readonly identify: IdentifyChunk | undefined

  /** @param modules.identify - hashes large chunks beside the streams they come by; default: on the thread of the streams */
  constructor(
    network: Requester,
    onOffence: (peer: string, offence: Offence) => void,
    modules: { readonly clock: Clock; readonly identify?: IdentifyChunk },
  ) {
    this.network = network
    this.onOffence = onOffence
    this.clock = modules.clock
    this.identify = modules.identify
  }

  /** The chunk of this id. @param deadlineMs - for all of the answer */
  async fetchChunk(peer: string, chunkId: Uint8Array, deadlineMs = MAX_ANSWER_MS): Promise<Fetched<VerifiedChunk>> {
    const bytes = chunkRequestCodec.encode({ wanted: 'chunk', chunkId })
    const answer = await this.ask(peer, 'chunk', bytes, chunkResponseCodec, deadlineMs)
    if (answer.status !== 'ok') return answer
    const value = await this.verify(answer.data, chunkId)
    if (value) return { status: 'ok', value }
    this.onOffence(peer, 'wrongChunk')
    throw new ArchiveError('PROTOCOL_ANSWER_WRONG', 'the bytes of a chunk do not hash to its id', { peer })
  }

  /**
   * SEALS of the period whose chunk 0 this is; whoever asks verifies its signatures. They come in as few parts as can be, 10
   * at most, each within MAX_ANSWER_MS and all of them within MAX_SEALS_MS.
   *
   * @param wantedBytes - how long they have to be, as BODY says
   * @returns undefined as the value where the peer has others than these: no second part of them is asked for
   */
  async fetchSeals(peer: string, chunkId: Uint8Array, wantedBytes: number): Promise<Fetched<Uint8Array | undefined>> {
    const untilMs = this.clock.monotonicMs() + MAX_SEALS_MS
    let seals: Uint8Array | undefined
    for (let offset = 0; ; ) {
      const leftMs = untilMs - this.clock.monotonicMs()
      if (leftMs <= 0) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'SEALS did not come in time', { peer })
      const bytes = chunkRequestCodec.encode({ wanted: 'seals', chunkId, offset })
      const answer = await this.ask(peer, 'chunk', bytes, sealsResponseCodec, Math.min(MAX_ANSWER_MS, leftMs))
      if (answer.status !== 'ok') return answer
      const partBytes = Math.min(CHUNK_SIZE_BYTES, answer.totalBytes - offset)
      const isPart = answer.offset === offset && answer.part.length === partBytes
      if (answer.totalBytes > MAX_SEALS_BYTES || !isPart) throw this.wrong(peer, 'a part of SEALS')
      if (seals && answer.totalBytes !== wantedBytes) throw this.wrong(peer, 'SEALS that change their length')
      if (answer.totalBytes !== wantedBytes) return { status: 'ok', value: undefined }
      seals ??= new Uint8Array(wantedBytes)
      seals.set(answer.part, offset)
      offset += answer.part.length
      if (offset === seals.length) return { status: 'ok', value: seals }
    }
  }

  /** The manifest of a period that has this root. */
  async fetchManifest(peer: string, period: Period, root: Uint8Array, network: Network): Promise<Fetched<Manifest>> {
    const bytes = manifestRequestCodec.encode({ wanted: 'manifests', firstPeriod: period, periodCount: 1 })
    const answer = await this.ask(peer, 'manifest', bytes, manifestResponseCodec)
    if (answer.status !== 'ok') return answer
    const [item] = answer.items
    if (answer.wanted !== 'manifests' || answer.firstPeriod !== period || answer.items.length !== 1) {
      throw this.wrong(peer, 'another manifest')
    }
    if (!item) return { status: 'notHeld' }
    const manifest = this.parse(peer, item)
    const isOf = isSameNetwork(manifest.network, network) && manifest.period === period
    if (!isOf || !equalBytes(computePeriodRoot(manifest), root)) throw this.wrong(peer, 'a manifest of another root')
    return { status: 'ok', value: manifest }
  }

  /**
   * Manifests of consecutive periods, 128 at most, undefined for those that the peer lacks. They are of this network and
   * of these periods, each of `maxChunks` at most; whether they are true is for whoever asks to find out.
   */
  async fetchManifests(
    peer: string,
    range: { readonly firstPeriod: Period; readonly periodCount: number; readonly maxChunks: number },
    network: Network,
  ): Promise<Fetched<readonly (Manifest | undefined)[]>> {
    const manifests: (Manifest | undefined)[] = []
    while (manifests.length < range.periodCount) {
      const firstPeriod = range.firstPeriod + manifests.length
      const periodCount = range.periodCount - manifests.length
      const request = manifestRequestCodec.encode({ wanted: 'manifests', firstPeriod, periodCount })
      const answer = await this.ask(peer, 'manifest', request, manifestResponseCodec)
      if (answer.status === 'notHeld') break
      if (answer.status !== 'ok') return answer
      if (answer.wanted !== 'manifests' || answer.firstPeriod !== firstPeriod || answer.items.length > periodCount) {
        throw this.wrong(peer, 'other manifests')
      }
      // As many as fit: the rest is asked for again.
      const bytes = answer.items.reduce((sum, item) => sum + (item?.length ?? 0), 0)
      if (answer.items.length < periodCount && bytes < LEAST_FULL_BYTES) throw this.wrong(peer, 'too few manifests')
      for (const item of answer.items) {
        const manifest = item && this.parse(peer, item)
        const isOf =
          !manifest ||
          (isSameNetwork(manifest.network, network) &&
            manifest.period === range.firstPeriod + manifests.length &&
            manifest.chunks.length <= range.maxChunks)
        if (!isOf) throw this.wrong(peer, 'the manifest of another period')
        manifests.push(manifest)
      }
    }
    if (manifests.length === 0) return { status: 'notHeld' }
    return { status: 'ok', value: Array.from({ length: range.periodCount }, (_, i) => manifests[i]) }
  }

  /** Roots of consecutive periods, 128 at most, of all of them; whether they are true is for whoever asks to find out. */
  async fetchRoots(peer: string, firstPeriod: Period, periodCount: number): Promise<Fetched<readonly Uint8Array[]>> {
    const bytes = manifestRequestCodec.encode({ wanted: 'roots', firstPeriod, periodCount })
    const answer = await this.ask(peer, 'manifest', bytes, manifestResponseCodec)
    if (answer.status !== 'ok') return answer
    // 128 of them fit into every answer.
    const isOf = answer.wanted === 'roots' && answer.firstPeriod === firstPeriod && answer.items.length === periodCount
    if (!isOf) throw this.wrong(peer, 'other period roots')
    const roots = answer.items.flatMap((item) => (item ? [item] : []))
    return roots.length < periodCount ? { status: 'notHeld' } : { status: 'ok', value: roots }
  }

  /**
   * Blocks by their place, as FilledBlock messages in the order of `wanted`; undefined for those that the peer lacks.
   *
   * Each has the id that was asked for. Signatures and operations are for whoever takes it to verify.
   */
  async fetchBlocks(
    peer: string,
    wanted: readonly WantedBlock[],
    network: Network,
  ): Promise<(Uint8Array | undefined)[]> {
    const bytes = blockRequestCodec.encode({ blocks: wanted })
    const options = {
      bytes,
      maxAnswerBytes: blockResponseCodec.maxBytes,
      frames: wanted.length,
      deadlineMs: MAX_ANSWER_MS,
    }
    const frames = await this.network.request(peer, 'block', options)
    return wanted.map(({ id }, i) => {
      const answer = this.decode(peer, blockResponseCodec, frames[i] ?? new Uint8Array())
      if (!equalBytes(answer.id, id)) throw this.wrong(peer, 'another block')
      return answer.status === 'ok' ? this.restore(peer, answer, network) : undefined
    })
  }

  /**
   * True when the peer shows the leaf of the chunk at this index, or, where it proves that the chunk has fewer leaves, at
   * what is left of the index divided by their number: our manifest may say more than there is.
   */
  async audit(peer: string, chunkId: Uint8Array, leafIndex: number): Promise<Fetched<true>> {
    const bytes = auditRequestCodec.encode({ chunkId, leafIndex })
    const answer = await this.ask(peer, 'audit', bytes, auditResponseCodec)
    if (answer.status === 'refused' && leafIndex > 0) return this.auditShorter(peer, chunkId, leafIndex)
    if (answer.status !== 'ok') return answer
    const { byteLength, treeRoot, leaf, path } = answer
    const place = { index: leafIndex, leafCount: Math.ceil(byteLength / LEAF_SIZE_BYTES) }
    const isShown =
      answer.leafIndex === leafIndex &&
      equalBytes(computeChunkIdFromRoot(byteLength, treeRoot), chunkId) &&
      equalBytes(computeRootFromPath(computeLeafHash(leaf), path, place), treeRoot)
    if (!isShown) throw this.wrong(peer, 'a leaf that does not lead to the chunk id')
    return { status: 'ok', value: true }
  }

  private async auditShorter(peer: string, chunkId: Uint8Array, leafIndex: number): Promise<Fetched<true>> {
    const shown = await this.fetchChunkLength(peer, chunkId)
    if (shown.status !== 'ok') return shown
    const leaves = Math.ceil(shown.value / LEAF_SIZE_BYTES)
    return leafIndex < leaves ? { status: 'refused' } : this.audit(peer, chunkId, leafIndex % leaves)
  }

  /** How long a chunk is, proven by its id. */
  async fetchChunkLength(peer: string, chunkId: Uint8Array): Promise<Fetched<number>> {
    const bytes = auditRequestCodec.encode({ chunkId, leafIndex: 0 })
    const answer = await this.ask(peer, 'audit', bytes, auditResponseCodec)
    if (answer.status !== 'ok') return answer
    const { byteLength, treeRoot } = answer
    if (equalBytes(computeChunkIdFromRoot(byteLength, treeRoot), chunkId)) return { status: 'ok', value: byteLength }
    throw this.wrong(peer, 'a length that is not that of the chunk id')
  }

  /**
   * All that a node says it holds: pages that tell of all hash slots in their order, each signed by `address`.
   *
   * A page may be of a later head than the one before it, since the map is made anew now and then; of an earlier one it
   * may not. Between pages it ends with the reason of `signal`.
   */
  async fetchHaveMap(
    peer: string,
    address: string,
    network: Network,
    signal?: AbortSignal,
  ): Promise<Fetched<readonly SignedHavePage[]>> {
    const pages: SignedHavePage[] = []
    for (let fromHashSlot = 0; fromHashSlot < HASH_SLOTS; ) {
      if (pages.length === MAX_HAVE_PAGES) throw this.wrong(peer, 'a have-map without end')
      signal?.throwIfAborted()
      const answer = await this.ask(peer, 'have', haveRequestCodec.encode({ fromHashSlot }), haveResponseCodec)
      if (answer.status !== 'ok') return answer
      const { page } = answer
      const problem = findHaveProblem(page, { fromHashSlot, address, network, before: pages.at(-1) })
      if (problem !== undefined) throw this.wrong(peer, problem)
      pages.push(page)
      fromHashSlot = page.endHashSlot
    }
    return { status: 'ok', value: pages }
  }

  /**
   * What a node says about an era, signed by `address` for this chain and registry; whether it is true is for whoever asks
   * to find out, as are the signatures of others. Nobody's comes twice.
   */
  async fetchEra(
    peer: string,
    about: Pick<EraStatement, 'chainId' | 'contract' | 'era'> & { readonly address: string },
  ): Promise<Fetched<SaidEra>> {
    const { chainId, contract, era, address } = about
    const answer = await this.ask(peer, 'era', eraRequestCodec.encode({ era }), eraResponseCodec)
    if (answer.status !== 'ok') return answer
    const { eraRoot, totalBytes, totalChunks, nextPlacementRoot, signatures } = answer
    if (answer.era !== era) throw this.wrong(peer, 'the statement of another era')
    const statement = { chainId, contract, era, eraRoot, totalBytes, totalChunks, nextPlacementRoot }
    const [own, ...others] = signatures.map((signature) => ({ address: readSigner({ signature }), signature }))
    const isSigned = own?.address === address && verifyText(computeEraText(statement), own.signature)
    if (!isSigned) throw this.wrong(peer, 'a statement about an era that it did not sign for this registry')
    const signers = new Set([address, ...others.map((other) => other.address)])
    if (signers.size < signatures.length) throw this.wrong(peer, 'a signer of an era named twice')
    return { status: 'ok', value: { statement, own: own.signature, others } }
  }

  /** 65 bytes by which a challenge was drawn: its id is a hash of them. */
  async fetchDrawSignature(peer: string, challengeId: string): Promise<Fetched<Uint8Array>> {
    const answer = await this.ask(peer, 'draw', drawRequestCodec.encode({ challengeId }), drawResponseCodec)
    if (answer.status !== 'ok') return answer
    const { drawSignature } = answer
    if (findDrawIndex(challengeId, drawSignature) === undefined) throw this.wrong(peer, 'a signature of another draw')
    return { status: 'ok', value: drawSignature }
  }

  /** What nodes did not show this peer, as it says: of each one chunk at most. */
  async fetchSuspicions(peer: string): Promise<Fetched<readonly ToldSuspicion[]>> {
    const answer = await this.ask(peer, 'suspicion', suspicionRequestCodec.encode({}), suspicionResponseCodec)
    return answer.status === 'ok' ? { status: 'ok', value: answer.suspicions } : answer
  }

  private async verify(bytes: Uint8Array, chunkId: Uint8Array): Promise<VerifiedChunk | undefined> {
    if (!this.identify || bytes.length < THREAD_FROM_BYTES) return VerifiedChunk.verify(bytes, chunkId)
    return await VerifiedChunk.verifyBy(this.identify, bytes, chunkId)
  }

  private async ask<A>(
    peer: string,
    name: StreamName,
    bytes: Uint8Array,
    codec: WireCodec<A>,
    deadlineMs = MAX_ANSWER_MS,
  ): Promise<A> {
    const options = { bytes, maxAnswerBytes: codec.maxBytes, frames: 1, deadlineMs }
    const [frame = new Uint8Array()] = await this.network.request(peer, name, options)
    return this.decode(peer, codec, frame)
  }

  private decode<A>(peer: string, codec: WireCodec<A>, frame: Uint8Array): A {
    try {
      return codec.decode(frame)
    } catch (error) {
      if (isArchiveError(error, 'PROTOCOL_MESSAGE_INVALID')) this.onOffence(peer, 'reject')
      throw error
    }
  }

  private restore(
    peer: string,
    { id, record, seals }: { readonly id: Uint8Array; readonly record: Uint8Array; readonly seals: Uint8Array },
    network: Network,
  ): Uint8Array {
    try {
      const { slot } = readBlockHead(new ByteReader(record)).header
      const reader = new ByteReader(record)
      const block = readBlockRecord(reader, network, slot)
      reader.end()
      const isWhole = equalBytes(block.id, id) && seals.length === SEAL_BYTES * (1 + block.operations.length)
      if (isWhole) return restoreFilledBlock(network.chainId, block, seals)
    } catch (cause) {
      throw this.wrong(peer, 'no block', cause)
    }
    throw this.wrong(peer, 'another block than its id says')
  }

  private parse(peer: string, item: Uint8Array): Manifest {
    try {
      return parseManifest(item)
    } catch (cause) {
      throw this.wrong(peer, 'no manifest', cause)
    }
  }

  private wrong(peer: string, what: string, cause?: unknown): ArchiveError {
    this.onOffence(peer, 'reject')
    return new ArchiveError('PROTOCOL_ANSWER_WRONG', `the peer answered with ${what}`, { peer }, cause)
  }
}

function findHaveProblem(
  page: SignedHavePage,
  wanted: {
    readonly fromHashSlot: number
    readonly address: string
    readonly network: Network
    readonly before: SignedHavePage | undefined
  },
): string | undefined {
  const { network, before } = wanted
  const { chainId, genesisTimestampMs } = page.network
  if (chainId !== network.chainId || genesisTimestampMs !== network.genesisTimestampMs) {
    return 'a have-map of another network'
  }
  if (page.fromHashSlot !== wanted.fromHashSlot) return 'another page of its have-map'
  if (before && page.headPeriod < before.headPeriod) return 'a page of an earlier have-map'
  const mostEras = Math.floor(page.headPeriod / ERA_PERIODS) + 1
  if (page.held.some(({ endEra }) => endEra > mostEras)) return 'eras behind its head'
  if (readSigner(page) !== wanted.address) return 'the have-map of another node'
  return verifyHavePage(page) ? undefined : 'a have-map whose signature does not verify'
}

function isSameNetwork(a: Network, b: Network): boolean {
  return a.chainId === b.chainId && a.genesisTimestampMs === b.genesisTimestampMs
}
