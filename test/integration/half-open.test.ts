import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket, type Socket } from 'node:net'
import {
  MAX_CONNECTIONS_PER_SECOND_AND_HOST,
  MAX_HALF_OPEN_CONNECTIONS,
  MAX_UPGRADE_MS,
} from '../../protocol-handler/index.ts'
import { assertServes } from '../protocol-handler/hostile-stage.ts'
import {
  addressOf,
  closePeers,
  connect,
  echoAudits,
  openPeer,
  type Peer,
  until,
} from '../protocol-handler/open-peer.ts'

/** Sockets that say nothing, of hosts 127.0.x.1; each is told how it fares. */
class Mutes {
  private readonly sockets: Socket[] = []

  async open(port: number, host: number): Promise<Socket> {
    const socket = connectSocket({ port, host: '127.0.0.1', localAddress: `127.0.${host}.1` })
    this.sockets.push(socket)
    socket.on('error', () => {})
    socket.resume()
    // Reset at once when it is one too many.
    await once(socket, 'connect').catch(() => undefined)
    return socket
  }

  get closed(): number {
    return this.sockets.filter(({ destroyed }) => destroyed).length
  }

  destroy(): void {
    for (const socket of this.sockets.splice(0)) socket.destroy()
  }
}

describe('hostile: half-open connections, over real sockets', () => {
  const mutes = new Mutes()
  let victim: Peer
  let port: number
  /** Ends the time that those have who have not said who they are. */
  let timeouts: AbortController[]
  const { timeout } = AbortSignal

  beforeEach(async () => {
    timeouts = []
    AbortSignal.timeout = (ms) => {
      if (ms !== MAX_UPGRADE_MS) return timeout.call(AbortSignal, ms)
      const controller = new AbortController()
      timeouts.push(controller)
      return controller.signal
    }
    victim = await openPeer('victim')
    await victim.node.serve('audit', echoAudits())
    port = Number(/tcp\/(\d+)/.exec(addressOf(victim))?.[1])
  })

  afterEach(async () => {
    AbortSignal.timeout = timeout
    mutes.destroy()
    await closePeers()
  })

  const meet = async (name: string): Promise<void> => {
    const honest = await openPeer(name)
    await connect(honest, victim)
    await assertServes(victim, honest)
  }

  it('limit: 50 a second of one host are let in, the next is closed at once, and no other host is kept out', async () => {
    // libp2p counts them by the wall clock: where its second is over too soon another host tries.
    for (let host = 2; mutes.closed === 0; host++) {
      assert.ok(host < 12, 'none is refused')
      const startedMs = performance.now()
      await Promise.all(Array.from({ length: MAX_CONNECTIONS_PER_SECOND_AND_HOST }, () => mutes.open(port, host)))
      const past = await mutes.open(port, host)
      if (performance.now() - startedMs < 500) await until(() => past.destroyed, 'the refusal')
    }
    assert.equal(mutes.closed, 1)
    await meet('honest')
  })

  it('limit: 500 of all hosts are held for 5 s and the next is closed at once; then others have their places', async () => {
    const hosts = Array.from({ length: MAX_HALF_OPEN_CONNECTIONS - 1 }, (_, i) => 2 + (i % 10))
    await Promise.all(hosts.map((host) => mutes.open(port, host)))
    await meet('last')
    await mutes.open(port, 100)
    const past = await mutes.open(port, 101)
    await until(() => past.destroyed, 'the refusal')
    assert.equal(mutes.closed, 1)
    for (const controller of timeouts) controller.abort(new Error('time is over'))
    await until(() => mutes.closed === MAX_HALF_OPEN_CONNECTIONS + 1, 'the end of all')
    await meet('late')
  })

  it('one host cannot hold all: it gets in fewer in the time that each may take than there are places', () => {
    assert.ok((MAX_UPGRADE_MS / 1_000 + 1) * MAX_CONNECTIONS_PER_SECOND_AND_HOST < MAX_HALF_OPEN_CONNECTIONS)
  })
})
