/** Whoever has got nothing for several times as long talks to nobody any more. */
const INTERVAL_MS = 2_000

/** Gives `beat` whenever `rows` has given nothing for a while. */
export async function* withHeartbeat<T>(rows: AsyncGenerator<T>, beat: T, intervalMs = INTERVAL_MS): AsyncGenerator<T> {
  let next: Promise<IteratorResult<T>> | undefined
  try {
    for (;;) {
      next ??= rows.next()
      const result = await raceTimer(next, intervalMs)
      if (!result) {
        yield beat
        continue
      }
      next = undefined
      if (result.done) return
      yield result.value
    }
  } finally {
    // Nobody waits for it when the reader went away.
    next?.catch(() => undefined)
    await rows.return(undefined)
  }
}

/** What a promise gives, or undefined when it takes longer; by itself as long as until the first beat. */
export async function raceTimer<T>(promise: Promise<T>, limitMs = INTERVAL_MS): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), limitMs)
  })
  try {
    return await Promise.race([promise, ended])
  } finally {
    clearTimeout(timer)
  }
}
