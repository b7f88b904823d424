import { PERIOD_MS } from '../../../core/index.ts'
import type { Adversary } from '../adversary.ts'
import { readSetting } from '../settings.ts'

const because = 'after the deadline a proof is refused, and the challenge is a failed one'

export const answersLate: Adversary = {
  name: 'answers late',
  does: 'keeps everything, and answers on chain one period after the deadline',
  play: (_, setting) => ({
    habits: {
      answersAfterPeriods: Math.floor(Number(readSetting(setting).challengeResponseTimeout) / PERIOD_MS) + 1,
    },
  }),
  expected: { shipped: { atMost: 0, because }, production: { atMost: 0, because } },
}
