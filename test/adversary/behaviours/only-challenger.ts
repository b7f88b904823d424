import type { Adversary } from '../adversary.ts'
import { colludingChallenger } from './colluding-challenger.ts'

const because =
  'nothing vests without an audit, and only challengers begin one: who has them all decides who is paid, and for what. The admin names them; several of different operators, and an admin who looks at the draws, are the only defence'

export const onlyChallenger: Adversary = {
  ...colludingChallenger,
  name: 'challenger that colludes, and is the only one',
  does: 'the same, where no other challenger is: no other node is ever audited',
  isOnlyChallenger: true,
  expected: {
    shipped: { atMost: 1, atLeast: 0.9, leavesHonest: -0.01, because },
    production: { atMost: 1, atLeast: 0.8, leavesHonest: -0.01, because },
  },
}
