import { setImmediate } from 'node:timers/promises'

/** What is in flight comes to its end: where everything is in memory that takes no time but turns of the event loop. */
export async function settle(turns = 60): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate()
}

/** Turns of the event loop until a condition holds. @throws when it does not for very many of them */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  for (let turn = 0; turn < 20_000; turn++) {
    if (condition()) return
    await setImmediate()
  }
  throw new Error(`${what} did not come`)
}
