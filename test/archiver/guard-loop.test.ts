import assert from 'node:assert/strict'
import { guardLoop } from '../../archiver/guard-loop.ts'
import { NodeClient, NodeFollower } from '../../archiver/index.ts'
import { ArchiveError } from '../../core/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { ManualClock } from '../clocks.ts'
import { until } from '../turns.ts'

describe('archiver/guard-loop', () => {
  it('says nothing of a loop that ends', async () => {
    const said: unknown[] = []
    await guardLoop('one', Promise.resolve(), (error) => said.push(error))
    assert.deepEqual(said, [])
  })

  it('resolves although the loop threw, and says it once, with name and cause', async () => {
    const said: ArchiveError[] = []
    const cause = new RangeError('too far')
    await guardLoop('one', Promise.reject(cause), (error) => said.push(error))
    assert.equal(said.length, 1)
    assert.equal(said[0]?.code, 'ARCHIVER_LOOP_FAILED')
    assert.equal(said[0]?.context.loop, 'one')
    assert.equal(said[0]?.cause, cause)
  })

  it('regression: a bug in a loop of a follower reaches whoever runs it, and the follower can be stopped', async () => {
    const fatal: unknown[] = []
    const clock = new ManualClock(1_000)
    const log = createLogger({ level: 'error', format: 'json', destination: { write: () => undefined } })
    const client = new NodeClient({ url: '127.0.0.1:1', timeoutMs: 1_000, onCall: () => undefined })
    client.getStatus = () => {
      // That it is down is the node's fault; the clock is ours.
      clock.monotonicMs = () => {
        throw new TypeError('no clock')
      }
      return Promise.reject(new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'down'))
    }
    const feed = { onNodeDown: () => undefined } as never
    const follower = new NodeFollower(
      { node: 0, client, pollIntervalMs: 20, streamSilenceMs: 1_000 },
      { feed, clock, log: log.child({ module: 'archiver' }), onFatal: (error) => void fatal.push(error) },
    )
    follower.start()
    await until(() => fatal.length > 0)
    const [error] = fatal
    assert.ok(error instanceof ArchiveError && error.code === 'ARCHIVER_LOOP_FAILED')
    assert.match(error.message, /no clock/)
    await follower.stop()
  })
})
