import { sha256 } from '#crypto'
import {
  type ChallengeTerms,
  computeChunkId,
  DEFAULT_SAMPLES,
  parseAddress,
  verifyChallengeAnswer,
} from '../../core/index.ts'
import { computeSeedAddress } from '../../daemon/own-roles.ts'
import { askForProof } from '../../storage-worker/challenge/ask-proof.ts'
import { DiskProofs } from '../../storage-worker/challenge/disk-proofs.ts'
import { Prover } from '../../storage-worker/challenge/prover.ts'
import type { BenchRow } from '../bench-row.ts'
import {
  BENCH_IDENTITY,
  FULL_PERIOD,
  makePeriods,
  openBenchStore,
  withFolder,
} from '../storage-worker/bench-archive.ts'
import { openBenchPeer } from './bench-peer.ts'

/*
 * Question: how long does it take off chain from a challenge to its verdict? Input: chunks of 1 MiB on disk, 8 full
 * periods of them, 200 challenges (seeded) one after the other, over libp2p on loopback; both nodes are in this process, so
 * neither has a processor of its own. Baseline, in turns with it: the same proof made from disk and verified without libp2p.
 * Goal: 95 of 100 within 500 ms. On chain it is the blocks that take time: an operation for the challenge and one for the proof.
 */

const ROUNDS = 200
const WARM_UP = 20
const PERIODS = 8
const GOAL_MS = 500
const REGISTRY = 'AS12Z4zTFAaSoJtgbGdtqoAss9XF7JQ9EkS2b5xKX6Vmv8M3UJgdc'

export async function run(): Promise<BenchRow[]> {
  return await withFolder(async (folder) => {
    const store = await openBenchStore(folder)
    const periods = makePeriods(PERIODS, FULL_PERIOD)
    for (const period of periods) await store.chunks.writePeriod(period)
    const chunkIds = periods.flatMap(({ chunks }) => chunks.map((chunk) => computeChunkId(chunk)))
    const seed = textHash('node')
    const proofs = new DiskProofs(seed, { store: store.chunks, withheld: { has: () => false } })
    const [asker, holder] = [await openBenchPeer('asker'), await openBenchPeer('holder')]
    try {
      return await compare(chunkIds, { seed, proofs, asker, holder })
    } finally {
      await Promise.all([asker.stop(), holder.stop()])
      await store.close()
    }
  })
}

type Peer = Awaited<ReturnType<typeof openBenchPeer>>

async function compare(
  chunkIds: readonly Uint8Array[],
  world: { readonly seed: Uint8Array; readonly proofs: DiskProofs; readonly asker: Peer; readonly holder: Peer },
): Promise<BenchRow[]> {
  const { seed, proofs, asker, holder } = world
  const nodeAddress = computeSeedAddress(seed)
  const node = parseAddress(nodeAddress)
  const { chainId } = BENCH_IDENTITY.network
  const refuse = (): never => {
    throw new Error('nobody was to be blamed')
  }
  const prover = new Prover({ chainId, node, registry: REGISTRY }, { proofs, findOpen: undefined, onDrawn: refuse })
  await holder.serve('challenge', prover.service)
  const peer = await asker.dial(holder.addresses[0] ?? '')
  const times = { asked: [] as number[], alone: [] as number[] }
  for (let i = 0; i < WARM_UP + ROUNDS; i++) {
    const draw = textHash(`challenge ${i}`)
    const chunkId = chunkIds[((draw[0] ?? 0) * 256 + (draw[1] ?? 0)) % chunkIds.length] ?? refuse()
    const challenge = {
      chainId,
      contract: REGISTRY,
      challengeId: `m-${i}`,
      nodeAddress,
      chunkId,
      nonce: 7n,
      issuedPeriod: 0,
    }
    const terms: ChallengeTerms = { kind: 'rehearsal', samples: DEFAULT_SAMPLES, challenge }
    const ask = async () => {
      const { result, reason } = await askForProof(peer, terms, { network: asker, onOffence: refuse })
      if (result !== 'valid') throw new Error(reason)
    }
    const doAlone = async () => verifyChallengeAnswer((await proofs.make(terms)) ?? refuse(), terms, node)
    const counts = i >= WARM_UP
    await timed(times.asked, counts, ask)
    await timed(times.alone, counts, doAlone)
  }
  const row = (share: number): BenchRow => {
    const [asked, alone] = [percentile(times.asked, share), percentile(times.alone, share)]
    return {
      question: `from challenge to verdict off chain, loopback, p${share * 100} of ${ROUNDS}`,
      measured: `${asked.toFixed(1)} ms`,
      baseline: `made and verified without libp2p: ${alone.toFixed(1)} ms`,
      ratio: asked / alone,
      goal: `< ${GOAL_MS} ms`,
      holds: asked < GOAL_MS,
    }
  }
  return [row(0.5), row(0.95), row(0.99)]
}

function textHash(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text))
}

async function timed(into: number[], counts: boolean, act: () => Promise<void>): Promise<void> {
  const start = performance.now()
  await act()
  if (counts) into.push(performance.now() - start)
}

function percentile(times: readonly number[], share: number): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length * share)] ?? Number.NaN
}
