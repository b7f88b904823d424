import { runTwisted } from './twist.ts'

/** Honest: it draws twelve times as often as it would, so that a few eras have some audits of every node. */
await runTwisted('challenge_frequency_periods=8')
