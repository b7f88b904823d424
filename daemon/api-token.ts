import { writeApiToken } from '../storage-worker/api-token.ts'
import type { Logger } from '../telemetry/index.ts'

/** Undefined where it cannot be written, on a full disk: then no command of an operator signs or spends through the API. */
export async function makeToken(dataDir: string, log: Logger): Promise<string | undefined> {
  try {
    return await writeApiToken(dataDir)
  } catch (error) {
    log.warn({ err: error }, 'no token of the api written: it signs and spends for nobody')
    return undefined
  }
}
