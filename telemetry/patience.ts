/** Calls `end` after so long. @returns what takes it back */
export type StartTimer = (limitMs: number, end: () => void) => () => void

/**
 * Ends what takes too long, or goes on after its user has had enough of it.
 *
 * Built on neither `AbortSignal.any` nor `AbortSignal.timeout`: Node 20 may collect what ties these to their sources, and
 * ties a `fetch` to its signal only until the head of the answer is there. A body is therefore read through `read`.
 */
export class Patience {
  /** For `fetch`. */
  readonly signal: AbortSignal
  private readonly ending = new AbortController()
  private readonly outer: AbortSignal | undefined
  private readonly startTimer: StartTimer
  private tooLong = false

  constructor(outer: AbortSignal | undefined, startTimer: StartTimer = startSystemTimer) {
    this.signal = this.ending.signal
    this.outer = outer
    this.startTimer = startTimer
  }

  /** True once something took too long. */
  get isOver(): boolean {
    return this.tooLong
  }

  /** Each wait has its own time. @throws the reason of the outer signal; what `act` throws once `signal` is aborted */
  async wait<T>(limitMs: number, act: () => Promise<T>): Promise<T> {
    this.outer?.throwIfAborted()
    const stop = this.startTimer(limitMs, () => {
      this.tooLong = true
      this.ending.abort(new DOMException('it took too long', 'TimeoutError'))
    })
    const leave = () => this.ending.abort(this.outer?.reason)
    this.outer?.addEventListener('abort', leave)
    try {
      return await act()
    } finally {
      this.outer?.removeEventListener('abort', leave)
      stop()
    }
  }

  /** The body of an answer, within a `wait`. Who stops reading closes the connection. @throws the reason of `signal` */
  async *read({ body }: Pick<Response, 'body'>): AsyncGenerator<Uint8Array, void, undefined> {
    if (!body) return
    const reader = body.getReader()
    const cancel = () => void reader.cancel().catch(() => undefined)
    this.signal.addEventListener('abort', cancel)
    try {
      for (;;) {
        this.signal.throwIfAborted()
        const { value, done } = await reader.read()
        this.signal.throwIfAborted()
        if (done) return
        yield value
      }
    } finally {
      this.signal.removeEventListener('abort', cancel)
      await reader.cancel().catch(() => undefined)
    }
  }
}

function startSystemTimer(limitMs: number, end: () => void): () => void {
  const timer = setTimeout(end, limitMs)
  return () => clearTimeout(timer)
}
