import { readTrustedRoots } from './trusted-roots.ts'
import type { Answered, Outcome, Task } from './worker-messages.ts'

type Settle = (outcome: Outcome) => void

const waiting = new Map<number, Settle>()
let worker: Worker | undefined
let lastNumber = 0

/** Has the worker ask and verify, with the roots that are trusted now. Several tasks may wait at a time. */
export function verify(task: Task): Promise<Outcome> {
  worker ??= startWorker()
  const number = ++lastNumber
  const answered = new Promise<Outcome>((resolve) => waiting.set(number, resolve))
  worker.postMessage({ number, task, roots: readTrustedRoots() })
  return answered
}

function startWorker(): Worker {
  const started = new Worker(new URL('./verify-worker.js', import.meta.url), { type: 'module' })
  started.addEventListener('message', ({ data: { number, outcome } }: MessageEvent<Answered>) => {
    waiting.get(number)?.(outcome)
    waiting.delete(number)
  })
  started.addEventListener('error', () => {
    for (const settle of waiting.values()) {
      settle({
        kind: 'failed',
        code: 'no verifier',
        message: 'The verifier of this page could not be loaded or broke off.',
      })
    }
    waiting.clear()
    worker = undefined
  })
  return started
}
