import { type Slot, slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import type { ModelOutcome, RegistryModel } from '../../reference/registry-model.ts'
import { Difference } from './difference.ts'
import { makeCall } from './moves-node.ts'
import type { CallStep, Step } from './step.ts'
import type { StepResult, World } from './world.ts'

const RESOLVE_BATCH = 8
const SLOT_MS = 500

/** A registry that can be called, and its time. */
interface Exit {
  readonly model: RegistryModel
  readonly slot: Slot
  call(step: CallStep): ModelOutcome | undefined
  goTo(slot: Slot): void
}

/** Lets every node leave, on both sides. @throws Difference when one cannot */
export function leaveEverybody(world: World, apply: (step: Step) => StepResult): void {
  leave({
    model: world.model,
    slot: world.slot,
    call: (step) => apply(step).outcome,
    goTo: (slot) => void apply({ kind: 'slot', slot }),
  })
}

/** Whether every node could leave now, by the model alone; changes nothing. @throws Difference */
export function checkExits({ model, slot: from }: World): void {
  const copy = model.copy()
  let slot = from
  leave({
    model: copy,
    slot,
    call: ({ caller, functionName, parameter, coinsNanoMas }) => {
      const timestampMs = copy.state.genesisTimestamp + BigInt(slotIndex(slot) * SLOT_MS)
      return copy.run(functionName, { caller, parameter, coinsNanoMas, slot, timestampMs })
    },
    goTo: (later) => {
      slot = later
    },
  })
}

/**
 * From any state each node reaches its stake and rewards in two calls plus resolves, with no coins, paused or not
 * (invariant 7).
 */
function leave(exit: Exit): void {
  const { model } = exit
  const call = (caller: string, functionName: string, args = new ArgsWriter()): bigint => {
    const outcome = exit.call(makeCall(functionName, caller, args))
    if (outcome?.success) return outcome.refundNanoMas
    throw new Difference('nobody can be kept from leaving', `${functionName}: ${JSON.stringify(outcome)}`)
  }
  for (const { address, leaving } of [...model.state.nodes]) if (!leaving) call(address, 'unregisterStorageNode')
  const { nodes, challenges, genesisTimestamp } = model.state
  const [anybody] = nodes
  if (!anybody) return
  const open = [...challenges.values()].filter(({ outcome }) => outcome === 'open')
  const deadlines = open.map(({ deadline }) => Math.floor(Number(deadline - genesisTimestamp) / SLOT_MS) + 1)
  const unlocks = nodes.map(({ unlockPeriod }) => Number(unlockPeriod) * 32)
  exit.goTo(slotOfIndex(Math.max(slotIndex(exit.slot) + 1, ...deadlines, ...unlocks)))
  for (let i = 0; i < open.length; i += RESOLVE_BATCH) {
    const ids = open.slice(i, i + RESOLVE_BATCH).map(({ id }) => id)
    call(anybody.address, 'resolveExpiredChallenges', new ArgsWriter().strings(ids))
  }
  for (const { address, stake, pendingRewards } of [...model.state.nodes]) {
    const refundNanoMas = call(address, 'unregisterStorageNode')
    if (refundNanoMas < stake + pendingRewards) throw new Difference('a node leaves with less', `${refundNanoMas}`)
  }
  const { stakes, owed } = model.state
  if (stakes !== 0n || owed !== 0n) throw new Difference('money stays when everybody has left', `${stakes} and ${owed}`)
}
