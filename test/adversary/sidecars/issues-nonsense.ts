import { randomBytes } from 'node:crypto'
import type { ChallengeTarget } from '../../../storage-worker/challenge/chain-challenger.ts'
import { AUDIT_TARGETS, askPeer, audit, isUnderAudit, onTurn, type Turn, targetOf } from './hostile-challenger.ts'
import { runTwisted, tellDeed } from './twist.ts'

const EVIDENCE_BYTES = 600
/** How far ahead the period is that it says that its challenges are of. */
const AHEAD_PERIODS = 1_000
/** From one question by libp2p to the next. */
const EVERY_PERIODS = 8

type Kind = 'chunks that there are not' | 'chunks by forged evidence' | "chunks of another node's duty"
const KINDS: readonly Kind[] = [
  'chunks that there are not',
  'chunks by forged evidence',
  "chunks of another node's duty",
]

let turns = 0
let askedPeriod = 0

async function makeTargets(turn: Turn, node: string, kind: Kind): Promise<readonly ChallengeTarget[]> {
  if (kind === "chunks of another node's duty") return await findForeignTargets(turn, node)
  const targets = Array.from({ length: AUDIT_TARGETS }, () => targetOf(randomBytes(32)))
  if (kind === 'chunks that there are not') return targets
  return targets.map((target) => ({ ...target, evidence: randomBytes(EVIDENCE_BYTES) }))
}

/** What a draw names for somebody else, with the evidence for him. */
async function findForeignTargets({ timer, period }: Turn, node: string): Promise<readonly ChallengeTarget[]> {
  const drawn = await timer.draw(period, AUDIT_TARGETS)
  if (drawn === undefined || drawn === 'unarchived' || drawn.node === node) return []
  const { placementEra } = drawn
  return await Promise.all(
    drawn.targets.map(async ({ chunkId }) => {
      const evidence = await timer.gatherEvidence(drawn.node, chunkId, placementEra)
      return { ...targetOf(chunkId), ...(evidence && { evidence }) }
    }),
  )
}

async function askOfTheFuture(turn: Turn, nodes: readonly string[]): Promise<void> {
  if (turn.period < askedPeriod + EVERY_PERIODS) return
  askedPeriod = turn.period
  for (const node of nodes) {
    const result = await askPeer(turn, node, targetOf(randomBytes(32)), turn.period + AHEAD_PERIODS)
    if (result !== undefined) tellDeed(`asks by libp2p for a challenge of the future: ${result}`)
  }
}

onTurn(async (turn) => {
  const nodes = (await turn.timer.sender.client.readAllNodes()).filter(({ address }) => address !== turn.address)
  for (const { address, active, leaving } of nodes) {
    if (!active || leaving || isUnderAudit(address)) continue
    const kind = KINDS[turns++ % KINDS.length] as Kind
    audit(turn, address, kind, await makeTargets(turn, address, kind))
  }
  await askOfTheFuture(
    turn,
    nodes.map(({ address }) => address),
  )
})
await runTwisted()
