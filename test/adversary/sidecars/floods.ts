import { findFellow } from './fellow.ts'
import { askPeer, audit, isUnderAudit, listYoungTargets, onTurn, type Turn } from './hostile-challenger.ts'
import { runTwisted, tellDeed } from './twist.ts'

/** It says how many of its questions by libp2p came to what, every so many. */
const TOLD_EVERY = 1_000

const results = new Map<string, number>()
let asked = 0
let isAsking = false

/** The next question as soon as the one before is answered, as long as its victim answers. */
async function rehearse(turn: Turn, node: string): Promise<void> {
  const [target] = await listYoungTargets(turn)
  let result: string | undefined
  do {
    result = target && (await askPeer(turn, node, target))
    if (result === undefined) return
    results.set(result, (results.get(result) ?? 0) + 1)
    const told = [...results].map(([name, count]) => `${count} ${name}`)
    if (asked++ % TOLD_EVERY === 0) tellDeed(`asks by libp2p: ${told.join(', ')}`)
  } while (result !== 'noAnswer')
}

onTurn(async (turn) => {
  const node = findFellow('floods')
  if (!isUnderAudit(node)) audit(turn, node, 'what its victim keeps', await listYoungTargets(turn))
  if (isAsking) return
  isAsking = true
  void rehearse(turn, node).finally(() => {
    isAsking = false
  })
})
await runTwisted()
