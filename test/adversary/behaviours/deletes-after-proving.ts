import type { Adversary } from '../adversary.ts'
import { keepUntilProven } from '../until-proven.ts'

const because =
  'it is paid up to the audit that it passed, while it kept everything; each later audit finds nothing. When the first one comes is luck: one of six nodes is drawn every 600 periods'

export const deletesAfterProving: Adversary = {
  name: 'deletes after proving',
  does: 'keeps everything until it has answered its first audit, then deletes it and stays',
  play: () => ({ habits: keepUntilProven() }),
  expected: { shipped: { atMost: 0.75, because }, production: { atMost: 0.75, because } },
}
