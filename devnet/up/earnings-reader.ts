import { type Clock, decodeRegistryResult, encodeRegistryViewArgs } from '../../core/index.ts'
import type { NodeCalls } from './node-link.ts'

const INTERVAL_MS = 2_000
/** Gas of a block: the node lets no call have more. */
const MAX_GAS = 4_294_967_295

/** What the registry holds for a node, in the candidate state. */
export interface Earnings {
  /** Passed among the challenges that are over: 0 to 1, thousandths, rounded down. Absent before the first is over. */
  readonly successRate?: number | undefined
  /** What `claimRewards` pays, as a decimal text. */
  readonly pendingRewardsNanoMas: string
}

/** What sidecars earn, read for all of them in one call, every two seconds at most. */
export class EarningsReader {
  private readonly link: Pick<NodeCalls, 'call'>
  private readonly clock: Clock
  private readonly earnings = new Map<string, Earnings>()
  private isReading = false
  private readAtMs = Number.NEGATIVE_INFINITY

  constructor(modules: { readonly link: Pick<NodeCalls, 'call'>; readonly clock: Clock }) {
    this.link = modules.link
    this.clock = modules.clock
  }

  /** As the last answer had them; undefined for a node that the registry did not know. */
  find(address: string): Earnings | undefined {
    return this.earnings.get(address)
  }

  /** Unless that was just done, or is. What fails leaves what was known. */
  async read(registryAddress: string, addresses: readonly string[]): Promise<void> {
    const nowMs = this.clock.monotonicMs()
    if (addresses.length === 0 || this.isReading || nowMs - this.readAtMs < INTERVAL_MS) return
    this.isReading = true
    this.readAtMs = nowMs
    try {
      const calls = addresses.map((address) => describeCall(registryAddress, address))
      const answers = (await this.link.call('execute_read_only_call', [calls])) as readonly unknown[]
      for (const [i, address] of addresses.entries()) {
        const earnings = parseEarnings(answers[i])
        if (earnings) this.earnings.set(address, earnings)
        else this.earnings.delete(address)
      }
    } catch {
      // The node is away for a moment: asked again.
    } finally {
      this.isReading = false
    }
  }
}

function describeCall(registryAddress: string, address: string): object {
  return {
    max_gas: MAX_GAS,
    target_address: registryAddress,
    target_function: 'getNodeInfo',
    parameter: [...encodeRegistryViewArgs('getNodeInfo', { address })],
  }
}

/** Undefined for what is no record of a node: a refusal, too. */
function parseEarnings(answer: unknown): Earnings | undefined {
  try {
    const { result } = answer as { readonly result: { readonly Ok: readonly number[] } }
    const node = decodeRegistryResult('getNodeInfo', Uint8Array.from(result.Ok))
    const over = node.totalChallenges - BigInt(node.openChallenges)
    return {
      successRate: over > 0n ? Number((node.passedChallenges * 1000n) / over) / 1000 : undefined,
      pendingRewardsNanoMas: `${node.pendingRewards}`,
    }
  } catch {
    return undefined
  }
}
