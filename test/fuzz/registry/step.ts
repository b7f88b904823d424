import type { Slot } from '../../../core/index.ts'

/** What happens next; complete in itself, so that a sequence can be run again without its generator. */
export type Step =
  | {
      readonly kind: 'call'
      readonly caller: string
      readonly functionName: string
      readonly coinsNanoMas: bigint
      readonly parameter: Uint8Array
    }
  /** Simulated in the next slot; leaves no trace. */
  | {
      readonly kind: 'read'
      readonly caller: string
      readonly functionName: string
      readonly parameter: Uint8Array
    }
  | { readonly kind: 'donate'; readonly from: string; readonly amountNanoMas: bigint }
  /** Passed over when it does not lie ahead. */
  | { readonly kind: 'slot'; readonly slot: Slot }

export type CallStep = Extract<Step, { readonly kind: 'call' }>

/** Where a sequence begins. */
export interface Start {
  readonly slot: Slot
  readonly genesisTimestampMs: bigint
  readonly balanceNanoMas: bigint
  readonly deployCoinsNanoMas: bigint
  /** Of the constructor. */
  readonly parameter: Uint8Array
}

export interface Sequence {
  readonly start: Start
  readonly steps: readonly Step[]
}

/** One line for people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case 'call':
      return `${step.functionName} by ${step.caller.slice(0, 8)} with ${step.coinsNanoMas}: ${hex(step.parameter)}`
    case 'read':
      return `read ${step.functionName} by ${step.caller.slice(0, 8)}: ${hex(step.parameter)}`
    case 'donate':
      return `donate ${step.amountNanoMas}`
    case 'slot':
      return `slot (${step.slot.period}, ${step.slot.thread})`
  }
}

function hex(bytes: Uint8Array): string {
  const text = Buffer.from(bytes).toString('hex')
  return text.length <= 400 ? text : `${text.slice(0, 400)}... (${bytes.length} bytes)`
}
