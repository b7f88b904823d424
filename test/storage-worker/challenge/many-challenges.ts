import assert from 'node:assert/strict'
import { type ArchivedPeriod, computeChunkId, isArchiveError, LEAF_SIZE_BYTES, toHex } from '../../../core/index.ts'
import type { ChallengeEntry } from '../../../storage-worker/challenge/challenge-history.ts'
import { SeededRandom } from '../../fuzz/registry/random.ts'
import { openMemoryStore } from '../replication/audited-nodes.ts'
import { makePeriod } from '../synthetic-period.ts'
import { DISKS, type Disk, FORGERIES, type Forgery, forge, readFrom } from './behaviours.ts'
import { JudgedChain } from './judged-chain.ts'
import { MAS, makeParty, type Party, targetOf, walletOf, whileLooking } from './judged-party.ts'

const NODES = [1, 2, 3, 4]
const MAX_AUDIT = 8
const LONG_MS = 600_000
/** Beside the deadline of 60 s. */
const DELAYS_MS = { prompt: 0, slow: 2_000, late: 62_000 } as const

/** What a node does about one audit; without a forgery it shows what its disk has. */
interface Conduct {
  readonly delay: keyof typeof DELAYS_MS
  readonly forgery?: Forgery
}

export interface ChallengesReport {
  readonly challenges: number
  readonly audits: number
  readonly operations: number
  readonly periods: number
  /** By what the node did: how often the chain said what. */
  readonly results: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** In words: results that are not the truth. */
  readonly falseAccepts: readonly string[]
  readonly falseRejects: readonly string[]
}

/** A node with its disk, as the test decides them for each challenge. */
interface Node {
  readonly party: Party
  readonly disks: Map<string, Disk>
  conduct: Conduct
  total: bigint
  passed: bigint
}

/**
 * Four nodes that challenge each other, on the shipped contract with the model beside it, until there were so many challenges.
 * By seed they are honest, slow, too late, have damaged or missing chunks, or forge proofs.
 *
 * @throws Difference where contract and model are not one or an invariant is broken; AssertionError where counters are others
 */
export async function playChallenges(seed: bigint, count: number): Promise<ChallengesReport> {
  const random = new SeededRandom(seed)
  const chain = new JudgedChain({ strikeSpacingPeriods: 20n })
  const archive = Array.from({ length: 6 }, (_, i) => makePeriod(i + 1, { blocks: 4, operations: 2 }))
  // Of a single leaf no others can be shown.
  const asked = archive.flatMap(({ chunks }) => chunks.filter((chunk) => chunk.length > LEAF_SIZE_BYTES))
  const nodes = await openNodes(chain, archive)
  // Challenges of who has the right since the same period are void.
  chain.leap(2)
  const results = new Map<string, Map<string, number>>()
  const [falseAccepts, falseRejects]: [string[], string[]] = [[], []]
  let [challenges, audits] = [0, 0]

  async function audit(asker: Node, node: Node): Promise<void> {
    const chunks = random.shuffle(asked).slice(0, 1 + random.int(MAX_AUDIT))
    const room = Math.min(chunks.length, count - challenges)
    if (room === 0) return
    challenges += room
    audits++
    setConduct(node, random, chunks)
    chain.delaysMs.set(node.party.address, DELAYS_MS[node.conduct.delay])
    const targets = chunks.slice(0, room).map((chunk) => targetOf(chunk, random.u64()))
    const entries = await asker.party.challenger.issueWhenFree(node.party.address, targets, LONG_MS)
    assert.equal(entries.length, room)
    for (const entry of entries) judge(node, entry)
  }

  function judge(node: Node, { chunkId, challengeId, result }: ChallengeEntry): void {
    const { delay, forgery } = node.conduct
    const disk = node.disks.get(chunkId) ?? 'whole'
    const what = forgery ?? (delay === 'late' ? delay : disk === 'whole' ? delay : disk)
    const counts = results.get(what) ?? new Map<string, number>()
    results.set(what, counts.set(result, (counts.get(result) ?? 0) + 1))
    const isHonest = what === 'prompt' || what === 'slow'
    if (result === 'valid' && !isHonest) falseAccepts.push(`${challengeId}: ${what}`)
    if (result !== 'valid' && isHonest) falseRejects.push(`${challengeId}: ${what}, ${result}`)
    node.total++
    if (isHonest) node.passed++
  }

  while (challenges < count) {
    const shift = 1 + random.int(NODES.length - 1)
    const rounds = nodes.map((asker, i) => audit(asker, nodes[(i + shift) % nodes.length] ?? asker))
    const parties = nodes.map(({ party }) => party)
    await whileLooking(chain, parties, Promise.all(rounds))
    for (const { party, total, passed } of nodes) {
      const record = chain.world.model.state.findNode(party.address)
      const counted = [record?.totalChallenges, record?.passedChallenges, record?.openChallenges]
      assert.deepEqual(counted, [total, passed, 0n], party.address)
    }
    payOut(chain, random)
  }
  const [operations, periods] = [chain.executed.length, chain.world.slot.period]
  return { challenges, audits, operations, periods, results, falseAccepts, falseRejects }
}

async function openNodes(chain: JudgedChain, archive: readonly ArchivedPeriod[]): Promise<Node[]> {
  const admin = walletOf(0).address
  chain.call(admin, 'fundRewards', {}, 50_000n * MAS)
  const nodes: Node[] = []
  for (const actor of NODES) {
    const { address, seed } = walletOf(actor)
    chain.call(address, 'registerStorageNode', { allocatedGb: 5n }, 11n * MAS)
    chain.call(address, 'topUpStake', {}, 10_000n * MAS)
    chain.call(admin, 'addChallenger', { address }, MAS)
    const store = await openMemoryStore()
    for (const period of archive) await store.writePeriod(period)
    const disks = new Map<string, Disk>()
    const idOf = (period: number, index: number) => {
      const chunk = archive.find(({ manifest }) => manifest.period === period)?.chunks[index]
      return chunk ? toHex(computeChunkId(chunk)) : ''
    }
    const disk = {
      identity: store.identity,
      findChunks: (prefix: string, limit: number) => store.findChunks(prefix, limit),
      readChunk: async (period: number, index: number) =>
        readFrom(disks.get(idOf(period, index)) ?? 'whole', await store.readChunk(period, index)),
    }
    const party = await makeParty(chain, actor, disk, (honest) => async (terms, onRead) => {
      const { forgery } = node.conduct
      if (!forgery) return honest(terms, onRead)
      const [place] = await store.findChunks(toHex(terms.challenge.chunkId), 1)
      const chunk = place && (await store.readChunk(place.period, place.index))
      return chunk && forge(forgery, seed, { chunk, terms })
    })
    const node: Node = { party, disks, conduct: { delay: 'prompt' }, total: 0n, passed: 0n }
    nodes.push(node)
  }
  return nodes
}

/** Half of the audits are answered as they should be. */
function setConduct(node: Node, random: SeededRandom, chunks: readonly Uint8Array[]): void {
  node.disks.clear()
  const kind = random.pickWeighted([
    [4, 'prompt'],
    [1, 'slow'],
    [1, 'late'],
    [2, 'disk'],
    [2, 'forgery'],
  ])
  node.conduct = { delay: kind === 'slow' || kind === 'late' ? kind : 'prompt' }
  if (kind === 'forgery') node.conduct = { delay: 'prompt', forgery: random.pick(FORGERIES) }
  if (kind === 'disk') for (const chunk of chunks) node.disks.set(toHex(computeChunkId(chunk)), random.pick(DISKS))
}

/** Now and then somebody distributes rewards, and somebody claims his. */
function payOut(chain: JudgedChain, random: SeededRandom): void {
  const { address } = walletOf(random.pick(NODES))
  const period = BigInt(chain.world.slot.period - 1)
  for (const pay of [
    () => chain.call(address, 'distributeRewards', { period }, MAS),
    () => chain.call(address, 'claimRewards', {}),
  ]) {
    if (!random.chance(0.2)) continue
    try {
      pay()
    } catch (error) {
      // It is too early, or there is nothing.
      if (!isArchiveError(error)) throw error
    }
  }
}
