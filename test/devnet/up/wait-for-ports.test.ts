import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { ArchiveError } from '../../../core/index.ts'
import { choosePorts } from '../../../devnet/up/free-ports.ts'
import { waitForPorts } from '../../../devnet/up/wait-for-ports.ts'
import { AutoClock } from '../../clocks.ts'

describe('devnet/up/wait-for-ports', () => {
  let server: Server
  let client: Socket
  let accepted: Socket
  let clock: AutoClock
  let said: string[]
  const { signal } = new AbortController()

  before(function () {
    // Only Linux says what is in the way.
    if (process.platform !== 'linux') this.skip()
  })
  beforeEach(async () => {
    clock = new AutoClock()
    said = []
    server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const isAccepted = once(server, 'connection')
    client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    client.on('error', () => {})
    ;[accepted] = await isAccepted
  })
  afterEach(() => {
    client?.destroy()
    server?.close()
  })

  /** @param close - between one look and the next */
  function wait(port: number, close: () => void, limitMs = 0) {
    let looks = 0
    const choose = async () => {
      if (++looks === 3) close()
      return choosePorts([{ purpose: 'devnet commands', port }], false)
    }
    return waitForPorts(choose, { limitMs, onWait: (why) => said.push(why) }, { clock, signal })
  }

  it('waits for a port that a connection was opened from, and says so once', async () => {
    const port = client.localPort ?? 0
    // Reset from afar: the system keeps nothing of it.
    const waiting = wait(port, () => accepted.resetAndDestroy())
    assert.deepEqual(await waiting, [port])
    assert.match(
      said.join(),
      new RegExp(`^waiting for 65 s at most: .*${port} .*, which a connection of a program has$`),
    )
  })

  it('error: gives up a connection that goes on after 65 s, and a listener at once', async () => {
    const startedMs = clock.monotonicMs()
    const busy = (isPassing: boolean) => () =>
      Promise.reject(new ArchiveError('DEVNET_PORT_BUSY', 'a port is in use', { isPassing }))
    const options = { limitMs: 0, onWait: () => {} }
    await assert.rejects(waitForPorts(busy(true), options, { clock, signal }), { code: 'DEVNET_PORT_BUSY' })
    assert.equal(clock.monotonicMs() - startedMs, 65_000)
    await assert.rejects(waitForPorts(busy(false), options, { clock, signal }), { code: 'DEVNET_PORT_BUSY' })
    assert.equal(clock.monotonicMs() - startedMs, 65_000)
  })

  it('waits for a listener where something is about to end', async () => {
    const { port } = server.address() as AddressInfo
    const close = () => {
      client.destroy()
      server.close()
    }
    assert.deepEqual(await wait(port, close, 12_000), [port])
    assert.match(said.join(), /^waiting for 12 s at most: .*, where a program listens$/)
  })

  it('ends with the signal', async () => {
    const ending = new AbortController()
    const options = { limitMs: 0, onWait: () => ending.abort() }
    const choose = () => choosePorts([{ purpose: 'any', port: client.localPort ?? 0 }], false)
    await assert.rejects(waitForPorts(choose, options, { clock, signal: ending.signal }), { name: 'AbortError' })
  })
})
