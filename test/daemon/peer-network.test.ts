import assert from 'node:assert/strict'
import { computeAddress, computePublicKey, concatBytes, formatAddress, toHex } from '../../core/index.ts'
import { type Daemon, startDaemon } from '../../daemon/index.ts'
import type { PeersReport } from '../../daemon/peers-report.ts'
import { createLogger } from '../../telemetry/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { daemonConfigOf, MET_FLAGS } from './daemon-config.ts'

const identity = { network: TEST_IDENTITY.network, chunkSizeBytes: 1_048_576 }
const DEADLINE_MS = 30_000

describe('daemon/peer-network', () => {
  const folders = new TempFolders()
  const daemons: Daemon[] = []
  const dataDirs: string[] = []
  const lines: string[] = []
  const log = createLogger({ level: 'debug', format: 'json', destination: { write: (text) => lines.push(text) } })

  after(async () => {
    for (const daemon of daemons.reverse()) await daemon.stop()
    await folders.clean()
  })

  async function start(options: {
    readonly bootstrap?: string | undefined
    readonly seed?: Uint8Array
    readonly periods?: number
    readonly dataDir?: string
  }) {
    const dataDir = options.dataDir ?? (await folders.make())
    const { bootstrap, seed, periods = 0 } = options
    if (periods > 0) {
      const store = await openTestStore(dataDir, { identity })
      for (let period = 0; period < periods; period++) {
        await store.chunks.writePeriod(makePeriod(period, { identity, blocks: 1, operations: 0 }))
      }
      await store.close()
    }
    const flags = bootstrap === undefined ? MET_FLAGS : { ...MET_FLAGS, 'p2p.bootstrap': bootstrap }
    const config = daemonConfigOf(dataDir, identity.network, flags)
    const daemon = await startDaemon(config, log, seed === undefined ? {} : { massaSeed: seed })
    daemons.push(daemon)
    dataDirs.push(dataDir)
    return daemon
  }

  async function reportOf(daemon: Daemon): Promise<PeersReport> {
    return (await (await fetch(`${daemon.apiUrl}/v1/peers`)).json()) as PeersReport
  }

  async function post(daemon: Daemon, path: string, body: unknown) {
    const answer = await fetch(`${daemon.apiUrl}/v1/peers/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    return { status: answer.status, value: (await answer.json()) as Record<string, unknown> }
  }

  /** Looked at until it holds. */
  async function until(daemon: Daemon, holds: (report: PeersReport) => boolean): Promise<PeersReport> {
    const deadline = Date.now() + DEADLINE_MS
    for (;;) {
      const report = await reportOf(daemon)
      if (holds(report)) return report
      if (Date.now() > deadline) assert.fail(`${JSON.stringify(report)}\n${lines.slice(-20).join('')}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it('sidecars that know one of them meet all, and learn for which address each speaks and what it keeps', async function () {
    this.timeout(60_000)
    const first = await start({ periods: 3 })
    const address = (await reportOf(first)).own.listen[0]
    assert.ok(address?.startsWith('/ip4/127.0.0.1/tcp/'))
    const seed = new Uint8Array(32).fill(7)
    const second = await start({ bootstrap: address, seed })
    const third = await start({ bootstrap: address })
    for (const daemon of [first, second, third]) {
      await until(daemon, ({ peers }) => peers.length === 2 && peers.every((peer) => peer.connected && peer.address))
    }
    const seen = await reportOf(third)
    const [one, two] = await Promise.all([reportOf(first), reportOf(second)])
    assert.deepEqual(seen.peers.map(({ peer }) => peer).sort(), [one.own.peer, two.own.peer].sort())
    const ofFirst = seen.peers.find(({ peer }) => peer === one.own.peer)
    assert.deepEqual(
      [ofFirst?.firstPeriod, ofFirst?.endPeriod, ofFirst?.storedChunks, ofFirst?.retentionPeriods, ofFirst?.listen],
      [0, 3, 3, 0, [address]],
    )
    const ofSecond = seen.peers.find(({ peer }) => peer === two.own.peer)
    assert.equal(
      ofSecond?.address,
      formatAddress(computeAddress(computePublicKey(concatBytes(Uint8Array.of(0), seed)))),
    )
    assert.deepEqual([ofSecond?.firstPeriod, ofSecond?.endPeriod, ofSecond?.storedChunks], [0, 0, 0])
  })

  it('each tells which of them shows a chunk, asked over their streams', async function () {
    this.timeout(60_000)
    const [first, second, third] = daemons
    assert.ok(first && second && third)
    const addresses = await Promise.all(
      [first, second, third].map(async (daemon) => (await reportOf(daemon)).own.address),
    )
    const ask = async (daemon: Daemon, request: object) => {
      const answer = await fetch(`${daemon.apiUrl}/v1/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(request),
      })
      return JSON.parse((await answer.text()).trim().split('\n').at(-1) ?? '') as {
        readonly result?: {
          readonly nodes: readonly { readonly address: string; readonly result: string; readonly isOwn: boolean }[]
        }
        readonly error?: { readonly code: string }
      }
    }
    const { chunkId = new Uint8Array() } =
      makePeriod(1, { identity, blocks: 1, operations: 0 }).manifest.chunks[0] ?? {}
    for (const daemon of [first, second]) {
      const { result } = await ask(daemon, { kind: 'locate-chunk', idHex: toHex(chunkId) })
      const shown = new Map(result?.nodes.map((node) => [node.address, node.result]))
      assert.deepEqual(
        addresses.map((address) => shown.get(address)),
        ['shown', 'notHeld', 'notHeld'],
      )
      assert.equal(result?.nodes.find(({ isOwn }) => isOwn)?.address, daemon === first ? addresses[0] : addresses[1])
    }
    const { error } = await ask(first, { kind: 'cluster-check' })
    assert.equal(error?.code, 'PLACEMENT_NOT_IN_FORCE')
  })

  it('a banned peer is cut off and stays away until it is taken back', async function () {
    this.timeout(60_000)
    const [first, second] = daemons
    assert.ok(first && second)
    const { peer } = (await reportOf(second)).own
    const { value } = await post(first, 'ban', { peer, durationMs: 3_600_000 })
    assert.equal(value.peer, peer)
    const banned = await until(first, ({ peers }) => peers.every((row) => row.peer !== peer || !row.connected))
    assert.deepEqual(
      banned.bans.map((ban) => [ban.peer, ban.reason]),
      [[peer, 'operator']],
    )
    assert.deepEqual((await post(first, 'unban', { peer })).value, { peer, wasBanned: true })
    assert.deepEqual((await post(first, 'unban', { peer })).value, { peer, wasBanned: false })
    await until(first, ({ peers }) => peers.some((row) => row.peer === peer && row.connected))
  })

  it('a ban of the operator is in force after a restart', async function () {
    this.timeout(60_000)
    const [, second, third] = daemons
    const dataDir = dataDirs[2]
    assert.ok(second && third && dataDir)
    const { peer } = (await reportOf(second)).own
    const { value } = await post(third, 'ban', { peer, durationMs: 3_600_000 })
    await third.stop()
    const again = await start({ dataDir })
    assert.deepEqual(
      (await reportOf(again)).bans.map((ban) => [
        ban.peer,
        ban.reason,
        Math.abs(Number(ban.untilMs) - Number(value.untilMs)) < 1_000,
      ]),
      [[peer, 'operator', true]],
    )
    assert.deepEqual((await post(again, 'unban', { peer })).value, { peer, wasBanned: true })
  })

  it('error: what is no PeerId, no time, or too much of either', async () => {
    const [first] = daemons
    assert.ok(first)
    const { peer } = (await reportOf(first)).own
    for (const body of [
      {},
      { peer },
      { peer, durationMs: 999 },
      { peer, durationMs: 31_536_000_001 },
      { peer, durationMs: 1_000.5 },
      { peer: '1'.repeat(129), durationMs: 1_000 },
      { peer, durationMs: 1_000, more: 1 },
      'text',
    ]) {
      const { status, value } = await post(first, 'ban', body)
      assert.equal(status, 400, JSON.stringify(body))
      assert.equal((value.error as { code: string }).code, 'API_QUERY_INVALID', JSON.stringify(body))
    }
    for (const [named, said] of [
      ['x', "'x' is no PeerId"],
      [peer, 'that is the PeerId of this sidecar itself'],
    ]) {
      const { status, value } = await post(first, 'ban', { peer: named, durationMs: 1_000 })
      assert.equal(status, 400)
      const { code, message } = value.error as { code: string; message: string }
      assert.deepEqual([code, message], ['API_PEER_INVALID', said])
    }
  })
})
