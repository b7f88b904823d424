import { computeEraText, ERA_PERIODS, encodeSignatureArgument } from '../../core/index.ts'
import { least } from '../reference/registry-model/extremes.ts'
import { mustSucceed } from './arena.ts'
import { type HistoryEra, listHistory, makeQuietEra } from './history.ts'
import { type Party, signOnce } from './party.ts'
import { makePlacement, type Placement } from './placement.ts'
import { CHAIN_ID, type RegistryChain } from './registry-chain.ts'

/*
 * What happened before a run: two days in which everybody was honest.
 */

const COINS_NANO_MAS = 10n ** 9n
/** Copies of each chunk, the default. */
const REPLICAS = 3n
/** Planned bytes for one GB, as the registry counts copies. */
const PLANNED_BYTES_PER_GB = 800_000_000n
const BYTES_PER_GB = 1_000_000_000n
/** The first weights count from the 43rd era after the registration on. */
const FIRST_WEIGHT_ERA = 44
/** Those that come later, 43 eras after the history was anchored, count by then. */
export const START_ERA = 90
/** From its 9th period on an era has the eras before it anchored. */
const ANCHOR_PERIOD = 8

export interface Registrant {
  readonly party: Party
  readonly gb: bigint
  /** What placement counts without anchors. */
  readonly placedGb: bigint
}

/** Without anchors capacity binds nobody, and all that count are there from the start. */
export function placeFreely(registrants: readonly Registrant[]): Placement {
  return place(START_ERA, registrants, { eraBytes: 0n, requireAnchors: false })
}

/**
 * The first weights count, so that copies are counted; the history is anchored, then a placement, and when that may be
 * used the weights for it count, too.
 */
export function anchorHistory(chain: RegistryChain, registrants: readonly Registrant[]): Placement {
  const history = listHistory()
  const eraBytes = history.reduce((sum, { totalBytes }) => sum + totalBytes, 0n)
  chain.goTo(FIRST_WEIGHT_ERA * ERA_PERIODS)
  touchAll(chain, registrants)
  const quiet = makeQuietEra(FIRST_WEIGHT_ERA + 1)
  const cap = (eraBytes + BYTES_PER_GB - 1n) / BYTES_PER_GB
  const capped = registrants.map((one) => ({ ...one, placedGb: least(one.gb, cap) }))
  const placement = place(quiet.era + 1, capped, { eraBytes, requireAnchors: true })
  chain.goTo(quiet.era * ERA_PERIODS)
  for (const era of history) anchor(chain, era, { placementRoot: new Uint8Array(32), registrants })
  touchAll(chain, registrants)
  chain.goTo((quiet.era + 1) * ERA_PERIODS + ANCHOR_PERIOD)
  anchor(chain, quiet, { placementRoot: placement.computeRoot(), registrants })
  chain.goTo((START_ERA - 1) * ERA_PERIODS)
  touchAll(chain, registrants)
  return placement
}

function touchAll(chain: RegistryChain, registrants: readonly Registrant[]): void {
  for (const { party, gb } of registrants) {
    mustSucceed(chain.send(party.address, 'updateStorageAllocation', { newAllocatedGb: gb }))
  }
}

/** Signed by all, in the order in which they registered. */
function anchor(
  chain: RegistryChain,
  { era, root, totalBytes, totalChunks }: HistoryEra,
  by: { readonly placementRoot: Uint8Array; readonly registrants: readonly Registrant[] },
): void {
  const { placementRoot, registrants } = by
  const text = computeEraText({
    chainId: CHAIN_ID,
    contract: chain.contract,
    era,
    eraRoot: root,
    totalBytes,
    totalChunks,
    nextPlacementRoot: placementRoot,
  })
  const signatures = registrants.map(({ party }) => encodeSignatureArgument(signOnce(party, text)))
  const claim = { era: BigInt(era), root, totalBytes, totalChunks, placementRoot, signatures }
  mustSucceed(chain.send(registrants[0]?.party.address ?? '', 'anchorEra', claim, COINS_NANO_MAS))
}

function place(
  era: number,
  registrants: readonly Registrant[],
  of: { readonly eraBytes: bigint; readonly requireAnchors: boolean },
): Placement {
  const nodes = registrants.map(({ party, placedGb }) => ({
    address: party.address,
    placementGb: placedGb,
    operator: '',
    p2pAddrs: [],
    retentionPeriods: 0n,
  }))
  const total = nodes.reduce((sum, { placementGb }) => sum + placementGb, 0n)
  const room =
    of.eraBytes === 0n ? REPLICAS : total / ((of.eraBytes + PLANNED_BYTES_PER_GB - 1n) / PLANNED_BYTES_PER_GB)
  return makePlacement({ era, replicas: Number(least(room, REPLICAS)), nodes, ...of })
}
