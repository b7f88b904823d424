import { parentPort } from 'node:worker_threads'
import { sha256 } from '#crypto'
import * as browser from '../../../core/crypto-browser.ts'
import { isArchiveError, verifyProof } from '../../../core/index.ts'
import { history, honest, LIES, question } from './lies.ts'
import { bend } from './made-history.ts'

/* Started with `#crypto` as browsers resolve it: makes and verifies the same proofs as everybody else. */

function judge(act: () => unknown): string {
  try {
    return JSON.stringify(act())
  } catch (error) {
    return isArchiveError(error) ? error.code : String(error)
  }
}

parentPort?.postMessage({
  isBrowserCrypto: sha256 === browser.sha256,
  proof: JSON.stringify(honest),
  checks: judge(() => verifyProof(JSON.stringify(honest), question, history.trusted).checks),
  lies: Object.values(LIES).map(([, change]) =>
    judge(() => verifyProof(bend(honest, change), question, history.trusted)),
  ),
})
