import { runTwisted } from './twist.ts'

/**
 * Honest: it draws twelve times as often as it would, and leaves alone for a twelfth of an hour whom somebody audited, so that
 * a few eras have some audits of every node.
 */
await runTwisted('challenge_frequency_periods=8', 'min_challenge_interval=304_000')
