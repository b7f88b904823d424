import { ArchiveError, type Slot, type StateAnswerMessage, type StateQueryMessage } from '../core/index.ts'

/** What a node's error of one query is numbered with when there is no such address or entry (facts: massa-node 1.3). */
const NOT_FOUND_CODE = 404

/** Limits of a node (facts: massa-node 1.3). */
export const QUERIES_PER_CALL = 128
export const KEYS_PER_QUERY = 500

/** One question about the final datastore of an address: the value of a key, or keys in ascending order. */
export type DatastoreQuery =
  | { readonly kind: 'value'; readonly key: Uint8Array }
  | {
      readonly kind: 'keys'
      readonly prefix: Uint8Array
      /** Only keys behind this one. */
      readonly after?: Uint8Array | undefined
      /** 1 to `KEYS_PER_QUERY` */
      readonly limit: number
    }

/** Answers to some queries, all of the state after one final slot. */
export interface DatastoreAnswers {
  readonly slot: Slot
  /** In the order of the queries: the value alone, or the keys; undefined when there is no such entry, or address. */
  readonly answers: readonly (readonly Uint8Array[] | undefined)[]
}

export function toStateQuery(address: string, query: DatastoreQuery): StateQueryMessage {
  if (query.kind === 'value') return { addressDatastoreValueFinal: { address, key: query.key } }
  const { prefix, after, limit } = query
  return {
    addressDatastoreKeysFinal: {
      address,
      prefix,
      ...(after && { startKey: { value: after }, inclusiveStartKey: { value: false } }),
      limit: { value: limit },
    },
  }
}

/** @throws ArchiveError ARCHIVER_NODE_REFUSED for any other error, and for an answer to another question */
export function readStateAnswer(
  { kind }: DatastoreQuery,
  message: StateAnswerMessage,
): readonly Uint8Array[] | undefined {
  const { result, error } = message
  if (error?.code === NOT_FOUND_CODE) return undefined
  if (error) throw refused(`an error: ${(error.message ?? '').slice(0, 200)}`)
  const value = kind === 'value' ? result?.bytes : undefined
  const keys = kind === 'keys' ? result?.vecBytes : undefined
  if (value) return [value]
  if (keys) return keys.items ?? []
  throw refused('something that was not asked')
}

function refused(what: string): ArchiveError {
  return new ArchiveError('ARCHIVER_NODE_REFUSED', `the massa-node answers QueryState with ${what}`)
}
