import type { LoadedConfig } from '../config/index.ts'
import { ArchiveError, type RegistryConfig } from '../core/index.ts'
import { adviseSetting } from './setting-advice.ts'

const KEY = 'retention_periods'

/**
 * Looks at how long a node would promise to keep. Where anchors are required anything but for ever has no weight, and the
 * stake would lie there for nothing.
 *
 * @param asked - `--retention-periods`; without it the configuration is the promise
 * @returns what to warn of: a promise that the archive of this configuration does not keep
 * @throws ArchiveError CONTRACT_NODE_WEIGHTLESS
 */
export function checkRetentionPromise(
  asked: bigint | undefined,
  { requireAnchors }: Pick<RegistryConfig, 'requireAnchors'>,
  loaded: LoadedConfig,
): string | undefined {
  const kept = BigInt(loaded.config.retentionPeriods)
  const promised = asked ?? kept
  if (requireAnchors && promised !== 0n) {
    const steps = [
      ...(asked === undefined ? [] : ['leave out --retention-periods']),
      ...(kept === 0n ? [] : [adviseSetting(loaded, KEY, '0')]),
    ]
    throw new ArchiveError(
      'CONTRACT_NODE_WEIGHTLESS',
      `this registry requires anchors: a node that keeps ${promised} periods and not for ever has no weight in it and is ` +
        `never paid; ${steps.join(' and ')}`,
      { retentionPeriods: promised },
    )
  }
  if (kept === 0n || (promised !== 0n && promised <= kept)) return undefined
  return (
    `this promises to keep ${promised === 0n ? 'for ever' : `${promised} periods`}, and the archive keeps ${kept}: ` +
    adviseSetting(loaded, KEY, `${promised}`)
  )
}
