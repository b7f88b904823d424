import {
  ArchiveError,
  CHUNK_SIZE_BYTES,
  type ChunkStore,
  type Clock,
  computeChunkId,
  computeHashSlot,
  ERA_PERIODS,
  equalBytes,
  fromHex,
  isArchiveError,
  LEAF_SIZE_BYTES,
  type Period,
  toHex,
} from '../../core/index.ts'
import type { Fetched } from '../peers/peer-client.ts'
import type { PlacementTable } from '../placement/placement-table.ts'
import type { CopyDoubt } from '../replication/claimant.ts'

const ID_DIGITS = 64
const MIN_DIGITS = 6
/** What a peer is told that is no answer of ours: it said something else than the leaf. */
const WRONG = ['PROTOCOL_ANSWER_WRONG', 'PROTOCOL_MESSAGE_INVALID'] as const

/**
 * What a node says to being asked for one leaf: it showed it; it does not hold the chunk; it has no time or refuses; it
 * does not answer; it answers what is not true; it is not connected, so it was not asked.
 */
export type LocateResult = 'shown' | 'notHeld' | 'busy' | 'refused' | 'noAnswer' | 'wrong' | 'notConnected'

export interface LocatedNode {
  readonly address: string | null
  readonly peer: string | null
  readonly isOwn: boolean
  /** By the table in force; null: it is none of the holders, or there is no table. */
  readonly assigned: 'primary' | 'replica' | null
  readonly result: LocateResult
  readonly durationMs: number | null
  /** Why what it says of the hash slot and era does not count as a copy; null: it does, where it says so. */
  readonly doubt: CopyDoubt | null
}

/** Plain JSON. */
export interface LocatedChunk {
  readonly chunkId: string
  readonly hashSlot: number
  /** Where this archive has it; null: not at all. */
  readonly place: { readonly period: Period; readonly index: number; readonly bytes: number } | null
  /** Era of the table in force; null: nobody is assigned anything. */
  readonly era: number | null
  /** Which leaf was asked for: one that was drawn, or the first where the length of the chunk is not known here. */
  readonly leafIndex: number
  /** Holders in their order, then those that have it, then the others. */
  readonly nodes: readonly LocatedNode[]
}

export interface LocateModules {
  readonly store: Pick<ChunkStore, 'findChunks' | 'readChunk' | 'readManifest' | 'readRange'>
  readonly client: { audit(peer: string, chunkId: Uint8Array, leafIndex: number): Promise<Fetched<unknown>> }
  /** In force. */
  readonly table: Pick<PlacementTable, 'era' | 'holdersOf' | 'recentOfSlot'> | undefined
  readonly listConnected: () => readonly { readonly peer: string; readonly address: string | undefined }[]
  /** Why a node is not believed to hold what it says of a hash slot in an era; undefined where it is. */
  readonly doubtOf: (address: string, hashSlot: number, era: number) => CopyDoubt | undefined
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: (maxExclusive: number) => number
}

/**
 * Asks every connected node, and this disk, for one leaf of a chunk.
 *
 * @param options.idHex - all 64 digits, or the first 6 or more of one that is held here
 * @param options.own - Massa address of this node
 * @returns undefined when nothing here begins so
 * @throws ArchiveError CORE_BYTES_INVALID when several do
 */
export async function locateChunk(
  { idHex, own }: { readonly idHex: string; readonly own: string },
  modules: LocateModules,
): Promise<LocatedChunk | undefined> {
  const { store, table, clock, client, random } = modules
  if (idHex.length < MIN_DIGITS || !/^[0-9a-f]{1,64}$/.test(idHex)) {
    throw new ArchiveError(
      'CORE_BYTES_INVALID',
      `'${idHex}' is not ${MIN_DIGITS} to ${ID_DIGITS} lower-case hex digits`,
    )
  }
  const [place, other] = await store.findChunks(idHex, 2)
  if (other) throw new ArchiveError('CORE_BYTES_INVALID', `several chunks begin with ${idHex}: give more digits`)
  if (!place && idHex.length < ID_DIGITS) return undefined
  const chunkId = place?.chunkId ?? fromHex(idHex)
  const bytes = place && (await store.readManifest(place.period))?.chunks[place.index]?.byteLength
  const leafIndex = bytes === undefined ? 0 : random(Math.ceil(Math.min(bytes, CHUNK_SIZE_BYTES) / LEAF_SIZE_BYTES))
  const range = await store.readRange()
  const agePeriods = place && range ? range.last - place.period : 0
  const hashSlot = computeHashSlot(chunkId)
  const counting = table?.holdersOf(chunkId, agePeriods).holders ?? []
  // Last come those that hold it while it is new.
  const holders = [...counting, ...(table?.recentOfSlot(hashSlot, agePeriods) ?? [])].map(({ address }) => address)
  const assignedTo = (address: string | null): LocatedNode['assigned'] => {
    const rank = address === null ? -1 : holders.indexOf(address)
    if (rank < 0) return null
    return rank === 0 && counting.length > 0 ? 'primary' : 'replica'
  }
  // Of a chunk that is not here the era is not known: what speaks against all of a node counts all the same.
  const eraOfChunk = place ? Math.floor(place.period / ERA_PERIODS) : -1
  const findDoubt = (address: string | null): CopyDoubt | null =>
    (address === null ? undefined : modules.doubtOf(address, hashSlot, eraOfChunk)) ?? null
  const time = async (address: string | null, peer: string | null, ask: () => Promise<LocateResult>) => {
    const startedMs = clock.monotonicMs()
    const result = await ask()
    const durationMs = Math.round(clock.monotonicMs() - startedMs)
    const doubt = findDoubt(address)
    return { address, peer, isOwn: peer === null, assigned: assignedTo(address), result, durationMs, doubt }
  }
  // Within `max_connections`, and each answer is of 1.4 kB at most: all at once.
  const asked: LocatedNode[] = await Promise.all([
    time(own, null, () => readHere(store, place)),
    ...modules
      .listConnected()
      .map(({ peer, address }) => time(address ?? null, peer, () => askPeer(client, { peer, chunkId, leafIndex }))),
  ])
  const reached = new Set(asked.map(({ address }) => address))
  const unreached = holders
    .filter((address) => !reached.has(address))
    .map((address): LocatedNode => {
      const assigned = assignedTo(address)
      const doubt = findDoubt(address)
      return { address, peer: null, isOwn: false, assigned, result: 'notConnected', durationMs: null, doubt }
    })
  const rankOf = ({ address, result }: LocatedNode): number => {
    const rank = address === null ? -1 : holders.indexOf(address)
    return rank >= 0 ? rank : holders.length + (result === 'shown' ? 0 : 1)
  }
  return {
    chunkId: toHex(chunkId),
    hashSlot,
    place: place && bytes !== undefined ? { period: place.period, index: place.index, bytes } : null,
    era: table?.era ?? null,
    leafIndex,
    nodes: [...asked, ...unreached].sort((a, b) => rankOf(a) - rankOf(b) || compareTexts(nameOf(a), nameOf(b))),
  }
}

async function readHere(
  store: LocateModules['store'],
  place: { readonly period: Period; readonly index: number; readonly chunkId: Uint8Array } | undefined,
): Promise<LocateResult> {
  if (!place) return 'notHeld'
  try {
    const chunk = await store.readChunk(place.period, place.index)
    if (!chunk) return 'notHeld'
    return equalBytes(computeChunkId(chunk), place.chunkId) ? 'shown' : 'wrong'
  } catch (error) {
    if (isArchiveError(error, 'STORE_VALUE_CORRUPT')) return 'wrong'
    throw error
  }
}

async function askPeer(
  client: LocateModules['client'],
  { peer, chunkId, leafIndex }: { readonly peer: string; readonly chunkId: Uint8Array; readonly leafIndex: number },
): Promise<LocateResult> {
  try {
    const { status } = await client.audit(peer, chunkId, leafIndex)
    return status === 'ok' ? 'shown' : status
  } catch (error) {
    if (!isArchiveError(error) || error.kind === 'bug') throw error
    return WRONG.some((code) => error.code === code) ? 'wrong' : 'noAnswer'
  }
}

function nameOf({ address, peer }: LocatedNode): string {
  return address ?? peer ?? ''
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
