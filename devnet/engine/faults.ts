/*
 * What ends a contract's run. Not `Error`s: a contract may fail thousands of times a second, and a stack trace costs
 * more than the run. `text` is what a massa-node prints for the error of the same kind.
 */

/** A host function refused: the node's ABIError. */
export class HostFault {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** The ledger or the rules of execution refused: the node's ExecutionError. */
export class ExecutionFault {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/**
 * The run of one function ended badly: the node's VMError.
 *
 * - `depth`: a host function called by the contract failed, maybe several calls deep
 * - `execution`: the function trapped, does not exist or ran out of gas
 * - `instance`: it never began
 */
export class VmFault {
  readonly kind: 'instance' | 'execution' | 'depth'
  readonly detail: string

  constructor(kind: VmFault['kind'], detail: string) {
    this.kind = kind
    this.detail = detail
  }

  get text(): string {
    const title = { instance: 'VM instance error', execution: 'VM execution error', depth: 'Depth error' }[this.kind]
    return `${title}: ${this.detail}`
  }

  /** How the calling contract's host function fails because of it. */
  toHostFault(): HostFault {
    return new HostFault(this.kind === 'depth' ? this.detail : `VM error: ${this.detail}`)
  }
}

/** The failure of a host function with a message of its own. */
export function bail(message: string): HostFault {
  return new HostFault(`Runtime error: ${message}`)
}

/** The failure of a rule of execution with a message of its own. */
export function runtimeFault(message: string): ExecutionFault {
  return new ExecutionFault(`Runtime error: ${message}`)
}

/** What a thrown fault means to the contract that called a host function; `undefined` for what is no refusal. */
export function asHostFault(thrown: unknown): HostFault | undefined {
  if (thrown instanceof HostFault) return thrown
  return thrown instanceof ExecutionFault ? bail(thrown.text) : undefined
}
