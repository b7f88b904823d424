import assert from 'node:assert/strict'
import { ArchiveError, formatAddress, parseAddress } from '../../../core/index.ts'
import {
  MAX_HINTED_CHUNKS,
  MAX_TOLD_SUSPICIONS,
  suspicionRequestCodec,
  suspicionResponseCodec,
  type ToldSuspicion,
} from '../../../protocol-handler/index.ts'
import { SuspicionHints, type SuspicionHintsModules } from '../../../storage-worker/challenge/suspicion-hints.ts'
import { createSuspicionService } from '../../../storage-worker/peers/suspicion-service.ts'
import { Auditor } from '../../../storage-worker/replication/auditor.ts'
import type { Suspicion } from '../../../storage-worker/replication/suspicions.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { drawWholes, MadePeriods, MadeTable, registered } from '../replication/audited-nodes.ts'

const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const LOG = createLogger({ level: 'warn', format: 'json', destination: { write: () => true } })

/** 34 bytes of the node of a number. */
function nodeOf(number: number): Uint8Array {
  const node = new Uint8Array(34)
  new DataView(node.buffer).setUint32(30, number)
  return node
}

function addressOf(number: number): string {
  return formatAddress(nodeOf(number))
}

const peerOf = (number: number) => ({ address: addressOf(number), peer: `peer ${number}` })

describe('storage-worker/challenge/suspicion-hints', () => {
  /** Of many peers; every chunk may be asked for. */
  function open(change: Partial<SuspicionHintsModules> = {}) {
    const clock = new SetClock()
    const world = {
      isChallenger: true,
      peers: [peerOf(1)],
      tells: (_peer: string): readonly ToldSuspicion[] => [],
      asked: [] as string[],
      /** Node, period and index. */
      audited: [] as string[],
    }
    const hints = new SuspicionHints({
      readIsChallenger: async () => world.isChallenger,
      listPeers: () => world.peers,
      client: {
        fetchSuspicions: async (peer) => {
          world.asked.push(peer)
          return { status: 'ok', value: world.tells(peer) }
        },
      },
      auditor: {
        findTold: async ({ address, period, index }) => {
          const chunk = { period, index, chunkId: new Uint8Array(32), byteLength: 1, hashSlot: 0 }
          return { target: { address, peer: address }, chunk }
        },
        audit: async ({ address }, { period, index }) => {
          world.audited.push(`${address} ${period} ${index}`)
          return 'shown'
        },
      },
      clock,
      random: drawWholes(SEED),
      log: LOG,
      ...change,
    })
    const pass = async (durationMs: number, stepMs = 1_000): Promise<void> => {
      for (let passed = 0; passed < durationMs; passed += stepMs) {
        clock.timeMs += stepMs
        await hints.look()
      }
    }
    return { world, hints, clock, pass }
  }

  it('who may not challenge asks nobody; a minute after the registry lets it, it does', async () => {
    const { world, pass } = open()
    world.isChallenger = false
    await pass(HOUR_MS, 10_000)
    assert.deepEqual(world.asked, [])
    world.isChallenger = true
    await pass(4 * MINUTE_MS)
    assert.ok(world.asked.length > 0)
  })

  it('asks each peer once in two minutes, and has a chunk audited that it tells of', async () => {
    const { world, pass } = open()
    world.peers = [1, 2, 3].map(peerOf)
    world.tells = (peer) => (peer === 'peer 2' ? [{ node: nodeOf(9), period: 5, index: 1 }] : [])
    await pass(HOUR_MS, 5_000)
    for (const { peer } of world.peers) {
      const times = world.asked.filter((asked) => asked === peer).length
      assert.ok(times >= 20 && times <= 60, `${times}`)
    }
    assert.deepEqual(world.audited, [`${addressOf(9)} 5 1`])
  })

  it('a chunk that was asked for is asked for again after an hour, whoever tells of it', async () => {
    const { world, pass } = open()
    world.peers = [1, 2, 3].map(peerOf)
    world.tells = () => [{ node: nodeOf(9), period: 5, index: 1 }]
    await pass(HOUR_MS, 5_000)
    assert.equal(world.audited.length, 1)
    await pass(5 * MINUTE_MS)
    assert.equal(world.audited.length, 2)
  })

  it('hostile: a peer that makes up chunks without end has one audited each time, once in two minutes', async () => {
    const { world, pass } = open()
    let made = 0
    world.tells = () => Array.from({ length: 8 }, (_, node) => ({ node: nodeOf(node), period: ++made, index: 0 }))
    await pass(12 * HOUR_MS, 10_000)
    assert.equal(world.audited.length, world.asked.length)
    assert.ok(world.audited.length > 300 && world.audited.length < 420, `${world.audited.length}`)
  })

  it('hostile: twenty peers against one node have it asked once in a minute, and an honest one is heard among them', async () => {
    const { world, pass } = open()
    world.peers = Array.from({ length: 21 }, (_, i) => peerOf(i))
    let made = 100
    world.tells = (peer) => [{ node: nodeOf(99), period: peer === 'peer 0' ? 7 : ++made, index: 0 }]
    await pass(3 * HOUR_MS, 5_000)
    assert.ok(world.audited.length <= 180, `${world.audited.length}`)
    assert.ok(world.audited.includes(`${addressOf(99)} 7 0`))
  })

  it('hostile: who comes and goes is asked no sooner', async () => {
    const { world, pass } = open()
    for (let i = 0; i < 60; i++) {
      world.peers = i % 2 === 0 ? [] : [peerOf(1)]
      await pass(50_000, 10_000)
    }
    assert.deepEqual(world.asked, [])
  })

  it('error: one that gives no answer keeps no other from being heard', async () => {
    const heard: string[] = []
    const { world, pass } = open({
      client: {
        fetchSuspicions: async (peer) => {
          heard.push(peer)
          if (peer === 'peer 1') throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'made')
          return { status: 'ok', value: [{ node: nodeOf(9), period: heard.length, index: 0 }] }
        },
      },
    })
    world.peers = [1, 2].map(peerOf)
    await pass(10 * MINUTE_MS)
    assert.ok(heard.filter((peer) => peer === 'peer 1').length > 2)
    assert.ok(world.audited.length > 2)
  })

  it('limit: 4,096 chunks that were asked for are remembered, with one more the oldest may be asked for again', async () => {
    const { world, pass } = open({ random: () => 0 })
    const tellFrom = async (from: number, to: number) => {
      world.peers = Array.from({ length: to - from }, (_, i) => PEERS[from + i] ?? assert.fail())
      // They wait for their first turn; those of another time wait anew.
      await pass(2 * MINUTE_MS, MINUTE_MS)
      return world.audited.splice(0).length
    }
    const PEERS = Array.from({ length: MAX_HINTED_CHUNKS + 1 }, (_, i) => ({ address: '', peer: `${i}` }))
    world.tells = (peer) => [{ node: nodeOf(Number(peer)), period: 1, index: 0 }]
    assert.equal(await tellFrom(0, MAX_HINTED_CHUNKS), MAX_HINTED_CHUNKS)
    assert.equal(await tellFrom(0, 1), 0)
    assert.equal(await tellFrom(MAX_HINTED_CHUNKS, MAX_HINTED_CHUNKS + 1), 1)
    assert.equal(await tellFrom(1, 2), 0)
    assert.equal(await tellFrom(0, 1), 1)
  })
})

describe('storage-worker/challenge/suspicion-hints: with the auditor', () => {
  const [NODE, LIAR] = [peerOf(1), peerOf(2)]
  const LAST = 40

  function open(told: ToldSuspicion, isHolder = true) {
    const clock = new SetClock()
    const store = new MadePeriods()
    for (let period = 1; period <= LAST; period++) store.put(period, [2_000])
    const missing = new Set<string>()
    let asked = 0
    const table = new MadeTable(
      [NODE, LIAR].map(({ address }) => registered(address)),
      () => isHolder,
    )
    // No audits of its own but one at the end of the day.
    const random = (maxExclusive: number) => maxExclusive - 1
    const auditor = new Auditor(
      { auditsPerDay: 1 },
      {
        client: {
          audit: async (_peer, chunkId) => {
            asked++
            return missing.has(`${chunkId}`) ? { status: 'notHeld' } : { status: 'ok', value: true }
          },
        },
        placement: { inForce: table, isCurrent: true },
        store,
        listPeers: () => [NODE, LIAR],
        clock,
        random,
        log: LOG,
        onResult: () => undefined,
        onFailure: (error) => assert.fail(String(error)),
      },
    )
    const hints = new SuspicionHints({
      readIsChallenger: async () => true,
      listPeers: () => [LIAR],
      client: { fetchSuspicions: async () => ({ status: 'ok', value: [told] }) },
      auditor,
      clock,
      random: drawWholes(SEED),
      log: LOG,
    })
    const pass = async (durationMs: number): Promise<void> => {
      for (let passed = 0; passed < durationMs; passed += 10_000) {
        clock.timeMs += 10_000
        await hints.look()
        await auditor.look()
      }
    }
    const lose = async (period: number) => missing.add(`${(await store.readManifest(period))?.chunks[0]?.chunkId}`)
    return { auditor, pass, lose, asked: () => asked }
  }

  const TOLD = { node: parseAddress(NODE.address), period: 7, index: 0 }

  it('what is missing is suspected by its own second look, ten minutes after the first', async () => {
    const { auditor, pass, lose, asked } = open(TOLD)
    await lose(7)
    await pass(9 * MINUTE_MS)
    assert.deepEqual([asked(), auditor.listSuspicions()], [1, []])
    await pass(5 * MINUTE_MS)
    const [{ address, period, index } = assert.fail()] = auditor.listSuspicions()
    assert.deepEqual([address, period, index, asked()], [NODE.address, 7, 0, 2])
  })

  it('hostile: what this node itself did not get shown is asked for no sooner because of a hint', async () => {
    const { auditor, pass, lose, asked } = open(TOLD)
    await lose(7)
    const found = await auditor.findTold({ address: NODE.address, period: 7, index: 0 })
    await auditor.audit(NODE, found?.chunk ?? assert.fail())
    await pass(9 * MINUTE_MS)
    assert.deepEqual([asked(), auditor.listSuspicions()], [1, []])
  })

  it('what the node need not have is not asked for', async () => {
    const { pass, asked } = open(TOLD, false)
    await pass(HOUR_MS)
    assert.equal(asked(), 0)
  })

  it('hostile: a lie costs one audit in an hour, and makes nobody suspected', async () => {
    const { auditor, pass, asked } = open(TOLD)
    await pass(3 * HOUR_MS)
    assert.deepEqual([asked(), auditor.listSuspicions()], [3, []])
  })

  const NOTHING: [string, ToldSuspicion][] = [
    ['a node that is not connected', { ...TOLD, node: nodeOf(3) }],
    ['a period that is too young', { ...TOLD, period: LAST - 15 }],
    ['a period that is not there', { ...TOLD, period: 1_000 }],
    ['a chunk that its period has not', { ...TOLD, index: 1 }],
  ]
  for (const [what, told] of NOTHING) {
    it(`${what} is not asked for`, async () => {
      const { pass, asked } = open(told)
      await pass(HOUR_MS)
      assert.equal(asked(), 0)
    })
  }
})

describe('storage-worker/peers/suspicion-service', () => {
  async function ask(suspicions: readonly Suspicion[], seed = SEED): Promise<readonly ToldSuspicion[]> {
    const service = createSuspicionService({ listSuspicions: () => suspicions, random: drawWholes(seed) })
    const [frame] = await service.answer(suspicionRequestCodec.decode(Uint8Array.of(1)), 'peer')
    const answer = suspicionResponseCodec.decode(frame ?? assert.fail())
    return answer.status === 'ok' ? answer.suspicions : assert.fail(answer.status)
  }

  const suspect = (node: number, period: number): Suspicion => {
    return { address: addressOf(node), period, index: 0, sinceMs: 0, kind: 'failed' }
  }

  it('tells of each node one chunk, another one each time', async () => {
    const all = [suspect(2, 1), suspect(2, 2), suspect(1, 3), suspect(2, 4)]
    const told = await Promise.all(Array.from({ length: 20 }, (_, i) => ask(all, i)))
    for (const one of told)
      assert.deepEqual(
        one.map(({ node }) => node),
        [nodeOf(1), nodeOf(2)],
      )
    assert.deepEqual(new Set(told.map(([, ofSecond]) => ofSecond?.period)), new Set([1, 2, 4]))
    assert.deepEqual(await ask([]), [])
  })

  it('limit: of more than 64 nodes it tells by turns', async () => {
    const all = Array.from({ length: MAX_TOLD_SUSPICIONS + 1 }, (_, i) => suspect(i, 1))
    assert.equal((await ask(all.slice(1))).length, MAX_TOLD_SUSPICIONS)
    const told = await Promise.all(Array.from({ length: 5 }, (_, i) => ask(all, i)))
    assert.deepEqual(new Set(told.map(({ length }) => length)), new Set([MAX_TOLD_SUSPICIONS]))
    assert.equal(new Set(told.flat().map(({ node }) => formatAddress(node))).size, all.length)
  })
})
