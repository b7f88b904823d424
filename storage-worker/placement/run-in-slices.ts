import type { Steps } from '../../core/index.ts'

/** Everything else waits so long at most, and one step: below what a follower of the chain or a peer notices. */
const SLICE_MS = 20

/** Takes steps, and lets everything else have its turn between slices of them. @throws what `signal` was aborted with */
export async function runInSlices<T>(
  steps: Steps<T>,
  { signal, sliceMs = SLICE_MS }: { readonly signal?: AbortSignal | undefined; readonly sliceMs?: number } = {},
): Promise<T> {
  for (let untilMs = performance.now() + sliceMs; ; ) {
    const step = steps.next()
    if (step.done) return step.value
    if (performance.now() < untilMs) continue
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    untilMs = performance.now() + sliceMs
  }
}
