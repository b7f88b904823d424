import { status as grpcStatus, type ServiceError } from '@grpc/grpc-js'
import { isArchiveError } from '../core/index.ts'

/** An answer is quick that took less than this part of its time. */
const QUICK_PART = 1 / 8
/** After so many quick answers in a row more is tried: each try that is too much costs the whole time. */
const QUICK_ANSWERS = 8

/** How many ids one call asks a node for: halved when that was too much, doubled when answers come quickly. */
export class CallSize {
  private readonly most: number
  private readonly timeoutMs: number
  private count: number
  private quickAnswers = 0

  /** @param most ids that one call may name */
  constructor(most: number, timeoutMs: number) {
    this.most = most
    this.timeoutMs = timeoutMs
    this.count = most
  }

  get current(): number {
    return this.count
  }

  onTooMuch(asked: number): void {
    this.count = Math.max(1, Math.min(this.count, Math.floor(asked / 2)))
    this.quickAnswers = 0
  }

  onAnswer(tookMs: number): void {
    this.quickAnswers = tookMs < this.timeoutMs * QUICK_PART ? this.quickAnswers + 1 : 0
    if (this.quickAnswers < QUICK_ANSWERS) return
    this.count = Math.min(this.most, this.count * 2)
    this.quickAnswers = 0
  }
}

/**
 * Asks for ids in calls of `size`, and at once for fewer where an answer came too late or was too large: asked again
 * unchanged, a node under load would be late for ever.
 *
 * @throws what `ask` throws, when it failed otherwise or was asked for one id
 */
export async function* askInParts<I, A>(
  ids: readonly I[],
  size: CallSize,
  ask: (part: I[]) => Promise<A>,
): AsyncGenerator<A> {
  for (let asked = 0; asked < ids.length; ) {
    const part = ids.slice(asked, asked + size.current)
    const startedMs = performance.now()
    let answer: A
    try {
      answer = await ask(part)
    } catch (error) {
      if (!isTooMuch(error) || part.length === 1) throw error
      size.onTooMuch(part.length)
      continue
    }
    size.onAnswer(performance.now() - startedMs)
    asked += part.length
    yield answer
  }
}

function isTooMuch(error: unknown): boolean {
  if (!isArchiveError(error)) return false
  const { code } = (error.cause ?? {}) as Partial<ServiceError>
  return error.code === 'ARCHIVER_MESSAGE_TOO_LARGE' || code === grpcStatus.DEADLINE_EXCEEDED
}
