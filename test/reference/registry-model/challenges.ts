import {
  computeAddress,
  computeChallengeSeed,
  computeProofText,
  formatAddress,
  fromHex,
  parseSignatureArgument,
  verifyText,
} from '../../../core/index.ts'
import { ArgsReader } from './args.ts'
import type { Context } from './call.ts'
import { checkEvidence } from './evidence.ts'
import { greatest, least } from './extremes.ts'
import { requireNode } from './nodes.ts'
import { checkProofShape, judgeProof } from './proof.ts'
import { demand } from './refusal.ts'
import { refresh, returnToPool, settle, slash } from './rewards.ts'
import type { Challenge, Node, Outcome, RegistryState } from './state.ts'

/*
 * Audits: issuing, proving, expiring (design: Challenges).
 */

const MAX_BATCH = 8
const MAX_ADDRESS_BYTES = 53
const NO_BYTES = new Uint8Array()

interface ChallengeOrder {
  readonly id: string
  readonly chunkId: string
  readonly nonce: bigint
  readonly evidence: Uint8Array
}

export function readIssue({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const id = args.string()
  const nodeAddress = args.string()
  const order: ChallengeOrder = {
    id,
    chunkId: args.string(),
    nonce: args.u64(),
    evidence: args.atEnd ? NO_BYTES : args.bytesField(),
  }
  args.end()
  return { nodeAddress, orders: [order] }
}

export function readIssueMany({ parameter }: { readonly parameter: Uint8Array }) {
  const args = new ArgsReader(parameter)
  const ids = args.strings(MAX_BATCH)
  const nodeAddress = args.string()
  const chunkIds = args.strings(MAX_BATCH)
  const nonces = args.numbers(MAX_BATCH)
  const evidences = args.atEnd ? [] : args.byteStrings(MAX_BATCH)
  args.end()
  demand(ids.length >= 1, 'BATCH_INVALID')
  demand(chunkIds.length === ids.length && nonces.length === ids.length, 'BATCH_INVALID')
  demand(evidences.length === 0 || evidences.length === ids.length, 'BATCH_INVALID')
  const orders = ids.map(
    (id, i): ChallengeOrder => ({
      id,
      chunkId: chunkIds[i] ?? '',
      nonce: nonces[i] ?? 0n,
      evidence: evidences[i] ?? NO_BYTES,
    }),
  )
  return { nodeAddress, orders }
}

export function issueChallenges(
  state: RegistryState,
  context: Context,
  { nodeAddress, orders }: ReturnType<typeof readIssue>,
): void {
  demand(!state.paused, 'PAUSED')
  demand(state.challengers.has(context.call.caller), 'NOT_CHALLENGER')
  for (const order of orders) issueOne(state, context, nodeAddress, order)
}

function issueOne(state: RegistryState, context: Context, nodeAddress: string, order: ChallengeOrder): void {
  const { call, now, effects } = context
  const { config } = state
  demand(/^[0-9A-Za-z_-]{1,64}$/.test(order.id), 'CHALLENGE_ID_INVALID')
  demand(/^[0-9a-f]{64}$/.test(order.chunkId), 'CHUNK_ID_INVALID')
  demand(nodeAddress.length >= 1 && nodeAddress.length <= MAX_ADDRESS_BYTES, 'ADDRESS_INVALID')
  const node = requireNode(state, nodeAddress)
  demand(node.active, 'NODE_INACTIVE')
  demand(!state.challenges.has(order.id), 'CHALLENGE_EXISTS')
  if (node.openChallenges > 0n) {
    demand(node.auditPeriod === now && node.lastChallenger === call.caller, 'AUDIT_OPEN')
    demand(node.auditTotal < config.maxOpenChallengesPerNode, 'AUDIT_FULL')
  } else {
    const others = state.challengers.size > 1 && node.lastChallenger === call.caller
    const interval = greatest(1n, config.minChallengeIntervalPeriods) * (others ? 2n : 1n)
    demand(now >= node.lastChallengedPeriod + interval, 'TOO_SOON')
  }
  const chunkId = fromHex(order.chunkId)
  if (config.requireAnchors === 1n) checkEvidence(state, context, { evidence: order.evidence, chunkId, node })
  if (node.openChallenges === 0n) openAudit(state, node, context)
  node.openChallenges += 1n
  node.auditTotal += 1n
  node.totalChallenges += 1n
  state.challenges.set(order.id, {
    id: order.id,
    nodeAddress,
    chunkId,
    nonce: order.nonce,
    issuedPeriod: now,
    deadline: call.timestampMs + config.challengeResponseTimeout,
    issuer: call.caller,
    samples: config.samplesPerChallenge,
    outcome: 'open',
  })
  const stats = state.periods.get(now)
  state.periods.set(now, {
    period: now,
    totalRewardsDistributed: stats?.totalRewardsDistributed ?? 0n,
    challengesPassed: stats?.challengesPassed ?? 0n,
    rewardsReturned: stats?.rewardsReturned ?? 0n,
    totalGbStored: state.weight,
    activeNodes: state.activeNodes,
    challengesIssued: (stats?.challengesIssued ?? 0n) + 1n,
  })
  effects.emit('CHALLENGE_ISSUED', order.id, nodeAddress, order.chunkId)
}

function openAudit(state: RegistryState, node: Node, { call, now }: Context): void {
  settle(state, node)
  refresh(state, node, now)
  node.underAudit = node.unvested
  node.unvested = 0n
  node.auditPassed = 0n
  node.auditTotal = 0n
  node.auditPeriod = now
  node.lastChallengedPeriod = now
  node.lastChallenger = call.caller
}

interface Submission {
  readonly id: string
  readonly proof: Uint8Array
  readonly signature: Uint8Array
}

export function readSubmit({ parameter }: { readonly parameter: Uint8Array }): readonly Submission[] {
  const args = new ArgsReader(parameter)
  const submission = { id: args.string(), proof: args.bytesField(), signature: args.bytesField() }
  args.end()
  return [submission]
}

export function readSubmitMany({ parameter }: { readonly parameter: Uint8Array }): readonly Submission[] {
  const args = new ArgsReader(parameter)
  const ids = args.strings(MAX_BATCH)
  const proofs = args.byteStrings(MAX_BATCH)
  const signatures = args.byteStrings(MAX_BATCH)
  args.end()
  demand(ids.length >= 1 && proofs.length === ids.length && signatures.length === ids.length, 'BATCH_INVALID')
  return ids.map((id, i) => ({ id, proof: proofs[i] ?? NO_BYTES, signature: signatures[i] ?? NO_BYTES }))
}

export function submitProofs(state: RegistryState, context: Context, submissions: readonly Submission[]): void {
  let proven = 0
  for (const submission of submissions) if (submitOne(state, context, submission)) proven++
  demand(proven > 0, 'CHALLENGE_RESOLVED')
}

/** Returns false where it was resolved before. */
function submitOne(state: RegistryState, context: Context, { id, proof, signature }: Submission): boolean {
  const challenge = state.challenges.get(id)
  demand(challenge !== undefined, 'CHALLENGE_UNKNOWN')
  if (challenge.outcome !== 'open') return false
  demand(context.call.timestampMs <= challenge.deadline, 'CHALLENGE_LATE')
  const seed = computeSeed(context, challenge)
  const signer = findSigner(signature, computeProofText(seed, proof))
  demand(signer !== undefined, 'SIGNATURE_INVALID')
  demand(signer === challenge.nodeAddress, 'KEY_MISMATCH')
  const samples = Number(challenge.samples)
  checkProofShape(proof, seed, samples)
  const fault = judgeProof(proof, challenge.chunkId, { seed, samples })
  resolve(state, context, challenge, fault === undefined ? { outcome: 'passed' } : { outcome: 'failed', reason: fault })
  return true
}

/** What a proof of this challenge is made and signed over. */
export function computeSeed(at: Pick<Context, 'chainId' | 'contract'>, challenge: Challenge): Uint8Array {
  return computeChallengeSeed({
    chainId: at.chainId,
    contract: at.contract,
    challengeId: challenge.id,
    nodeAddress: challenge.nodeAddress,
    chunkId: challenge.chunkId,
    nonce: challenge.nonce,
    issuedPeriod: Number(challenge.issuedPeriod),
  })
}

/** Address of the key that signed the text; undefined when nobody did. */
export function findSigner(argument: Uint8Array, text: string): string | undefined {
  try {
    const signed = parseSignatureArgument(argument)
    return verifyText(text, signed) ? formatAddress(computeAddress(signed.publicKey)) : undefined
  } catch {
    return undefined
  }
}

export function readIds({ parameter }: { readonly parameter: Uint8Array }): string[] {
  const args = new ArgsReader(parameter)
  const ids = args.strings(MAX_BATCH)
  args.end()
  demand(ids.length >= 1, 'BATCH_INVALID')
  return ids
}

export function resolveExpiredChallenges(state: RegistryState, context: Context, ids: readonly string[]): void {
  let resolved = 0
  for (const id of ids) {
    const challenge = state.challenges.get(id)
    if (challenge?.outcome !== 'open' || context.call.timestampMs <= challenge.deadline) continue
    resolve(state, context, challenge, { outcome: 'expired' })
    resolved++
  }
  demand(resolved > 0, 'NOTHING_EXPIRED')
}

/** What follows from a verdict, whoever brought it: strikes, a slash, the end of the audit. */
export function resolve(
  state: RegistryState,
  context: Context,
  challenge: Challenge,
  verdict: { readonly outcome: Outcome; readonly reason?: string },
): void {
  const { effects, now } = context
  const { id, nodeAddress } = challenge
  const node = requireNode(state, nodeAddress)
  const outcome = verdict.outcome !== 'passed' && isIssuerGone(state, challenge) ? 'void' : verdict.outcome
  state.challenges.set(id, { ...challenge, outcome })
  node.openChallenges -= 1n
  if (outcome === 'passed') {
    node.passedChallenges += 1n
    node.auditPassed += 1n
    const stats = state.periods.get(challenge.issuedPeriod)
    if (stats) state.periods.set(stats.period, { ...stats, challengesPassed: stats.challengesPassed + 1n })
    effects.emit('CHALLENGE_PASSED', id, nodeAddress)
  } else if (outcome === 'void') {
    node.totalChallenges -= 1n
    node.auditTotal -= 1n
    effects.emit('CHALLENGE_VOIDED', id, nodeAddress)
  } else {
    if (outcome === 'expired') effects.emit('CHALLENGE_EXPIRED', id, nodeAddress)
    else effects.emit('CHALLENGE_FAILED', id, nodeAddress, verdict.reason ?? '')
    strike(state, node, { challenge, context })
  }
  if (node.openChallenges === 0n) closeAudit(state, node, { now, context })
}

/** Not a challenger any more, or one only since, or since the very period of the issue. */
function isIssuerGone(state: RegistryState, { issuer, issuedPeriod }: Challenge): boolean {
  const addedPeriod = state.challengers.get(issuer)
  return addedPeriod === undefined || addedPeriod >= issuedPeriod
}

function strike(state: RegistryState, node: Node, of: { readonly challenge: Challenge; readonly context: Context }) {
  const { strikeSpacingPeriods, passesPerStrike, strikesBeforeSlash } = state.config
  const { issuedPeriod } = of.challenge
  const isFirst = node.lastStrikePeriod === (1n << 64n) - 1n
  if (!isFirst && issuedPeriod < node.lastStrikePeriod + strikeSpacingPeriods) return
  node.lastStrikePeriod = issuedPeriod
  node.strikePoints += passesPerStrike
  if (node.strikePoints < strikesBeforeSlash * passesPerStrike) return
  const amount = slash(state, node, of.context.now)
  of.context.effects.emit('NODE_SLASHED', node.address, amount, node.stake, node.active)
}

function closeAudit(state: RegistryState, node: Node, at: { readonly now: bigint; readonly context: Context }): void {
  const { underAudit, auditPassed, auditTotal } = node
  let vested = 0n
  let returned = 0n
  if (auditTotal > 0n) {
    vested = (underAudit * auditPassed) / auditTotal
    returned = underAudit - vested
    if (auditPassed === auditTotal && node.strikePoints > 0n) {
      const { strikesBeforeSlash, passesPerStrike } = state.config
      node.strikePoints = least(node.strikePoints, strikesBeforeSlash * passesPerStrike) - 1n
    }
  } else if (node.leaving) returned = underAudit
  else node.unvested += underAudit
  node.pendingRewards += vested
  returnToPool(state, returned)
  node.underAudit = 0n
  refresh(state, node, at.now)
  at.context.effects.emit('AUDIT_CLOSED', node.address, auditPassed, auditTotal, vested, returned)
}
