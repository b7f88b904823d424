import type { Difference } from './difference.ts'
import { replay } from './run-sequence.ts'
import { describeStep, type Sequence } from './step.ts'
import type { Sabotage } from './world.ts'

/** A sequence and what it shows. */
export interface Finding {
  readonly sequence: Sequence
  readonly difference: Difference
}

/** The same difference with as few steps as can be found by leaving steps out, fewer and fewer at a time. */
export function shrink(found: Finding, sabotage?: Sabotage): Finding {
  const { start } = found.sequence
  const retry = (steps: Sequence['steps']): Finding | undefined => {
    const difference = replay({ start, steps }, sabotage)
    return difference?.topic === found.difference.topic ? { sequence: { start, steps }, difference } : undefined
  }
  const again = retry(found.sequence.steps)
  if (!again) return found
  let shortest: Finding = again
  for (let size = Math.ceil(found.sequence.steps.length / 2); size >= 1; ) {
    const before = shortest
    for (let at = before.sequence.steps.length - size; at > -size; at -= size) {
      const { steps } = shortest.sequence
      const shorter = [...steps.slice(0, Math.max(0, at)), ...steps.slice(at + size)]
      if (shorter.length < steps.length) shortest = retry(shorter) ?? shortest
    }
    // Single steps are tried until none can go: one may need another that went later.
    if (size > 1) size = Math.ceil(size / 2)
    else if (shortest === before) break
  }
  return shortest
}

/** What somebody needs to understand and repeat a failure. */
export function describeFailure(seed: bigint, { sequence, difference }: Finding): string {
  const { start, steps } = sequence
  const lines = steps.map((step, i) => `  ${i + 1}. ${describeStep(step)}`)
  const constructed = Buffer.from(start.parameter).toString('hex')
  return [
    `seed ${seed}: ${difference.message}`,
    `  0. constructor in slot (${start.slot.period}, ${start.slot.thread}): ${constructed}`,
    ...lines,
  ].join('\n')
}
