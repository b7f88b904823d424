import type { NodeVersion } from '../../engine/index.ts'
import { type MadeKey, makeKey } from '../../made-key.ts'

/** A key that signs blocks and endorsements when it is drawn. */
export interface Staker {
  readonly key: MadeKey
  /** At the beginning; who has fewer at the start of a cycle buys what is missing, as far as his coins go. */
  readonly rolls: bigint
  /** At the beginning, unless `accounts` says otherwise. */
  readonly coinsNanoMas?: bigint
}

export interface DevnetChainOptions {
  readonly genesisTimestampMs: number
  /** Addresses with their nanoMAS at the beginning. */
  readonly accounts: Iterable<readonly [address: string, balanceNanoMas: bigint]>
  /** 77n, a sandbox's, by default. */
  readonly chainId?: bigint
  /** Decides draws, misses, rivals and, if none are given, stakers; 'devnet' by default. */
  readonly seed?: string
  /** 16 keys of the seed with 100 rolls and 100,000 MAS each by default. */
  readonly stakers?: readonly Staker[]
  /** Whose gas prices hold; 'MAIN.5.0' by default. */
  readonly nodeVersion?: NodeVersion
  /** 0.01 MAS by default. */
  readonly minimalFeeNanoMas?: bigint
  /** `current_version` of every header; 0 by default. */
  readonly networkVersion?: number
  /** In each header, 0 to 16; 16 by default. Signing is what a block costs: tests of other things make fewer. */
  readonly endorsements?: number
  /**
   * Slots for which no operation waits are missed, but those of thread 0: for tests in which much time passes. No by
   * default.
   */
  readonly skipsEmptyBlocks?: boolean
  /** Operations that the pool has room for; 50,000 by default, a tenth of a node's. */
  readonly maxPoolSize?: number
  /** How many more may wait until the next slot; 10,000 by default, a tenth of a node's. */
  readonly maxPoolExcess?: number
  /** Memory for events, about; 256 MiB by default: 640,000 with short texts, 190,000 of the longest. The oldest final ones leave it. */
  readonly maxEventBytes?: number
  /** Share of slots without a block, 0 to 1; 0 by default. */
  readonly missRate?: number
  /** Share of blocks with a rival of the same slot, 0 to 1; 0 by default. */
  readonly orphanRate?: number
  /** A block is final when those after it have more fitness, 1 and their endorsements, than this; 1088 by default. */
  readonly deltaF0?: number
  /** Slots from the clock to the last executed one; 4 by default, as a node runs. */
  readonly executionLagSlots?: number
  /** Periods in which a final block can be fetched after it, until there is a later one in its thread; 5 by default. */
  readonly forceKeepFinalPeriods?: number
  /** The same for its header alone; 32 by default. */
  readonly forceKeepFinalPeriodsWithoutOps?: number
}

export type ResolvedChainOptions = Readonly<Required<Omit<DevnetChainOptions, 'accounts'>>>

const STAKER_COUNT = 16
const STAKER_ROLLS = 100n
/**
 * With one rival in a hundred blocks the stakers lose 3 MAS a period of what rewards do not bring back, so this lasts for
 * three months of chain time.
 */
const STAKER_COINS_NANO_MAS = 100_000_000_000_000n
export const ENDORSEMENT_COUNT = 16

/** Every option with its default. */
export function resolveChainOptions(options: DevnetChainOptions): ResolvedChainOptions {
  const { accounts: _, ...given } = options
  const seed = options.seed ?? 'devnet'
  return {
    chainId: 77n,
    seed,
    stakers: options.stakers ?? makeStakers(seed),
    nodeVersion: 'MAIN.5.0',
    minimalFeeNanoMas: 10_000_000n,
    networkVersion: 0,
    endorsements: ENDORSEMENT_COUNT,
    skipsEmptyBlocks: false,
    maxPoolSize: 50_000,
    maxPoolExcess: 10_000,
    maxEventBytes: 256 * 2 ** 20,
    missRate: 0,
    orphanRate: 0,
    deltaF0: 64 * (1 + ENDORSEMENT_COUNT),
    executionLagSlots: 4,
    forceKeepFinalPeriods: 5,
    forceKeepFinalPeriodsWithoutOps: 32,
    ...given,
  }
}

function makeStakers(seed: string): Staker[] {
  const common = { rolls: STAKER_ROLLS, coinsNanoMas: STAKER_COINS_NANO_MAS }
  return Array.from({ length: STAKER_COUNT }, (_, i) => ({ key: makeKey(`${seed} staker ${i}`), ...common }))
}
