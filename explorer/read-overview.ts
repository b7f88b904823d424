import { RefusedByArchive } from './ask-archive.ts'
import type { Overview } from './worker-messages.ts'

/**
 * What an archive says of itself; nothing of it is proven.
 *
 * @throws RefusedByArchive when it is not of the form of `GET /v1/archive`
 */
export function readOverview(json: Readonly<Record<string, unknown>>): Overview {
  const { first, last, latest, chainId, genesisTimestampMs } = json
  if (!Array.isArray(latest) || typeof chainId !== 'string' || !/^\d{1,20}$/.test(chainId)) throw otherForm()
  return {
    first: readNumber(first),
    last: readNumber(last),
    latest: latest.map((one: unknown) => {
      const { period, root, blocks, operations, bytes } = (one ?? {}) as Record<string, unknown>
      if (typeof root !== 'string') throw otherForm()
      return {
        period: readNumber(period),
        root,
        blocks: readNumber(blocks),
        operations: readNumber(operations),
        bytes: readNumber(bytes),
      }
    }),
    chainId,
    genesisTimestampMs: readNumber(Number(genesisTimestampMs)),
  }
}

function readNumber(value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw otherForm()
}

function otherForm(): RefusedByArchive {
  return new RefusedByArchive('no answer', 'The archive does not say what it holds.')
}
