const { setImmediate: realSetImmediate } = globalThis

type Immediate = (work: (...given: unknown[]) => void, ...given: unknown[]) => unknown

/**
 * Keeps real time and real chance out of a simulation: what reads the clock of the machine, sets a timer or draws a number
 * while it is installed fails by that. Turns of the event loop, with which rooms cut long work into slices, are waited for.
 */
export class RealTime {
  private pending = 0

  /** @returns what takes it away again */
  install(): () => void {
    const { setImmediate, setTimeout, setInterval } = globalThis
    const { random } = Math
    const { now } = Date
    const refuse = (what: string) => (): never => {
      throw new Error(`${what} in a simulation: its clock and its chance are injected`)
    }
    const counted: Immediate = (work, ...given) => {
      this.pending++
      return realSetImmediate(() => {
        this.pending--
        work(...given)
      })
    }
    globalThis.setImmediate = counted as unknown as typeof setImmediate
    globalThis.setTimeout = refuse('setTimeout') as unknown as typeof setTimeout
    globalThis.setInterval = refuse('setInterval') as unknown as typeof setInterval
    Math.random = refuse('Math.random')
    Date.now = refuse('Date.now')
    return () => {
      globalThis.setImmediate = setImmediate
      globalThis.setTimeout = setTimeout
      globalThis.setInterval = setInterval
      Math.random = random
      Date.now = now
    }
  }

  /** Resolves when nothing is left to do but to wait for virtual time. */
  async settle(): Promise<void> {
    do await new Promise<void>((resolve) => realSetImmediate(resolve))
    while (this.pending > 0)
  }
}
