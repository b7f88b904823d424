import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import type { Fetched, SaidEra } from '../../../storage-worker/peers/peer-client.ts'
import { PlacementRoots, ROOT_RETRY_MS } from '../../../storage-worker/placement/placement-roots.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { NETWORK, REGISTRY } from './made-registry.ts'

const OURS = new Uint8Array(32).fill(1)
const OTHER = new Uint8Array(32).fill(2)
const ERA = 5

function says(nextPlacementRoot: Uint8Array): () => Fetched<SaidEra> {
  const rest = { chainId: 77n, contract: REGISTRY, eraRoot: OURS, totalBytes: 1n, totalChunks: 1n }
  const own = { publicKey: OURS, signature: OURS }
  return () => ({ status: 'ok', value: { statement: { ...rest, era: ERA - 1, nextPlacementRoot }, own, others: [] } })
}

/** Nodes by name: a, b, c ...; the PeerId of a is `peer a`. */
class World {
  readonly clock = new SetClock()
  readonly nodes = new Set(['own', 'a', 'b', 'c', 'd', 'e', 'f'])
  connected = ['a']
  readonly placement = { inForce: { era: ERA, root: OURS }, isCurrent: true }
  readonly answers = new Map<string, () => Fetched<SaidEra> | Promise<Fetched<SaidEra>>>()
  readonly asked: string[] = []
  readonly compared: [string, boolean][] = []
  readonly logged: Record<string, unknown>[] = []
  readonly roots = new PlacementRoots(
    { network: NETWORK, registry: REGISTRY, ownAddress: 'own' },
    {
      client: {
        fetchEra: async (peer, { chainId, contract, era, address }) => {
          assert.deepEqual([peer, chainId, contract], [`peer ${address}`, NETWORK.chainId, REGISTRY])
          this.asked.push(`${address}${era}`)
          return await (this.answers.get(address) ?? says(OURS))()
        },
      },
      placement: this.placement,
      ports: {
        listPeers: () => this.connected.map((address) => ({ peer: `peer ${address}`, address })),
        isNode: (address) => this.nodes.has(address),
        onCompared: (address, differs) => this.compared.push([address, differs]),
      },
      clock: this.clock,
      log: createLogger({
        level: 'info',
        format: 'json',
        destination: { write: (text) => this.logged.push(JSON.parse(text)) },
      }),
    },
  )

  async look(): Promise<string[]> {
    await this.roots.look()
    return this.asked.splice(0)
  }

  /** What was logged since. */
  lines(): unknown[] {
    return this.logged.splice(0).map(({ level, code, address, era }) => [level, address, era, code])
  }
}

describe('storage-worker/placement/placement-roots', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  it('each connected node of the registry is asked once in an era, about the era before', async () => {
    world.connected = ['own', 'a', 'stranger', 'b']
    assert.deepEqual(await world.look(), ['a4', 'b4'])
    world.clock.timeMs += 10 * ROOT_RETRY_MS
    assert.deepEqual(await world.look(), [])
    world.placement.inForce = { era: ERA + 1, root: OURS }
    assert.deepEqual(await world.look(), ['a5', 'b5'])
    assert.deepEqual(world.compared, [
      ['a', false],
      ['b', false],
      ['a', false],
      ['b', false],
    ])
    assert.deepEqual([world.lines(), world.roots.listDiffering()], [[], []])
  })

  it('another root for the same era is told of once for each node and era, until the root is ours again', async () => {
    world.connected = ['a', 'b']
    world.answers.set('b', says(OTHER))
    for (let i = 0; i < 3; i++) {
      await world.look()
      world.clock.timeMs += 10 * ROOT_RETRY_MS
    }
    assert.deepEqual(world.compared, [
      ['a', false],
      ['b', true],
    ])
    assert.deepEqual(world.lines(), [['warn', 'b', ERA, 'PROTOCOL_PLACEMENT_DIFFERS']])
    assert.deepEqual(world.roots.listDiffering(), ['b'])
    world.placement.inForce = { era: ERA + 1, root: OURS }
    await world.look()
    assert.deepEqual(world.lines(), [['warn', 'b', ERA + 1, 'PROTOCOL_PLACEMENT_DIFFERS']])
    world.placement.inForce = { era: ERA + 2, root: OURS }
    world.answers.set('b', says(OURS))
    await world.look()
    assert.deepEqual(world.compared.at(-1), ['b', false])
    assert.deepEqual(world.lines(), [['info', 'b', ERA + 2, undefined]])
    assert.deepEqual(world.roots.listDiffering(), [])
  })

  const silences: [string, () => Fetched<SaidEra>][] = [
    ['does not have the era', () => ({ status: 'notHeld' })],
    ['is busy', () => ({ status: 'busy' })],
    [
      'does not answer',
      () => {
        throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'away')
      },
    ],
  ]
  for (const [name, answer] of silences) {
    it(`limit: who ${name} is asked again after five minutes; until it tells, what it told before counts`, async () => {
      world.answers.set('a', says(OTHER))
      await world.look()
      world.placement.inForce = { era: ERA + 1, root: OURS }
      world.answers.set('a', answer)
      assert.deepEqual(await world.look(), ['a5'])
      world.clock.timeMs += ROOT_RETRY_MS - 1
      assert.deepEqual(await world.look(), [])
      world.clock.timeMs += 1
      assert.deepEqual(await world.look(), ['a5'])
      assert.deepEqual([world.compared, world.roots.listDiffering()], [[['a', true]], ['a']])
    })
  }

  it('limit: four are asked at a time, the others at the next looks', async () => {
    world.connected = ['a', 'b', 'c', 'd', 'e', 'f']
    assert.deepEqual(await world.look(), ['a4', 'b4', 'c4', 'd4'])
    assert.deepEqual(await world.look(), ['e4', 'f4'])
  })

  it('nobody is asked before the second era, nor by a table that is out of date', async () => {
    world.placement.isCurrent = false
    assert.deepEqual(await world.look(), [])
    world.placement.isCurrent = true
    world.placement.inForce = { era: 0, root: OURS }
    assert.deepEqual(await world.look(), [])
    world.placement.inForce = { era: 1, root: OURS }
    assert.deepEqual(await world.look(), ['a0'])
  })

  it('who leaves the registry is forgotten', async () => {
    world.answers.set('a', says(OTHER))
    await world.look()
    world.nodes.delete('a')
    assert.deepEqual(await world.look(), [])
    assert.deepEqual(world.roots.listDiffering(), [])
    world.nodes.add('a')
    assert.deepEqual(await world.look(), ['a4'])
  })

  it('a bug of ours ends it, and a stop ends it while somebody is asked', async () => {
    world.answers.set('a', () => {
      throw new Error('bug')
    })
    await assert.rejects(world.roots.start(), /bug/)
    const other = new World()
    let answer = (_: Fetched<SaidEra>): void => {}
    other.answers.set('a', () => new Promise((resolve) => (answer = resolve)))
    const running = other.roots.start()
    while (other.asked.length === 0) await new Promise((resolve) => setImmediate(resolve))
    const stopped = other.roots.stop()
    answer(says(OTHER)())
    await stopped
    await running
    assert.deepEqual(other.compared, [])
  })
})
