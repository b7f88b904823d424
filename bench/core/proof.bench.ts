import { hash } from 'node:crypto'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CHUNK_SIZE_BYTES,
  computeChunkId,
  computeChunkTreeRoot,
  computeStorageProof,
  LEAF_SIZE_BYTES,
  verifyStorageProof,
} from '../../core/index.ts'
import { encodeBodyKey } from '../../storage-worker/keyspace.ts'
import { BODIES_OPTIONS, createClassicLevel } from '../../storage-worker/level-options.ts'
import { SEAL_BYTES } from '../../storage-worker/sealed-value.ts'
import type { BenchRow } from '../bench-row.ts'
import { FULL_PERIOD, makePeriods, openBenchStore, withFolder } from '../storage-worker/bench-archive.ts'

/*
 * Question: what does a proof of 2 leaves cost its prover, from the chunk on disk, and its verifier? Input: chunks of 1
 * MiB of 8 full periods, 60 challenges (seeded). Baselines: a bare get of the same value from a copy of the database and
 * the bare SHA-256 calls of a leaf tree, same inputs and number, by node:crypto; for the verifier 1 ms. What the baseline
 * lacks is the hash that says whether the disk kept its word. Far above 1.2 the tree is not built well; a verifier above
 * 1 ms could not audit thousands of chunks a day beside its other work.
 */

const ROUNDS = 60
const SAMPLES = 2
const PERIODS = 8
/** Of each period; the last one is shorter. */
const WHOLE_CHUNKS = 9

export async function run(): Promise<BenchRow[]> {
  return withFolder(async (folder) => {
    const dataDir = join(folder, 'data')
    const written = await openBenchStore(dataDir)
    for (const period of makePeriods(PERIODS, FULL_PERIOD)) await written.chunks.writePeriod(period)
    await written.close()
    await cp(join(dataDir, 'bodies'), join(folder, 'copy'), { recursive: true })
    const store = await openBenchStore(dataDir)
    const bare = createClassicLevel(join(folder, 'copy'), BODIES_OPTIONS)
    await bare.open()
    try {
      return await compare(
        (period, index) => store.chunks.readChunk(period, index),
        (period, index) => bare.get(encodeBodyKey(period, index)),
      )
    } finally {
      await bare.close()
      await store.close()
    }
  })
}

type Read = (period: number, index: number) => Promise<Uint8Array | undefined>

async function compare(readChunk: Read, readBare: Read): Promise<BenchRow[]> {
  const times = {
    prove: [] as number[],
    provenInMemory: [] as number[],
    tree: [] as number[],
    bare: [] as number[],
    bareTree: [] as number[],
    verify: [] as number[],
  }
  // Once to warm up, then in turns, so that a change in the load of the machine meets all of them.
  for (let i = 0; i < 2 * ROUNDS; i++) {
    const counts = i >= ROUNDS
    const order = { seed: hash('sha256', `challenge ${i % ROUNDS}`, 'buffer'), samples: SAMPLES }
    const place = [1 + ((order.seed[0] ?? 0) % PERIODS), (order.seed[1] ?? 0) % WHOLE_CHUNKS] as const
    const chunk = wholeChunk(await readChunk(...place))
    const chunkId = computeChunkId(chunk)
    const prove = async () => computeStorageProof(wholeChunk(await readChunk(...place)), order)
    const proof = await timed(times.prove, counts, prove)
    await timed(times.bare, counts, async () =>
      hashBareTree(wholeChunk((await readBare(...place))?.subarray(SEAL_BYTES))),
    )
    await timed(times.provenInMemory, counts, () => computeStorageProof(chunk, order))
    await timed(times.tree, counts, () => computeChunkTreeRoot(chunk))
    await timed(times.bareTree, counts, () => hashBareTree(chunk))
    await timed(times.verify, counts, () => verifyStorageProof(proof, chunkId, order))
  }
  const row = (question: string, ours: number[], baseline: string, base: number[]): BenchRow => {
    const ratio = median(ours) / median(base)
    return {
      question,
      measured: `${median(ours).toFixed(2)} ms`,
      baseline: `${baseline}: ${median(base).toFixed(2)} ms`,
      ratio,
      goal: '<= 1.2',
      holds: ratio <= 1.2,
    }
  }
  const { prove, provenInMemory, tree, bare, bareTree } = times
  const verify = median(times.verify)
  return [
    row(
      `proof of ${SAMPLES} leaves from a chunk of 1 MiB on disk`,
      prove,
      'bare get and leaf tree by node:crypto',
      bare,
    ),
    row('the same with the chunk in memory', provenInMemory, 'leaf tree by node:crypto', bareTree),
    row('leaf tree of a chunk of 1 MiB', tree, 'the same hashes by node:crypto', bareTree),
    {
      question: `verification of a proof of ${SAMPLES} leaves`,
      measured: `${verify.toFixed(3)} ms`,
      baseline: '1 ms',
      ratio: verify,
      goal: '<= 1 ms',
      holds: verify <= 1,
    },
  ]
}

function wholeChunk(chunk: Uint8Array | undefined): Uint8Array {
  if (chunk?.length !== CHUNK_SIZE_BYTES) throw new Error('a chunk is missing')
  return chunk
}

/** What any implementation on node:crypto must pay: 1,024 hashes of 1,025 bytes and 1,023 of 65, results as Buffers. */
function hashBareTree(chunk: Uint8Array): void {
  for (let at = 0; at < chunk.length; at += LEAF_SIZE_BYTES) {
    hash('sha256', chunk.subarray(Math.max(0, at - 1), at + LEAF_SIZE_BYTES), 'buffer')
  }
  for (let i = 1; i < chunk.length / LEAF_SIZE_BYTES; i++) hash('sha256', chunk.subarray(i, i + 65), 'buffer')
}

async function timed<T>(into: number[], counts: boolean, act: () => T | Promise<T>): Promise<T> {
  const start = performance.now()
  const result = await act()
  if (counts) into.push(performance.now() - start)
  return result
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN
}
