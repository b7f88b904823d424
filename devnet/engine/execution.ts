import { formatMas } from '../../core/massa/amount-text.ts'
import { sortDatastore } from '../../core/massa/datastore-order.ts'
import { DEFERRED_CALL_BASE_GAS, type DeferredCall, deferredFault } from './deferred-calls.ts'
import type { ContractEvent, ExecutionContext, StackElement } from './execution-context.ts'
import { ExecutionFault, HostFault, runtimeFault, VmFault } from './faults.ts'
import type { Machine, Returned } from './machine.ts'
import type { CallBody, EngineOperation, RollBody, TransactionBody } from './operation.ts'
import { ROLL_PRICE_NANO_MAS } from './rolls.ts'
import { computeDeferredCallPrice } from './storage-price.ts'

/** How an execution ended. */
export interface Ending {
  readonly error?: string
  readonly returned: Uint8Array
  readonly gasUsed: bigint
}

const NOTHING = new Uint8Array()
const MAX_AMOUNT = (1n << 64n) - 1n

/** What becomes of a deferred call when its slot comes. */
export interface DeferredOutcome {
  readonly call: DeferredCall
  readonly success: boolean
  readonly error?: string
  readonly events: readonly ContractEvent[]
}

/**
 * An operation whose fee is paid: its effects, or none of them and the event of its failure.
 *
 * @param leastBalance - what its sender must have at the end
 */
export function executePaidOperation(
  machine: Machine,
  context: ExecutionContext,
  paid: { readonly operation: EngineOperation; readonly id: string; readonly leastBalance: bigint },
): Ending {
  const { operation, id, leastBalance } = paid
  const { sender, body } = operation
  const snapshot = context.takeSnapshot()
  context.begin([])
  const maxGas = 'maxGas' in body ? body.maxGas : 0n
  return attempt(machine, context, maxGas, {
    run: () => {
      const done = executeBody(machine, context, sender, body)
      const balance = context.ledger.balance(sender)
      if (balance < leastBalance) {
        throw runtimeFault(
          `at the end of the execution of the operation, the sender ${sender} was expected to have at least ${formatMas(leastBalance)} coins according to the operation's max spending, but has only ${formatMas(balance)}.`,
        )
      }
      return done
    },
    fail: (text) => {
      const error = `Runtime error: runtime error when executing operation ${id}: ${text}`
      context.emitFailure(error)
      context.resetTo(snapshot)
    },
  })
}

/** Its storage was paid for until now and is given back first. */
export function executeDeferredCall(machine: Machine, context: ExecutionContext, call: DeferredCall): DeferredOutcome {
  context.operationId = undefined
  const { sender, target, functionName, parameter, coins } = call
  context.moveCoins(undefined, sender, computeDeferredCallPrice(BigInt(parameter.length)))
  if (call.isCancelled) return { call, success: true, events: context.events.splice(0) }
  context.deferredCallId = call.id
  const snapshot = context.takeSnapshot()
  const gas = call.maxGas + DEFERRED_CALL_BASE_GAS
  const { error } = attempt(machine, context, gas, {
    run: () => {
      context.begin([
        { address: sender, coins: 0n, owned: [sender] },
        { address: target, coins, owned: [target] },
      ])
      context.checkCallable(target)
      context.moveCoins(undefined, target, coins)
      if (functionName === '') throw deferredFault('no function to call in the deferred call')
      const bytecode = context.ledger.bytecode(target)
      if (!bytecode) throw deferredFault('no bytecode found')
      const module = machine.loadModule(bytecode, Number(gas))
      return inVm('Deferred Call', () => machine.run(module, { functionName, parameter, gas: Number(gas) }))
    },
    fail: (text) => {
      context.emitFailure(text)
      context.resetTo(snapshot)
      context.moveCoins(undefined, sender, coins)
    },
  })
  context.deferredCallId = undefined
  const events = context.events.splice(0)
  return error === undefined ? { call, success: true, events } : { call, success: false, error, events }
}

/** Throws what no contract is to blame for. */
export function attempt(
  machine: Machine,
  context: ExecutionContext,
  maxGas: bigint,
  work: { readonly run: () => Returned | undefined; readonly fail: (text: string) => void },
): Ending {
  return machine.within(context, () => {
    try {
      const done = work.run()
      if (!done) return { returned: NOTHING, gasUsed: 0n }
      return { returned: done.returned, gasUsed: maxGas - BigInt(done.gasLeft) }
    } catch (thrown) {
      const error = describeFault(thrown)
      if (error === undefined) throw thrown
      const { gasLeftAtFault } = machine
      work.fail(error)
      const gasUsed = gasLeftAtFault === undefined ? 0n : maxGas - BigInt(gasLeftAtFault)
      return { error, returned: NOTHING, gasUsed }
    }
  })
}

/** A failed run with the place where it was started. */
export function inVm(place: string, run: () => Returned): Returned {
  try {
    return run()
  } catch (error) {
    throw error instanceof VmFault ? new ExecutionFault(`VM Error in ${place} context: ${error.text}`) : error
  }
}

function executeBody(
  machine: Machine,
  context: ExecutionContext,
  sender: string,
  body: EngineOperation['body'],
): Returned | undefined {
  switch (body.kind) {
    case 'transaction':
      transact(context, sender, body)
      return undefined
    case 'roll-buy':
    case 'roll-sell':
      trade(context, sender, body)
      return undefined
    case 'call-sc':
      return call(machine, context, sender, body)
    case 'execute-sc': {
      const datastore = sortDatastore(body.datastore)
      context.begin([{ address: sender, coins: 0n, owned: [sender], datastore }])
      const gas = Number(body.maxGas)
      const module = machine.loadTemporaryModule(body.bytecode, gas)
      return inVm('ExecuteSC', () => machine.run(module, { functionName: 'main', parameter: NOTHING, gas }))
    }
  }
}

function transact(context: ExecutionContext, sender: string, { recipient, amountNanoMas }: TransactionBody): void {
  context.begin([{ address: sender, coins: amountNanoMas, owned: [sender] }])
  try {
    context.transfer(sender, recipient, amountNanoMas)
  } catch (error) {
    if (!(error instanceof ExecutionFault)) throw error
    throw new ExecutionFault(
      `\`Transaction\` error: transfer of ${formatMas(amountNanoMas)} coins from ${sender} to ${recipient} failed: ${error.text}`,
    )
  }
}

function trade(context: ExecutionContext, sender: string, { kind, rollCount }: RollBody): void {
  context.begin([{ address: sender, coins: 0n, owned: [sender] }])
  const [title, verb] = kind === 'roll-buy' ? ['RollBuy', 'buy'] : ['RollSell', 'sell']
  const refuse = (why: string) =>
    new ExecutionFault(`\`${title}\` error: ${sender} failed to ${verb} ${rollCount} rolls: ${why}`)
  try {
    if (kind === 'roll-sell') {
      context.rolls.sell(sender, rollCount, context.at.slot)
      return
    }
    const price = rollCount * ROLL_PRICE_NANO_MAS
    if (price > MAX_AMOUNT) throw new ExecutionFault('overflow on the required coin amount')
    context.moveCoins(sender, undefined, price)
    context.rolls.add(sender, rollCount)
  } catch (error) {
    throw error instanceof ExecutionFault ? refuse(error.text) : error
  }
}

function call(machine: Machine, context: ExecutionContext, sender: string, body: CallBody): Returned {
  const { target, functionName, parameter, coinsNanoMas } = body
  const stack: StackElement[] = [
    { address: sender, coins: 0n, owned: [sender] },
    { address: target, coins: coinsNanoMas, owned: [target] },
  ]
  context.begin(stack)
  context.checkCallable(target)
  try {
    context.moveCoins(sender, target, coinsNanoMas)
  } catch (error) {
    if (!(error instanceof ExecutionFault)) throw error
    throw runtimeFault(
      `failed to transfer ${formatMas(coinsNanoMas)} operation coins from ${sender} to ${target}: ${error.text}`,
    )
  }
  if (functionName === '') throw runtimeFault('no function to call in the CallSC operation')
  const gas = Number(body.maxGas)
  const module = machine.loadModule(context.ledger.bytecode(target) ?? NOTHING, gas)
  return inVm('CallSC', () => machine.run(module, { functionName, parameter, gas }))
}

function describeFault(thrown: unknown): string | undefined {
  if (thrown instanceof ExecutionFault || thrown instanceof VmFault || thrown instanceof HostFault) return thrown.text
  return undefined
}
