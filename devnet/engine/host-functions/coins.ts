import { checkAddress } from '../address-text.ts'
import { bail } from '../faults.ts'
import type { Machine } from '../machine.ts'
import { type HostFamily, host } from './host-table.ts'

/** Coins: balances and transfers, which run no code of the receiver. */
export function makeCoinFunctions(machine: Machine): HostFamily {
  const readAddress = (pointer: number) => checkAddress(machine.memory.readString(pointer))
  return {
    transfer_coins: host('iI>', (to: number, amount: bigint) => {
      const { memory, context } = machine
      memory.charge(machine.gas.transfer_coins)
      if (amount < 0n) throw bail('Negative raw amount.')
      const receiver = readAddress(to)
      context.transfer(context.top.address, receiver, amount)
    }),
    transfer_coins_for: host('iiI>', (from: number, to: number, amount: bigint) => {
      const { memory, context } = machine
      memory.charge(machine.gas.transfer_coins_for)
      if (amount < 0n) throw bail('Negative raw amount.')
      const sender = readAddress(from)
      context.transfer(sender, readAddress(to), amount)
    }),
    get_balance: host('>I', () => {
      const { memory, context } = machine
      memory.charge(machine.gas.get_balance)
      return context.ledger.balance(context.top.address)
    }),
    get_balance_for: host('i>I', (address: number) => {
      const { memory, context } = machine
      memory.charge(machine.gas.get_balance_for)
      return context.ledger.balance(readAddress(address))
    }),
    get_call_coins: host('>I', () => {
      machine.memory.charge(machine.gas.get_call_coins)
      return machine.context.top.coins
    }),
  }
}
