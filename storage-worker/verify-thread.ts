import { parentPort } from 'node:worker_threads'
import { scanBodies, type TableFacts, type TableJob } from './hash-worker.ts'

/* A thread of verify-pool.ts: tables in, what they hold out, in the same order. */

export type ThreadAnswer = { readonly facts: TableFacts | undefined } | { readonly error: unknown }

parentPort?.on('message', (job: TableJob) => {
  let answer: ThreadAnswer
  try {
    answer = { facts: scanBodies(job) }
  } catch (error) {
    answer = { error }
  }
  parentPort?.postMessage(answer)
})
