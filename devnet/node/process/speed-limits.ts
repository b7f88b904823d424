/** Chain time to real time. Slower, and a slot takes longer than 50 s: a chain that seems to stand still. */
export const MIN_SPEED = 0.01
/** Faster than any machine makes slots. */
export const MAX_SPEED = 1_000
