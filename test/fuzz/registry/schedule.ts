import { type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import type { Config } from '../../reference/registry-model/config.ts'
import { decodeRecord, LAYOUTS } from '../../reference/registry-model/layout.ts'
import type { Node } from '../../reference/registry-model/state.ts'
import { actors } from './actors.ts'
import type { Start, Step } from './step.ts'
import { World } from './world.ts'

/** A call at its time; made when it is reached, because votes are signed for a contract. */
export interface Timed {
  readonly slot: Slot
  readonly make: (world: World) => Step
}

export interface Schedule {
  readonly start: Start
  readonly needed: readonly Timed[]
  /** Calls in between that should make no difference. */
  readonly extra: readonly Timed[]
}

/** Runs a schedule alone and with calls of others in between. */
export function compareRuns<R extends { readonly accepted: number }>(
  { start, needed, extra }: Schedule,
  run: (start: Start, calls: readonly Timed[]) => R,
): { readonly alone: R; readonly crowded: R; readonly callsBetween: number } {
  const alone = run(start, needed)
  const crowded = run(start, inOrder([...needed, ...extra]))
  return { alone, crowded, callsBetween: crowded.accepted - alone.accepted }
}

/** @param watch - called after each call */
export function runSchedule(start: Start, calls: readonly Timed[], watch: (world: World) => void) {
  const world = new World(start)
  let accepted = 0
  for (const { slot, make } of calls) {
    world.apply({ kind: 'slot', slot })
    if (world.apply(make(world)).outcome?.success) accepted++
    watch(world)
  }
  const stored = world.engine.ledger.value(world.contract, Buffer.from('state'))
  if (!stored) throw new Error('there is no state')
  return { world, accepted, state: decodeRecord(LAYOUTS.state, stored) }
}

/** By slot; in one slot as they stand. */
export function inOrder(calls: readonly Timed[]): Timed[] {
  return [...calls].sort((a, b) => slotIndex(a.slot) - slotIndex(b.slot))
}

export function makeCall(actor: number, functionName: string, args = new ArgsWriter(), coinsNanoMas = 0n): Step {
  const caller = actors[actor]?.address ?? ''
  return { kind: 'call', caller, functionName, coinsNanoMas, parameter: args.finish() }
}

/** So many slots after the first in which something can be called. */
export function later(start: Start, slots: number): Slot {
  return slotOfIndex(slotIndex(start.slot) + 1 + slots)
}

/** A call that is known beforehand. */
export function at(slot: Slot, step: Step): Timed {
  return { slot, make: () => step }
}

/** The same settings but for the switch, which applies at once where there was no delay. */
export function requireAnchors(config: Config): Config {
  return { ...config, requireAnchors: 1n, unbondingPeriods: 256n, adminDelayPeriods: 54_000n }
}

/** What each node has accrued and no audit has judged. */
export function listOwed(index: bigint, nodes: readonly Node[]): (readonly [address: string, owed: bigint])[] {
  return nodes.map((node) => [node.address, node.unvested + node.weightGb * (index - node.indexPaid)])
}
