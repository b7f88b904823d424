import { join } from 'node:path'
import { type Config, formatInteger, type LoadedConfig } from '../config/index.ts'
import { isArchiveError } from '../core/index.ts'
import { checkSchema, KEY_FILES, quotePath, readIdentity, readKey } from '../storage-worker/index.ts'
import { adviseSetting } from './setting-advice.ts'

/** One thing that `doctor` has looked at. */
export interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
  /** The exact line to change, when something is wrong. */
  readonly fix?: string
}

/** What `start` would refuse an archive for. */
export async function checkArchive(loaded: LoadedConfig): Promise<Finding[]> {
  const { config } = loaded
  const check = 'archive'
  try {
    const stored = await readIdentity(config.dataDir)
    if (!stored) return [{ check, ok: true, detail: 'none yet' }]
    checkSchema(stored.schemaVersion)
    const { network, chunkSizeBytes } = stored.identity
    const differences = [
      ['node.chain_id', network.chainId, config.node.chainId],
      ['node.genesis_timestamp_ms', network.genesisTimestampMs, config.node.genesisTimestampMs],
      ['chunk_size', BigInt(chunkSizeBytes), BigInt(config.chunkSize)],
    ] as const
    const wrong = differences.filter(([, has, wanted]) => has !== wanted)
    if (wrong.length === 0) {
      return [{ check, ok: true, detail: `of chain ${network.chainId}, genesis ${network.genesisTimestampMs}` }]
    }
    return wrong.map(([path, has, wanted]) => ({
      check,
      ok: false,
      detail: `made with ${path} = ${has}, and ${wanted} is configured`,
      fix: `${adviseSetting(loaded, path, formatInteger(has), String(has))}; or use another data_dir`,
    }))
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [{ check, ok: false, detail: error.message, fix: error.action }]
  }
}

/** The keys that are there, with what `start` would refuse them for. */
export async function checkKeys({ dataDir }: Config): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const file of KEY_FILES) {
    try {
      if (await readKey(dataDir, file))
        findings.push({ check: 'key', ok: true, detail: `${file}, for its owner alone` })
    } catch (error) {
      // Who may not read it was told so above, with the line to run.
      if (!isArchiveError(error, 'STORE_KEY_INVALID')) continue
      const fix = error.context.isReadByOthers === true ? `chmod 600 ${quotePath(join(dataDir, file))}` : error.action
      findings.push({ check: 'key', ok: false, detail: error.message, fix })
    }
  }
  return findings
}
