import { formatCoins } from '../core/index.ts'
import type { ContractCall, Quote } from '../storage-worker/index.ts'
import { type ConfirmOptions, confirmSpending } from './confirm.ts'
import type { Context } from './context.ts'
import type { Output } from './output.ts'

export interface CallToConfirm {
  /** What to know beside what is signed. */
  readonly remarks?: readonly string[]
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
export function confirmCall(context: Context, plan: CallToConfirm, options: ConfirmOptions): Promise<void> {
  const { remarks = [], call, args, quote, account, chainId } = plan
  const terms = [
    ...remarks,
    `Call of ${call.functionName} at ${call.target} on network ${chainId}:`,
    ...args.map(([name, value]) => `  ${name} = ${shorten(value)}`),
    `Signed and paid by ${account}, in MAS:`,
    `  ${formatCoins(call.coinsNanoMas ?? 0n)} coins sent with it`,
    `  ${formatCoins(quote.feeNanoMas)} fee, for at most ${quote.maxGas} gas`,
  ]
  return confirmSpending(context, { terms, question: `Spend at most ${formatCoins(quote.spendNanoMas)} MAS?` }, options)
}

function shorten(value: string): string {
  const isLong = value.length > MAX_SHOWN_CHARACTERS
  return isLong ? `${value.slice(0, MAX_SHOWN_CHARACTERS)}... (${value.length} characters)` : value
}

/** Told while an operation is on its way. */
export function tellProgress(output: Output) {
  return {
    onSent: (id: string) => output.remark(`Sent as operation ${id}; it takes about a minute to become final.`),
    onExecuted: () => output.remark('Executed; waiting until it is final.'),
  }
}
