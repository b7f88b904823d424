import assert from 'node:assert/strict'
import { WaitWatch } from '../../archiver/wait-watch.ts'
import { createLogger } from '../../telemetry/index.ts'

const SLOT = { period: 10, thread: 3 }
const LATER = { period: 11, thread: 3 }

describe('archiver/wait-watch', () => {
  function watchOf(): { watch: WaitWatch; lines: Record<string, unknown>[] } {
    const lines: Record<string, unknown>[] = []
    const log = createLogger({
      level: 'info',
      format: 'json',
      destination: { write: (line) => lines.push(JSON.parse(line) as Record<string, unknown>) },
    }).child({ module: 'archiver' })
    return { watch: new WaitWatch(log), lines }
  }

  it('says once, after a minute, which nodes a slot waits for, and once when it goes on', () => {
    const { watch, lines } = watchOf()
    const awaited = { slot: SLOT, nodes: [1] }
    watch.look(awaited, 0)
    watch.look(awaited, 59_999)
    assert.deepEqual([watch.awaited, lines], [undefined, []])
    watch.look(awaited, 60_000)
    watch.look(awaited, 61_000)
    assert.deepEqual(watch.awaited, awaited)
    assert.equal(lines.length, 1)
    assert.deepEqual([lines[0]?.level, lines[0]?.code, lines[0]?.slot], ['error', 'ARCHIVER_SLOT_UNNAMED', '(10, 3)'])
    assert.deepEqual(lines[0]?.nodes, [1])
    watch.look(undefined, 62_000)
    assert.equal(watch.awaited, undefined)
    assert.equal(lines[1]?.msg, 'slot named')
    watch.look(undefined, 63_000)
    assert.equal(lines.length, 2)
  })

  it('says nothing of slots that are each waited for shorter than that', () => {
    const { watch, lines } = watchOf()
    watch.look({ slot: SLOT, nodes: [1] }, 0)
    watch.look({ slot: LATER, nodes: [1] }, 59_000)
    watch.look({ slot: LATER, nodes: [1] }, 118_999)
    assert.deepEqual([watch.awaited, lines], [undefined, []])
  })

  it('shows the nodes that are waited for now', () => {
    const { watch, lines } = watchOf()
    watch.look({ slot: SLOT, nodes: [1, 2] }, 0)
    watch.look({ slot: SLOT, nodes: [1, 2] }, 60_000)
    watch.look({ slot: SLOT, nodes: [2] }, 61_000)
    assert.deepEqual(watch.awaited, { slot: SLOT, nodes: [2] })
    assert.equal(lines.length, 1)
  })
})
