import { checkNodeStatus } from '../../archiver/check-node-status.ts'
import { type DatastoreQuery, QUERIES_PER_CALL } from '../../archiver/datastore-queries.ts'
import {
  ArchiveError,
  type Clock,
  computeEraKey,
  type EraAnchor,
  isArchiveError,
  type Network,
  PLACEMENT_KEYS,
  readEraRecord,
} from '../../core/index.ts'
import type { PlacementNode } from '../placement/read-placement.ts'

/** Behind the state of the registry: all eras of one reading come from one call, so from one height. */
export const MAX_ERAS_PER_READING = QUERIES_PER_CALL - 1

/** `unreadable`: the era is anchored, by a record that this release does not know. */
export type EraReading = EraAnchor | 'unreadable' | undefined

/**
 * Reads from final datastore entries which of some eras are anchored.
 *
 * @param options.eras - at most `MAX_ERAS_PER_READING`
 * @returns in the order of `eras`; undefined for those that are not anchored
 * @throws ArchiveError PLACEMENT_REGISTRY_MISSING, PLACEMENT_ANSWER_INVALID, ARCHIVER_NODE_UNREACHABLE, ARCHIVER_NODE_REFUSED,
 *   ARCHIVER_NETWORK_MISMATCH
 */
export async function readAnchors(
  options: { readonly registry: string; readonly network: Network; readonly eras: readonly number[] },
  { node, clock }: { readonly node: PlacementNode; readonly clock: Pick<Clock, 'nowMs'> },
): Promise<readonly EraReading[]> {
  const { registry, network, eras } = options
  checkNodeStatus(await node.getStatus(), { node: 0, network, nowMs: clock.nowMs() })
  const keys = [new TextEncoder().encode(PLACEMENT_KEYS.state), ...eras.map(computeEraKey)]
  const queries = keys.map((key): DatastoreQuery => ({ kind: 'value', key }))
  const { answers } = await node.queryDatastore(registry, queries)
  if (answers.length !== queries.length) {
    throw new ArchiveError('PLACEMENT_ANSWER_INVALID', `${answers.length} answers to ${queries.length} queries`, {
      url: node.url,
    })
  }
  if (!answers[0]) {
    const text = `there is no storage-registry at ${registry} in the final state`
    throw new ArchiveError('PLACEMENT_REGISTRY_MISSING', text, { address: registry, url: node.url })
  }
  return eras.map((era, i) => {
    const record = answers[i + 1]?.[0]
    return record && parse(era, record)
  })
}

function parse(era: number, record: Uint8Array): EraAnchor | 'unreadable' {
  try {
    return readEraRecord(era, record)
  } catch (error) {
    if (isArchiveError(error)) return 'unreadable'
    throw error
  }
}
