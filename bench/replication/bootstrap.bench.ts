import { cp, mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { encodePeriod, verifyFilledBlock } from '../../archiver/index.ts'
import type { DecidedSlot } from '../../archiver/period-encoder.ts'
import {
  type ArchivedPeriod,
  computeBodyBytes,
  computeEraRoot,
  computePeriodRoot,
  ERA_PERIODS,
  type Manifest,
  type Period,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { makeGenesisPeriod } from '../../storage-worker/bootstrap/made-period.ts'
import { makePeriod } from '../../test/storage-worker/synthetic-period.ts'
import { BareVerification } from '../archiver/bare-verification.ts'
import { type BenchBlock, makeBenchBlocks } from '../archiver/bench-blocks.ts'
import type { BenchRow } from '../bench-row.ts'
import { ask, endChildren, hear, startChild } from '../children.ts'
import { BENCH_IDENTITY, median, openBenchStore, QUIET_PERIOD, withFolder } from '../storage-worker/bench-archive.ts'
import type { Joined, JoinOrder, SentAnchor } from './bootstrap-join-child.ts'
import type { PeerOrder, PeerReady } from './bootstrap-peer-child.ts'
import { listSealSignatures } from './seal-signatures.ts'

/*
 * Question: how fast does a node that begins with nothing but the newest periods fetch what came before, beside what the same
 * bytes cost? Four peers that have it, each a process with a store on disk, and the joiner: Bootstrap, PeerClient, PeerNode and
 * the services of a sidecar, with the limits of a registered node on both sides, and LevelChunkStore.
 * - Under anchored era roots, as nearly all is fetched: MASSA_STORAGE_BENCH_BOOTSTRAP_MB (default 2,000) in two eras of large
 *   periods, and a tenth of it in periods of 90 kB.
 * - Linked, where nothing is anchored yet: MASSA_STORAGE_BENCH_BOOTSTRAP_LINKED_PERIODS (default 256) whole periods of 80 kB.
 *
 * Baselines: bare libp2p with as many peers, streams and requests; a get from bare classic-level, the leaf tree of what comes, and a
 * synced put of it, for each chunk with its SEALS at once; and this with bare Ed25519 of all signatures behind it, on all threads
 * but one, which is left to following the chain. Bootstrap verifies every signature and id, checks roots of eras and periods or
 * links, indexes, and writes periods in their order, each visible at once or not at all. Large periods have few signatures for
 * their bytes, so the goal is beside the first there; those of quiet ones take ten times as long as all else, so it is beside
 * the second.
 */

const BYTES = 1e6 * Number(process.env.MASSA_STORAGE_BENCH_BOOTSTRAP_MB ?? 2_000)
const LINKED_PERIODS = Number(process.env.MASSA_STORAGE_BENCH_BOOTSTRAP_LINKED_PERIODS ?? 256)
const PEERS = 4
const ROUNDS = 3
const GOAL = 0.8
const LARGE_ERAS = 2
const QUIET_BYTES = 90_000
const OPERATION_BYTES = 10_000
/** The whole archive of who joins: a few, since what they say of the blocks below is needed. */
const NEW_PERIODS = 3

export async function run(): Promise<BenchRow[]> {
  const largeBytes = BYTES / LARGE_ERAS / ERA_PERIODS
  const operations = Math.ceil(largeBytes / THREAD_COUNT / OPERATION_BYTES)
  const operationBytes = Math.round(largeBytes / THREAD_COUNT / operations)
  const large = { identity: BENCH_IDENTITY, blocks: THREAD_COUNT, operations, operationBytes }
  const quietEras = Math.max(1, Math.round(BYTES / 10 / QUIET_BYTES / ERA_PERIODS))
  return [
    ...(await measure('large periods under anchored roots', makeAnchored(LARGE_ERAS, large), 'put')),
    ...(await measure('periods of 90 kB under anchored roots', makeAnchored(quietEras, QUIET_PERIOD), 'verified')),
    ...(await measure('whole periods of 80 kB, linked', await makeLinked(), 'verified')),
  ]
}

interface MadeArchive {
  readonly periods: Iterable<ArchivedPeriod>
  readonly wantedFrom: Period
  readonly last: Period
  readonly isAnchored: boolean
}

/** From era 1 on, and a few periods more. */
function makeAnchored(eras: number, shape: Parameters<typeof makePeriod>[1]): MadeArchive {
  const last = ERA_PERIODS * (1 + eras) + NEW_PERIODS - 1
  function* periods(): Generator<ArchivedPeriod> {
    for (let period = ERA_PERIODS; period <= last; period++) yield makePeriod(period, { ...shape, isSigned: true })
  }
  return { periods: periods(), wantedFrom: ERA_PERIODS, last, isAnchored: true }
}

/** A chain from its genesis on. */
async function makeLinked(): Promise<MadeArchive> {
  const last = LINKED_PERIODS + NEW_PERIODS - 1
  const chain = { seed: 'bootstrap', ...BENCH_IDENTITY.network, periods: last, endorsements: 0, operationsPerBlock: 10 }
  const blocks = await makeBenchBlocks(chain)
  return { periods: encodeAll(blocks, last), wantedFrom: 0, last, isAnchored: false }
}

function* encodeAll(blocks: readonly BenchBlock[], last: Period): Generator<ArchivedPeriod> {
  const { network, chunkSizeBytes } = BENCH_IDENTITY
  yield makeGenesisPeriod(BENCH_IDENTITY, 0)
  const slots = new Map<Period, DecidedSlot[]>()
  for (const { slot, id, message } of blocks) {
    const { record, seals, operationCount } = verifyFilledBlock(message, network.chainId, id)
    const own = slots.get(slot.period) ?? []
    own.push({ kind: 'block', record, seals, operationCount })
    slots.set(slot.period, own)
  }
  for (let period = 1; period <= last; period++) {
    const decided = { network, period, slots: slots.get(period) ?? [], executionResults: new Uint8Array(1) }
    yield encodePeriod(decided, chunkSizeBytes)
  }
}

/** @param goalOf - the baseline that the goal speaks of */
async function measure(what: string, archive: MadeArchive, goalOf: 'put' | 'verified'): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const { manifests, bytes, signatures } = await prepare(folder, archive)
    const threads = Math.max(1, availableParallelism() - 1)
    const verification = new BareVerification(signatures, threads)
    const chunks = manifests.reduce((sum, manifest) => sum + manifest.chunks.length, 0)
    const chunkBytes = Math.round(bytes / chunks)
    const peers = Array.from({ length: PEERS }, (_, i) => {
      return startChild(new URL('./bootstrap-peer-child.ts', import.meta.url), [join(folder, String(i)), `peer ${i}`])
    })
    const joiner = startChild(new URL('./bootstrap-join-child.ts', import.meta.url), [join(folder, 'joiner')])
    const tell = <T>(order: JoinOrder): Promise<T> => ask<T>(joiner, order)
    try {
      const [ready] = await Promise.all([Promise.all(peers.map((peer) => hear<PeerReady>(peer))), hear(joiner)])
      await Promise.all(peers.map((peer) => ask(peer, { bareChunkBytes: chunkBytes } satisfies PeerOrder)))
      await tell({ do: 'connect', peers: ready })
      const { wantedFrom, last, isAnchored } = archive
      const joinOrder = { do: 'join', wantedFrom, last, anchors: isAnchored ? anchorEras(manifests) : [] } as const
      const ours: number[] = []
      const bare: number[] = []
      const verified: number[] = []
      for (let round = 0; round < ROUNDS; round++) {
        const pullBare = async () => bare.push((await tell<Joined>({ do: 'bare', chunks, chunkBytes })).seconds)
        // The one that comes first changes: a machine has better and worse minutes.
        if (round % 2 === 0) await pullBare()
        ours.push((await tell<Joined>(joinOrder)).seconds)
        if (round % 2 === 1) await pullBare()
        verified.push((bare[round] ?? 0) + (await verification.run()))
      }
      const rate = (seconds: number) => `${(bytes / 1e6 / seconds).toFixed(1)} MB/s`
      const row = (baseline: readonly number[], name: string, hasGoal: boolean): BenchRow => {
        const ratio = median(ours.map((seconds, round) => (baseline[round] ?? 0) / seconds))
        return {
          question: `bootstrap of an empty node, ${(bytes / 1e6).toFixed(0)} MB in ${what}, ${signatures.length} signatures`,
          measured: rate(median(ours)),
          baseline: `${rate(median(baseline))} ${name}`,
          ratio,
          goal: hasGoal ? `>= ${GOAL}` : '-',
          holds: !hasGoal || ratio >= GOAL,
        }
      }
      const name = 'pull + leaf tree + put'
      const verifiedName = `${name}, then Ed25519 on ${threads} thread${threads === 1 ? '' : 's'}`
      return [row(bare, name, goalOf === 'put'), row(verified, verifiedName, goalOf === 'verified')]
    } finally {
      await verification.close()
      await endChildren([...peers, joiner])
    }
  })
}

/** The same archive in the folder of each peer, its end in that of the joiner. */
async function prepare(
  folder: string,
  { periods, last }: MadeArchive,
): Promise<{
  readonly manifests: readonly Manifest[]
  readonly bytes: number
  readonly signatures: readonly Uint8Array[]
}> {
  const [whole, end] = [join(folder, '0'), join(folder, 'joiner')]
  for (const folderOf of [whole, end]) await mkdir(folderOf, { recursive: true })
  const stores = [await openBenchStore(join(whole, 'data')), await openBenchStore(join(end, 'new'))] as const
  const manifests: Manifest[] = []
  const signatures: Uint8Array[] = []
  let bytes = 0
  for (const period of periods) {
    await stores[0].chunks.writePeriod(period)
    if (period.manifest.period > last - NEW_PERIODS) await stores[1].chunks.writePeriod(period)
    else {
      manifests.push(period.manifest)
      signatures.push(...listSealSignatures(period))
      bytes += period.summary.bodyBytes + period.seals.length
    }
  }
  await Promise.all(stores.map((store) => store.close()))
  for (let i = 1; i < PEERS; i++) await cp(whole, join(folder, String(i)), { recursive: true })
  return { manifests, bytes, signatures }
}

/** @param manifests - of whole eras, ascending */
function anchorEras(manifests: readonly Manifest[]): SentAnchor[] {
  const anchors: SentAnchor[] = []
  for (let at = 0; at < manifests.length; at += ERA_PERIODS) {
    const own = manifests.slice(at, at + ERA_PERIODS)
    const era = Math.floor((own[0]?.period ?? 0) / ERA_PERIODS)
    const totalBytes = own.reduce((sum, manifest) => sum + computeBodyBytes(manifest), 0)
    const totalChunks = own.reduce((sum, manifest) => sum + manifest.chunks.length, 0)
    const totals = { era, totalBytes: BigInt(totalBytes), totalChunks: BigInt(totalChunks) }
    const root = computeEraRoot({ network: BENCH_IDENTITY.network, ...totals }, own.map(computePeriodRoot))
    anchors.push({ era, rootHex: toHex(root), totalBytes, totalChunks })
  }
  return anchors
}
