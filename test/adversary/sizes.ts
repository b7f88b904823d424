/** Beside the adversary. */
export const HONEST_NODES = 5
/** What every node registers, unless the adversary does otherwise. */
export const NODE_GB = 10n
/** From one `distributeRewards` to the next. */
export const DISTRIBUTE_EVERY_PERIODS = 100
