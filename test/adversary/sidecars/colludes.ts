import { equalBytes, type Period } from '../../../core/index.ts'
import { findFellow } from './fellow.ts'
import { audit, isUnderAudit, listYoungTargets, onTurn, type Turn, targetOf } from './hostile-challenger.ts'
import { loseChunks } from './lost-chunks.ts'
import { runTwisted } from './twist.ts'

/** Sooner than an honest challenger would ask it again. */
const EVERY_PERIODS = 14
/** A chunk is old enough to be final. */
const AGE_PERIODS = 10

let kept: Uint8Array | undefined
let askedPeriod: Period | undefined
let wasThere = false

/** Its friend is itself. */
async function askFriend(turn: Turn): Promise<void> {
  kept ??= await turn.timer.findChunkId(turn.period - AGE_PERIODS, 0)
  if (kept === undefined || (askedPeriod !== undefined && turn.period < askedPeriod + EVERY_PERIODS)) return
  askedPeriod = turn.period
  audit(turn, turn.address, 'the only chunk that it keeps', [targetOf(kept)])
}

/** When it has just gone: it may be away for longer than there is time to answer. */
async function askEnemy(turn: Turn): Promise<void> {
  const enemy = findFellow('colludes')
  const isThere = turn.chain.findPeer(enemy) !== undefined
  if (wasThere && !isThere && !isUnderAudit(enemy)) {
    audit(turn, enemy, 'what its enemy keeps, which is away', await listYoungTargets(turn))
  }
  wasThere = isThere
}

loseChunks((chunkId) => kept !== undefined && !equalBytes(chunkId, kept))
onTurn(async (turn) => {
  await askFriend(turn)
  await askEnemy(turn)
})
await runTwisted()
