import { Worker } from 'node:worker_threads'
import { SIGNATURE_RECORD_BYTES } from './bench-blocks.ts'

/** Nothing but `verify`: a KeyObject per key is kept, as our own code does. */
const VERIFIER = `
const { createPublicKey, verify } = require('node:crypto')
const { parentPort, workerData } = require('node:worker_threads')
const PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const keys = new Map()
const work = []
for (let at = 0; at < workerData.length; at += ${SIGNATURE_RECORD_BYTES}) {
  const raw = workerData.subarray(at, at + 32)
  const name = Buffer.from(raw).toString('latin1')
  if (!keys.has(name)) {
    keys.set(name, createPublicKey({ key: Buffer.concat([PREFIX, raw]), format: 'der', type: 'spki' }))
  }
  work.push([workerData.subarray(at + 32, at + 64), keys.get(name), workerData.subarray(at + 64, at + 128)])
}
parentPort.on('message', () => {
  let bad = 0
  for (const [hash, key, signature] of work) if (!verify(null, hash, key, signature)) bad++
  parentPort.postMessage(bad)
})
`

/** Worker threads that verify the same signatures, split evenly, as often as they are asked to. */
export class BareVerification {
  private readonly workers: Worker[]

  constructor(signatures: readonly Uint8Array[], threads: number) {
    const share = Math.ceil(signatures.length / threads)
    this.workers = Array.from({ length: threads }, (_, i) => {
      const workerData = Buffer.concat(signatures.slice(i * share, (i + 1) * share))
      return new Worker(VERIFIER, { eval: true, workerData })
    })
  }

  /** Seconds for all of them once. */
  async run(): Promise<number> {
    const started = performance.now()
    await Promise.all(this.workers.map(verifyShare))
    return (performance.now() - started) / 1000
  }

  async close(): Promise<void> {
    for (const worker of this.workers) await worker.terminate()
  }
}

function verifyShare(worker: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    worker.once('error', reject)
    worker.once('message', (bad) => {
      worker.off('error', reject)
      if (bad === 0) resolve()
      else reject(new Error(`${bad} signatures do not verify`))
    })
    worker.postMessage('go')
  })
}
