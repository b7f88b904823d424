import { formatHash, fromU64, slotOfIndex, slotToProtobuf, THREAD_COUNT, toU64 } from '../../../core/index.ts'
import {
  GetNextBlockBestParentsResponse,
  GetSelectorDrawsRequest,
  GetSelectorDrawsResponse,
  GetStakersRequest,
  GetStakersResponse,
} from '../../../telemetry/grpc/messages.ts'
import { encodePublicStatus } from '../../../telemetry/grpc/public-status.ts'
import { checkFilterCount, intersectRanges, joinNamed } from '../../../telemetry/grpc/request-checks.ts'
import { invalidArgument } from '../../../telemetry/grpc/rpc-error.ts'
import { PERIODS_PER_CYCLE } from '../../engine/index.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import { describeNode } from '../describe-node.ts'

/** Cycles whose draws a node has beside the current one: some old ones, and the next two. */
const PAST_DRAW_CYCLES = 4
const FUTURE_DRAW_CYCLES = 2
/** 0.5 MB of the answer. */
const DRAWS_AT_ONCE = 512

export function getStatus(chain: DevnetChain): Uint8Array {
  return encodePublicStatus(describeNode(chain), formatFingerprint(chain))
}

/** Stands for the hash of the final state: it changes with every final slot, and is the same where all was executed alike. */
export function formatFingerprint(chain: DevnetChain): string {
  return formatHash(chain.finalTrailHash)
}

export function getNextBlockBestParents(chain: DevnetChain): Uint8Array {
  return GetNextBlockBestParentsResponse.encode({
    blockParents: chain.bestParents.map(({ id, slot }) => ({ blockId: id, period: toU64(BigInt(slot.period)) })),
  })
}

export function getStakers(request: Uint8Array, chain: DevnetChain): Uint8Array {
  let stakers = chain.listActiveStakers()
  const last = { minRolls: 0n, maxRolls: (1n << 64n) - 1n, limit: BigInt(stakers.length) }
  for (const filter of GetStakersRequest.read(request).filters) {
    if (filter.filter) last[filter.filter] = fromU64(filter[filter.filter])
  }
  stakers = stakers.filter(({ rolls }) => rolls >= last.minRolls && rolls <= last.maxRolls)
  const shown = last.limit < BigInt(stakers.length) ? stakers.slice(0, Number(last.limit)) : stakers
  return GetStakersResponse.encode({
    stakers: shown.map(({ address, rolls }) => ({ address, rolls: toU64(rolls) })),
  })
}

/** The end of the range is drawn too: so the node does it, here alone. Seven cycles are 30 MB: others have their turn. */
export async function getSelectorDraws(request: Uint8Array, chain: DevnetChain): Promise<Uint8Array> {
  const { filters } = GetSelectorDrawsRequest.read(request)
  checkFilterCount(filters)
  const lists = filters.flatMap(({ filter, addresses }) => (filter === 'addresses' ? [addresses?.addresses ?? []] : []))
  const wanted = joinNamed('address', lists)
  const range = intersectRanges(filters.flatMap(({ filter, slotRange }) => (filter === 'slotRange' ? [slotRange] : [])))
  if (!range) throw invalidArgument('at least, one slot range is required')
  const cycleSlots = PERIODS_PER_CYCLE * THREAD_COUNT
  const cycle = cycleOf(chain)
  const first = Math.max(range.from, (cycle - PAST_DRAW_CYCLES) * cycleSlots, 0)
  const last = Math.min(range.to, (cycle + FUTURE_DRAW_CYCLES + 1) * cycleSlots - 1, chain.lastDrawnIndex)
  const parts: Uint8Array[] = []
  for (let from = first; from <= last; from += DRAWS_AT_ONCE) {
    if (from > first) await new Promise((resolve) => setImmediate(resolve))
    const draws = listDraws(chain, { from, to: Math.min(from + DRAWS_AT_ONCE - 1, last), wanted })
    // Messages of lists in a row are the message of the whole list.
    parts.push(GetSelectorDrawsResponse.encode({ draws }))
  }
  return Buffer.concat(parts)
}

function listDraws(
  chain: DevnetChain,
  { from, to, wanted }: { from: number; to: number; wanted: ReadonlySet<string> | undefined },
) {
  const draws = []
  for (let index = from; index <= to; index++) {
    const { producer, endorsers } = chain.drawOf(index)
    const isWanted = !wanted?.size || wanted.has(producer) || endorsers.some((address) => wanted.has(address))
    if (!isWanted) continue
    draws.push({
      slot: slotToProtobuf(slotOfIndex(index)),
      blockProducer: { value: producer },
      endorsementDraws: endorsers.map((address, i) => ({ index: toU64(BigInt(i)), producer: address })),
    })
  }
  return draws
}

function cycleOf(chain: DevnetChain): number {
  return Math.floor(chain.lastSlot.period / PERIODS_PER_CYCLE)
}
