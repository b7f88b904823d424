import { REGISTRY_CONFIG_FIELDS, type RegistryConfig } from '../../../core/index.ts'
import { type Call, type Context, Effects } from '../../reference/registry-model/call.ts'
import { issueChallenges, resolve } from '../../reference/registry-model/challenges.ts'
import type { Config } from '../../reference/registry-model/config.ts'
import { registerStorageNode } from '../../reference/registry-model/nodes.ts'
import { RegistryState } from '../../reference/registry-model/state.ts'

const PERIOD_MS = 16_000n
const NODE = 'AUnode'
const CHALLENGER = 'AUchallenger'
const CHUNK_ID = '00'.repeat(32)
const STAKE_NANO_MAS = 10n ** 15n
/** A challenger counts from the period after the one in which it was added. */
const FIRST_PERIOD = 1

/** A node whose audits the model of the registry judges. Its stake is large enough to be slashed often. */
export class JudgedNode {
  private readonly state: RegistryState
  private issued = 0

  constructor(settings: RegistryConfig) {
    const config = Object.fromEntries(REGISTRY_CONFIG_FIELDS.map((field) => [field, BigInt(settings[field])])) as Config
    this.state = new RegistryState({ config, admin: CHALLENGER, period: 0n, genesisTimestamp: 0n })
    this.state.challengers.set(CHALLENGER, 0n)
    const registering = makeContext(0, NODE, STAKE_NANO_MAS)
    registerStorageNode(this.state, registering, { allocatedGb: 1n, retentionPeriods: 0n, stake: STAKE_NANO_MAS })
  }

  get strikePoints(): number {
    return Number(this.state.findNode(NODE)?.strikePoints)
  }

  /**
   * One audit, issued in a period and resolved before its deadline is over.
   *
   * @param period - from 0 on, after that of the audit before
   * @param passed - of each challenge
   * @returns true when it is slashed for it
   */
  audit(period: number, passed: readonly boolean[]): boolean {
    const context = makeContext(FIRST_PERIOD + period, CHALLENGER)
    const orders = passed.map(() => ({
      id: `${this.issued++}`,
      chunkId: CHUNK_ID,
      nonce: 0n,
      evidence: new Uint8Array(),
    }))
    issueChallenges(this.state, context, { nodeAddress: NODE, orders })
    for (const [i, { id }] of orders.entries()) {
      const challenge = this.state.challenges.get(id)
      if (!challenge) throw new Error('no challenge was issued')
      resolve(this.state, context, challenge, { outcome: passed[i] ? 'passed' : 'expired' })
    }
    // Nobody asks for them again.
    this.state.challenges.clear()
    this.state.periods.clear()
    return context.effects.events.some((event) => event.startsWith('NODE_SLASHED'))
  }
}

function makeContext(period: number, caller: string, coinsNanoMas = 0n): Context {
  const now = BigInt(period)
  const call: Call = {
    caller,
    coinsNanoMas,
    slot: { period, thread: 0 },
    timestampMs: now * PERIOD_MS,
    parameter: new Uint8Array(),
  }
  return { call, now, era: now / 128n, effects: new Effects(), chainId: 77n, contract: 'AS1', surplus: 0n }
}
