import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import { MAX_VISITS, MapVisits, VISIT_INTERVAL_MS, VISIT_MS } from '../../../storage-worker/replication/map-visits.ts'
import { StillClock } from '../../clocks.ts'
import { settle } from '../../turns.ts'

/** Neighbours by name: the PeerId of a is `peer a`, and it listens at `at a`. */
class Stage {
  readonly clock = new StillClock()
  readonly away = new Set<string>()
  readonly connected = new Set<string>()
  readonly takenAtMs = new Map<string, number>()
  readonly dialled: string[] = []
  readonly hungUp: string[] = []
  isCrowded = true
  failure: unknown
  readonly visits: MapVisits

  constructor(neighbours: readonly string[]) {
    this.visits = new MapVisits({
      listNeighbours: () => neighbours,
      claims: {
        isLive: (address) => !this.away.has(address),
        peerOf: (address) => (this.connected.has(address) ? `peer ${address}` : undefined),
        mapTakenAtMs: (address) => this.takenAtMs.get(address),
      },
      ports: {
        addressOf: (address) => (address === 'nowhere' ? undefined : `at ${address}`),
        dial: async (multiaddr) => {
          const address = multiaddr.slice(3)
          this.dialled.push(address)
          if (this.failure !== undefined) throw this.failure
          this.connected.add(address)
          return `peer ${address}`
        },
        hangUp: async (peer) => {
          this.hungUp.push(peer.slice(5))
          this.connected.delete(peer.slice(5))
        },
        listPeers: () => [...this.connected].map((address) => `peer ${address}`),
        isCrowded: () => this.isCrowded,
      },
      clock: this.clock,
    })
  }

  /** The maps of all who are connected come. */
  takeMaps(): void {
    for (const address of this.connected) this.takenAtMs.set(address, this.clock.timeMs)
  }

  async look(elapsedMs = 2_000): Promise<string[]> {
    this.clock.advance(elapsedMs)
    await this.visits.look()
    return this.dialled.splice(0)
  }
}

describe('storage-worker/replication/map-visits', () => {
  it('connects with who is here and not connected, until its map has come; nobody else', async () => {
    const stage = new Stage(['a', 'b', 'c', 'nowhere'])
    stage.connected.add('a')
    stage.away.add('b')
    assert.deepEqual(await stage.look(), ['c'])
    assert.deepEqual(await stage.look(), [])
    assert.deepEqual(stage.hungUp, [])
    stage.takeMaps()
    await stage.look()
    assert.deepEqual(stage.hungUp, ['c'])
    assert.deepEqual([...stage.connected], ['a'])
  })

  it('limit: four at a time; 188 nodes that all hang are through before a map counts no more', async () => {
    const stage = new Stage(Array.from({ length: 188 }, (_, i) => `node ${i}`))
    const startMs = stage.clock.timeMs
    const asked = new Set<string>()
    while (asked.size < 188) {
      for (const address of await stage.look()) asked.add(address)
      assert.ok(stage.connected.size <= MAX_VISITS)
      assert.ok(stage.clock.timeMs - startMs < VISIT_INTERVAL_MS)
    }
  })

  it('who gives no map is hung up on in 30 s, and tried again in five minutes', async () => {
    const stage = new Stage(['a'])
    await stage.look()
    await stage.look(VISIT_MS - 1)
    assert.deepEqual(stage.hungUp, [])
    assert.deepEqual(await stage.look(1), [])
    assert.deepEqual(stage.hungUp, ['a'])
    assert.deepEqual(await stage.look(269_999), [])
    assert.deepEqual(await stage.look(1), ['a'])
  })

  it('asks again half an hour after a map came, those first that it knows least of', async () => {
    const stage = new Stage(['a', 'b', 'c', 'd', 'e', 'f'])
    const { timeMs } = stage.clock
    for (const [i, address] of ['e', 'd', 'c', 'b', 'a'].entries()) stage.takenAtMs.set(address, timeMs + i)
    assert.deepEqual(await stage.look(VISIT_INTERVAL_MS - 1), ['f'])
    assert.deepEqual(await stage.look(1), ['e'])
    assert.deepEqual(await stage.look(10), ['d', 'c'])
  })

  it('stays where there is room, and with who was connected before', async () => {
    const roomy = new Stage(['a'])
    roomy.isCrowded = false
    await roomy.look()
    roomy.takeMaps()
    await roomy.look()
    assert.deepEqual(roomy.hungUp, [])
    assert.deepEqual([...roomy.connected], ['a'])
  })

  it('goes on when nobody answers, until it is stopped; a bug ends it', async () => {
    const stage = new Stage(['a'])
    stage.failure = new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
    const running = stage.visits.start()
    await settle()
    stage.clock.advance(300_000)
    await settle()
    assert.deepEqual(stage.dialled, ['a', 'a'])
    await stage.visits.stop()
    await running
    const broken = new Stage(['a'])
    broken.failure = new TypeError('a bug')
    await assert.rejects(broken.visits.start(), { message: 'a bug' })
  })
})
