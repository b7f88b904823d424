import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { verifyProof } from '../../../core/index.ts'
import { history, honest, LIES, question } from './lies.ts'

/** Resolves `#crypto` and `#sha256` as a bundler for browsers does. */
function resolveAsBrowser(): string {
  const browser = new URL('../../../core/crypto-browser.ts', import.meta.url).href
  const hooks = `export const resolve = (name, context, next) =>
    next(name === '#crypto' || name === '#sha256' ? ${JSON.stringify(browser)} : name, context)`
  const url = `data:text/javascript,${encodeURIComponent(hooks)}`
  return `data:text/javascript,${encodeURIComponent(`import { register } from 'node:module'; register(${JSON.stringify(url)})`)}`
}

describe('core/reading with the crypto of browsers', () => {
  it('makes the same proof, checks the same in it, and refuses every lie with the same code', async () => {
    const tsx = new URL('../../tsx-in-workers.mjs', import.meta.url).href
    const worker = new Worker(new URL('./browser-crypto-worker.ts', import.meta.url), {
      execArgv: ['--conditions=source', `--import=${tsx}`, `--import=${resolveAsBrowser()}`],
    })
    const [said] = (await once(worker, 'message')) as [Record<string, unknown>]
    await worker.terminate()
    assert.deepEqual(said, {
      isBrowserCrypto: true,
      proof: JSON.stringify(honest),
      checks: JSON.stringify(verifyProof(honest, question, history.trusted).checks),
      lies: Object.values(LIES).map(([code]) => code),
    })
  })
})
