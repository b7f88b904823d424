import { ArchiveError, type Clock, parseAddress } from '../../core/index.ts'
import type { NodeCalls } from './node-link.ts'
import { SignedSender, VALIDITY_PERIODS } from './signed-sender.ts'

const MAS = 1_000_000_000n
/** Of a sidecar: a stake of 10 MAS, and what it may ever pay. */
export const SIDECAR_NANO_MAS = 1_000n * MAS
/** Who has less cannot be sure to get registered. */
const LEAST_MAS = 100
const LOOK_MS = 200
/** A transfer is in a block within a period or two; a node that was killed is back within seconds. */
const FUND_LIMIT_MS = 60_000

/** Gives coins to sidecars that were not there at genesis. */
export class Faucet {
  private readonly sender: SignedSender
  private readonly link: NodeCalls
  private readonly clock: Clock

  constructor(
    options: { readonly seed: string; readonly chainId: bigint },
    modules: { readonly link: NodeCalls; readonly clock: Clock },
  ) {
    this.sender = new SignedSender(`${options.seed} faucet`, options.chainId)
    this.link = modules.link
    this.clock = modules.clock
  }

  get address(): string {
    return this.sender.address
  }

  /**
   * Coins for an address that lacks them. A node that is away is asked again, a transfer that got lost is sent again.
   *
   * @throws ArchiveError DEVNET_STEP_FAILED when they do not arrive; an AbortError
   */
  async fund(address: string, signal: AbortSignal): Promise<void> {
    const deadlineMs = this.clock.monotonicMs() + FUND_LIMIT_MS
    let sentInPeriod: number | undefined
    let failure: unknown
    for (;;) {
      signal.throwIfAborted()
      try {
        if ((await this.readMas(address)) >= LEAST_MAS) return
        const { period } = (await this.link.report()).lastSlot
        if (sentInPeriod === undefined || period > sentInPeriod + VALIDITY_PERIODS) {
          await this.send(address, period)
          sentInPeriod = period
        }
      } catch (error) {
        failure = error
      }
      if (this.clock.monotonicMs() >= deadlineMs) {
        throw new ArchiveError('DEVNET_STEP_FAILED', `no coins have arrived at ${address}`, { address }, failure)
      }
      await this.clock.sleep(LOOK_MS, signal)
    }
  }

  /** Near enough for what is compared with it. */
  private async readMas(address: string): Promise<number> {
    const [account] = (await this.link.call('get_addresses', [[address]])) as { candidate_balance: string }[]
    return Number(account?.candidate_balance ?? 0)
  }

  private async send(address: string, period: number): Promise<void> {
    await this.sender.send(this.link, period, {
      kind: 'transaction',
      recipient: parseAddress(address),
      amountNanoMas: SIDECAR_NANO_MAS,
    })
  }
}
