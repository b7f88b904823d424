import type { ArchiveError } from '../../core/index.ts'
import { type Introduction, Introductions, MAX_LISTEN_ADDRESSES, OwnSequence } from '../../protocol-handler/index.ts'
import { ChunkCount } from '../../storage-worker/peers/chunk-count.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/**
 * Says who we are and what we keep, and remembers what others say of themselves.
 *
 * @param onHeard - told of the address of each of those, each time
 */
export function startIntroductions(context: PeerContext, onHeard: (address: string) => void): void {
  const { seed, node, bindings, store, clock, log } = context
  const chunkCount = new ChunkCount(store.chunks, clock)
  const sequence = new OwnSequence({
    marks: store.spool,
    clock,
    onFailure: (error) => log.warn({ err: error }, 'last introduction not known'),
  })
  const onFailure = (error: ArchiveError): void => log.warn({ err: error }, 'not introduced')
  const introductions = new Introductions(
    { seed, describe: () => describeSelf(context, chunkCount) },
    { network: node, bindings, sequence, clock, onHeard, onFailure },
  )
  keepRunning('introductions', introductions, context)
}

async function describeSelf(
  { config, store, ownAddresses }: PeerContext,
  chunkCount: ChunkCount,
): Promise<Introduction> {
  const range = await store.chunks.readRange()
  return {
    network: store.chunks.identity.network,
    allocatedGb: BigInt(config.allocatedStorageGb),
    storedChunks: BigInt(await chunkCount.read()),
    retentionPeriods: BigInt(config.retentionPeriods),
    firstPeriod: range?.first ?? 0,
    endPeriod: range ? range.last + 1 : 0,
    listenAddresses: ownAddresses().slice(0, MAX_LISTEN_ADDRESSES),
  }
}
