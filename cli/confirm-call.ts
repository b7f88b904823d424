import { formatCoins } from '../core/index.ts'
import type { ContractCall, Quote } from '../storage-worker/index.ts'
import { confirmSpending } from './confirm.ts'
import type { Output } from './output.ts'

export interface CallToConfirm {
  readonly call: Pick<ContractCall, 'target' | 'functionName' | 'coinsNanoMas'>
  /** As they are shown: name or type, and value. */
  readonly args: readonly (readonly [string, string])[]
  readonly quote: Quote
  readonly account: string | undefined
  readonly chainId: bigint
}

/** Longer arguments are cut where they are shown. */
const MAX_SHOWN_CHARACTERS = 100

/**
 * Shows all that will be signed, and asks.
 *
 * @throws ArchiveError CLI_NOT_CONFIRMED
 */
export async function confirmCall(
  output: Output,
  { call, args, quote, account, chainId }: CallToConfirm,
  options: { readonly yes?: boolean | undefined; readonly signal: AbortSignal },
): Promise<void> {
  output.remark(`Call of ${call.functionName} at ${call.target} on network ${chainId}:`)
  for (const [name, value] of args) {
    const isLong = value.length > MAX_SHOWN_CHARACTERS
    output.remark(
      `  ${name} = ${isLong ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}... (${value.length} characters)` : value}`,
    )
  }
  output.remark(`Signed and paid by ${account}, in MAS:`)
  output.remark(`  ${formatCoins(call.coinsNanoMas ?? 0n)} coins sent with it`)
  output.remark(`  ${formatCoins(quote.feeNanoMas)} fee, for at most ${quote.maxGas} gas`)
  await confirmSpending(output, `Spend at most ${formatCoins(quote.spendNanoMas)} MAS?`, options)
}

/** Told while an operation is on its way. */
export function tellProgress(output: Output) {
  return {
    onSent: (id: string) => output.remark(`Sent as operation ${id}; it takes about a minute to become final.`),
    onExecuted: () => output.remark('Executed; waiting until it is final.'),
  }
}
