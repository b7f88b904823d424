import { PERIOD_MS } from '../../core/index.ts'
import { type Arena, isAccepted, mustSucceed } from './arena.ts'
import type { Party } from './party.ts'
import type { StorageNode } from './storage-node.ts'

/** Challenges of the audit that ends a run. */
const LAST_AUDIT_CHALLENGES = 8

/** What somebody has of a run, nanoMAS. */
export interface Earnings {
  /** Vested, and what a last audit leaves of what is not. */
  readonly reward: bigint
  readonly stakeLost: bigint
  /** Fees of operations, and coins in records. */
  readonly fees: bigint
  readonly net: bigint
}

interface Standing {
  readonly wallets: bigint
  readonly stakes: bigint
  readonly vested: bigint
  readonly slashed: bigint
}

/** What the wallets and nodes of somebody gain from now on. */
export class Account {
  private readonly arena: Arena
  private readonly parties: readonly Party[]
  private readonly nodes: readonly StorageNode[]
  private readonly start: Standing

  constructor(arena: Arena, of: { readonly parties: readonly Party[]; readonly nodes: readonly StorageNode[] }) {
    this.arena = arena
    this.parties = of.parties
    this.nodes = of.nodes
    this.start = this.read()
  }

  /** Claims what is vested, and judges the rest. */
  close(): Earnings {
    const { chain } = this.arena.world
    let judged = 0n
    for (const node of this.nodes) judged += this.judgeUnvested(node)
    const { vested } = this.read()
    for (const { address } of this.nodes) {
      const { pendingRewards } = chain.view('getNodeInfo', { address })
      if (pendingRewards > 0n) mustSucceed(chain.send(address, 'claimRewards', {}))
    }
    const end = this.read()
    const reward = vested - this.start.vested + judged
    const stakeLost = end.slashed - this.start.slashed
    const net = end.wallets - this.start.wallets + end.stakes - this.start.stakes - this.start.vested + judged
    return { reward, stakeLost, fees: reward - stakeLost - net, net }
  }

  /** As much of what is not vested as the node could prove in an audit now, played off chain by the prover's own code. */
  private judgeUnvested(node: StorageNode): bigint {
    const { arena } = this
    const { chain, config, random, isWatched } = arena.world
    const { address } = node
    const { active, pendingRewards } = chain.view('getNodeInfo', { address })
    const unvested = chain.view('calculatePendingRewards', { address }) - pendingRewards
    const askable = node.askable.all
    const inTime = node.habits.answersAfterPeriods * PERIOD_MS <= Number(config.challengeResponseTimeout)
    if (!isWatched || !active || !inTime || askable.length === 0) return 0n
    let passed = 0n
    for (let i = 0; i < LAST_AUDIT_CHALLENGES; i++) {
      const chunk = random.pick(askable)
      const order = { id: `last-${i}`, chunk, chunkId: chunk.chunkId, nonce: random.u64() }
      const asked = arena.makeAsked(node, order, 'rehearsal')
      const answer = node.habits.answer(asked, node)
      if (answer && isAccepted(answer, asked)) passed++
    }
    return (unvested * passed) / BigInt(LAST_AUDIT_CHALLENGES)
  }

  private read(): Standing {
    const { chain } = this.arena.world
    const infos = this.nodes.map(({ address }) => chain.view('getNodeInfo', { address }))
    return {
      wallets: this.parties.reduce((sum, { address }) => sum + chain.walletOf(address), 0n),
      stakes: infos.reduce((sum, { stake }) => sum + stake, 0n),
      vested: infos.reduce((sum, { pendingRewards }) => sum + pendingRewards, 0n),
      slashed: infos.reduce((sum, { slashedTotal }) => sum + slashedTotal, 0n),
    }
  }
}
