import { SignedEndorsementCodec } from '../../../core/index.ts'
import {
  type EndorsementsFilter,
  GetEndorsementsRequest,
  GetEndorsementsResponse,
  SearchEndorsementsRequest,
  SearchEndorsementsResponse,
} from '../../../telemetry/grpc/messages.ts'
import { checkFilterCount, checkNamed, joinNamed, tooMany } from '../../../telemetry/grpc/request-checks.ts'
import { invalidArgument } from '../../../telemetry/grpc/rpc-error.ts'
import { BLOCK_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import { readWireFields } from '../../../telemetry/grpc/wire.ts'
import type { ChainBlock } from '../chain/chain-block.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'

const MAX_ENDORSEMENT_IDS = 100
/** Field numbers of SignedBlockHeader and BlockHeader. */
const CONTENT = 1
const ENDORSEMENTS = 6

/** An endorsement as its header carries it. */
export interface MadeEndorsement {
  readonly id: string
  readonly creator: string
  readonly endorsedBlock: string
  /** A SignedEndorsement message. */
  readonly message: Uint8Array
}

interface PlacedEndorsement extends MadeEndorsement {
  readonly blocks: ChainBlock[]
}

/** Headers do not change, and are asked for again and again. */
const parsed = new WeakMap<ChainBlock, readonly MadeEndorsement[]>()

export function endorsementsOf(block: ChainBlock): readonly MadeEndorsement[] {
  const known = parsed.get(block)
  if (known) return known
  const content = readWireFields(block.headerMessage).find(({ number }) => number === CONTENT)?.payload
  const fields = readWireFields(content ?? new Uint8Array(0)).filter(({ number }) => number === ENDORSEMENTS)
  const endorsements = fields.map(({ payload: message = new Uint8Array(0) }) => {
    const { secureHash, contentCreatorAddress, content } = SignedEndorsementCodec.decode(message)
    return {
      id: secureHash ?? '',
      creator: contentCreatorAddress ?? '',
      endorsedBlock: content?.endorsedBlock ?? '',
      message,
    }
  })
  parsed.set(block, endorsements)
  return endorsements
}

export function getEndorsements(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { endorsementIds } = GetEndorsementsRequest.read(request)
  if (endorsementIds.length === 0) throw invalidArgument('no endorsement id provided')
  if (endorsementIds.length > MAX_ENDORSEMENT_IDS) throw tooMany('endorsement ids', MAX_ENDORSEMENT_IDS)
  for (const id of endorsementIds) checkNamed('endorsement', id)
  const all = listEndorsements(chain)
  const found = endorsementIds.flatMap((id) => all.get(id) ?? [])
  return GetEndorsementsResponse.encode({
    wrappedEndorsements: found.map((placed) => ({ ...placeOf(placed, chain), endorsement: placed.message })),
  })
}

export function searchEndorsements(request: Uint8Array, chain: DevnetChain): Uint8Array {
  const { ids, creators, blocks } = readEndorsementFilters(SearchEndorsementsRequest.read(request).filters)
  if (!ids && !creators && !blocks) throw invalidArgument('no filter provided')
  const found = [...listEndorsements(chain).values()].filter(
    (placed) =>
      (ids?.has(placed.id) ?? true) &&
      (creators?.has(placed.creator) ?? true) &&
      (!blocks || placed.blocks.some(({ id }) => blocks.has(id))),
  )
  return SearchEndorsementsResponse.encode({
    endorsementInfos: found.map((placed) => ({ endorsementId: placed.id, ...placeOf(placed, chain) })),
  })
}

/** What filters of endorsements ask for; absent is anything. @throws RpcError */
export function readEndorsementFilters(filters: readonly EndorsementsFilter[]) {
  checkFilterCount(filters)
  const of = (kind: EndorsementsFilter['filter']) => filters.filter(({ filter }) => filter === kind)
  const ids = of('endorsementIds').map(({ endorsementIds }) => endorsementIds?.endorsementIds ?? [])
  return {
    ids: joinNamed('endorsement', ids),
    creators: joinNamed(
      'address',
      of('addresses').map(({ addresses }) => addresses?.addresses ?? []),
    ),
    blocks: joinNamed(
      'block',
      of('blockIds').map(({ blockIds }) => blockIds?.blockIds ?? []),
    ),
  }
}

/** Of all blocks in memory, by id. */
function listEndorsements(chain: DevnetChain): Map<string, PlacedEndorsement> {
  const all = new Map<string, PlacedEndorsement>()
  for (const block of chain.listBlocks(0, Number.MAX_SAFE_INTEGER)) {
    for (const endorsement of endorsementsOf(block)) {
      const placed = all.get(endorsement.id)
      if (placed) placed.blocks.push(block)
      else all.set(endorsement.id, { ...endorsement, blocks: [block] })
    }
  }
  return all
}

/** They come with their blocks here, and never wait for one. */
function placeOf({ blocks }: PlacedEndorsement, chain: DevnetChain) {
  return {
    inPool: false,
    inBlocks: blocks.map(({ id }) => id),
    isFinal: blocks.some((block) => chain.blockStatus(block) === BLOCK_STATUS.final),
  }
}
