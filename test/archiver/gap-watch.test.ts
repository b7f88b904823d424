import assert from 'node:assert/strict'
import { GapWatch } from '../../archiver/gap-watch.ts'
import type { Gap } from '../../archiver/slot-ledger.ts'
import type { BlockIdText } from '../../core/index.ts'
import { createLogger } from '../../telemetry/index.ts'

const GAP: Gap = { thread: 3, firstPeriod: 10, lastPeriod: 12, childPeriod: 12, missing: 'B12missing' as BlockIdText }

describe('archiver/gap-watch', () => {
  let lines: string[]
  let watch: GapWatch

  beforeEach(() => {
    lines = []
    const destination = { write: (text: string) => lines.push(text) }
    watch = new GapWatch(createLogger({ level: 'info', format: 'human', destination }))
  })

  it('keeps quiet about a block that is only late', () => {
    watch.look([GAP], 0)
    watch.look([GAP], 4_999)
    watch.look([], 6_000)
    assert.deepEqual(lines, [])
  })

  it('says a gap once when it stands, with its slots and the missing id, and once when it is filled', () => {
    for (const nowMs of [0, 5_000, 6_000]) watch.look([GAP], nowMs)
    watch.look([], 7_000)
    assert.deepEqual(
      lines.map((line) => line.trim().replace(/ module=.*/, '')),
      [
        '[WARN] gap found thread=3 firstPeriod=10 lastPeriod=12 blockId=B12missing',
        '[INFO] gap filled thread=3 firstPeriod=10 lastPeriod=12 blockId=B12missing',
      ],
    )
  })
})
