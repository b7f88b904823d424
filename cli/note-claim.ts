import type { NotedClaim } from '../api/rewards.ts'
import { TOKEN_HEADER } from '../api/token-header.ts'
import type { Config } from '../config/index.ts'
import { isArchiveError } from '../core/errors.ts'
import { readApiToken } from '../storage-worker/api-token.ts'
import { callSidecar } from './call-sidecar.ts'
import { findSidecar } from './find-sidecar.ts'

/**
 * Has the running sidecar note a claim that is final, for `rewards history`.
 *
 * @returns why it did not; the claim is what it is all the same
 */
export async function noteClaim(config: Config, claim: NotedClaim, signal: AbortSignal): Promise<string | undefined> {
  try {
    const sidecar = await findSidecar(config, signal)
    const token = (await readApiToken(config.dataDir)) ?? ''
    await callSidecar(sidecar, '/v1/rewards', { body: claim, headers: { [TOKEN_HEADER]: token }, signal })
    return undefined
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return error.message
  }
}
