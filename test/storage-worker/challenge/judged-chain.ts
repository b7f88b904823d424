import {
  ArchiveError,
  type ErrorCode,
  encodeRegistryCall,
  PERIOD_MS,
  parseRegistryRefusal,
  type RegistryCallArgs,
  type RegistryCallName,
  SLOT_MS,
  slotIndex,
  slotOfIndex,
  THREAD_COUNT,
} from '../../../core/index.ts'
import type {
  ChainPort,
  ContractCall,
  ContractEvent,
  SubmitOptions,
  SubmittedOperation,
} from '../../../storage-worker/chain-port.ts'
import { ManualClock } from '../../clocks.ts'
import { actors } from '../../fuzz/registry/actors.ts'
import { World } from '../../fuzz/registry/world.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { type Config, writeConfig } from '../../reference/registry-model/config.ts'
import { CONFIG_FIELDS, type ConfigValues } from '../../sc/registry-world.ts'
import { TEST_IDENTITY } from '../synthetic-period.ts'

const { network } = TEST_IDENTITY
const FIRST_SLOT = { period: 10, thread: 0 }
const FEE_NANO_MAS = 10_000_000n
const MAX_GAS = 4_200_000_000n

interface Waiting {
  readonly dueMs: number
  readonly caller: string
  readonly request: ContractCall
  readonly onDone: (outcome: SubmittedOperation | ArchiveError) => void
}

/**
 * A chain with the shipped registry and, beside it, the model: each call is run on both, and the invariants of the contract are
 * checked behind it. What is sent is in the block of a later slot, and final there.
 *
 * Everything is in memory, so that a minute of it takes milliseconds.
 */
export class JudgedChain {
  readonly world: World
  readonly clock: ManualClock
  /** From sending to the block, by address; in the next slot where it is not said. */
  readonly delaysMs = new Map<string, number>()
  /** Operations that were executed, in order. */
  readonly executed: { readonly caller: string; readonly functionName: string; readonly success: boolean }[] = []
  private readonly events: ContractEvent[] = []
  private waiting: Waiting[] = []
  private sent = 0

  /** The first actor is the admin. @param changes - to the defaults of the design */
  constructor(changes: ConfigValues = {}) {
    const standard = Object.fromEntries(CONFIG_FIELDS.map(([name, , value]) => [name, value])) as Config
    this.world = new World({
      slot: FIRST_SLOT,
      genesisTimestampMs: network.genesisTimestampMs,
      balanceNanoMas: 10n ** 16n,
      deployCoinsNanoMas: 10n ** 9n,
      parameter: writeConfig(new ArgsWriter().string(actors[0]?.address ?? ''), { ...standard, ...changes }).finish(),
    })
    this.clock = new ManualClock(Number(this.world.engine.timestampMs))
  }

  /** Executes at once, for whatever a test sets up. @throws when it is refused */
  call<N extends RegistryCallName>(caller: string, name: N, args: RegistryCallArgs<N>, coinsNanoMas = 0n): void {
    const parameter = encodeRegistryCall(name, args)
    const outcome = this.execute(caller, { functionName: name, parameter, coinsNanoMas })
    if (outcome instanceof ArchiveError) throw outcome
  }

  /** So many periods in which nothing is sent or looked at. */
  leap(periods: number): void {
    this.world.apply({ kind: 'slot', slot: slotOfIndex(slotIndex(this.world.slot) + THREAD_COUNT * periods) })
    this.clock.advance(PERIOD_MS * periods)
  }

  /** The next slot, with what is due in it. @throws Difference where contract and model are not one, or an invariant is broken */
  step(): void {
    this.world.apply({ kind: 'slot', slot: slotOfIndex(slotIndex(this.world.slot) + 1) })
    const nowMs = Number(this.world.engine.timestampMs)
    const due = this.waiting.filter(({ dueMs }) => dueMs <= nowMs)
    this.waiting = this.waiting.filter(({ dueMs }) => dueMs > nowMs)
    for (const { caller, request, onDone } of due) onDone(this.execute(caller, request))
    this.clock.advance(SLOT_MS)
  }

  /** The chain as a sidecar with the key of `caller` sees it. */
  portOf(caller: string): ChainPort {
    const { engine } = this.world
    const quote = { feeNanoMas: FEE_NANO_MAS, maxGas: MAX_GAS, spendNanoMas: FEE_NANO_MAS }
    const port: Partial<ChainPort> = {
      account: caller,
      readStatus: async () => ({
        chainId: network.chainId,
        period: this.world.slot.period,
        finalPeriod: this.world.slot.period - 1,
        minimalFeeNanoMas: FEE_NANO_MAS,
      }),
      readBalance: async (address) => engine.ledger.balance(address),
      readContractEvents: async (_address, from) => this.events.filter(({ slot }) => slot.period >= from),
      callReadOnly: async (request) => this.simulate(caller, request),
      quote: async (request) => {
        this.simulate(caller, request as ContractCall)
        return quote
      },
      submit: (request, _quote, options) => this.submit(caller, request as ContractCall, options),
    }
    return port as ChainPort
  }

  private simulate(caller: string, { functionName, parameter, coinsNanoMas = 0n }: ContractCall) {
    const call = { caller, target: this.world.contract, functionName, parameter, maxGas: MAX_GAS, coinsNanoMas }
    const { success, error = '', returned, gasCost, executedAt } = this.world.engine.executeReadOnlyCall(call)
    if (!success) throw parseRegistryRefusal(error) ?? new Error(error)
    return { returned: Uint8Array.from(returned), gasCost, events: [], period: executedAt.period }
  }

  private async submit(
    caller: string,
    request: ContractCall,
    options: SubmitOptions = {},
  ): Promise<SubmittedOperation> {
    const { clock } = this
    const signed = {
      operationId: `O${++this.sent}`,
      sender: caller,
      balanceNanoMas: 0n,
      expirePeriod: this.world.slot.period + 9,
      feeNanoMas: FEE_NANO_MAS,
      maxGas: MAX_GAS,
    }
    await options.onSigned?.(signed, { data: new Uint8Array(), publicKey: '', signature: '' })
    const { operationId, feeNanoMas, maxGas } = signed
    const dueMs = clock.nowMs() + (this.delaysMs.get(caller) ?? 0)
    const outcome = await new Promise<SubmittedOperation | ArchiveError>((onDone) => {
      this.waiting.push({ dueMs, caller, request, onDone })
    })
    if (outcome instanceof ArchiveError) throw outcome
    return { ...outcome, operationId, feeNanoMas, maxGas }
  }

  private execute(
    caller: string,
    { functionName, parameter, coinsNanoMas = 0n }: Pick<ContractCall, 'functionName' | 'parameter' | 'coinsNanoMas'>,
  ): SubmittedOperation | ArchiveError {
    const { outcome } = this.world.apply({ kind: 'call', caller, functionName, parameter, coinsNanoMas })
    if (!outcome) throw new Error(`${caller} has no coins`)
    this.executed.push({ caller, functionName, success: outcome.success })
    if (!outcome.success) return new ArchiveError((outcome.code ?? 'CHAIN_OPERATION_FAILED') as ErrorCode, functionName)
    const { slot } = this.world
    this.events.push(...outcome.events.map((data) => ({ slot, data })))
    return { operationId: '', isFinal: true, maxGas: MAX_GAS, feeNanoMas: FEE_NANO_MAS, events: outcome.events }
  }
}
