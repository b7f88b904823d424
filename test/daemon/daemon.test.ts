import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { isDeepStrictEqual } from 'node:util'
import { CHUNK_SIZE_BYTES, isArchiveError, THREAD_COUNT } from '../../core/index.ts'
import { startDaemon } from '../../daemon/index.ts'
import { makeChain, ScriptedNode } from '../../devnet/index.ts'
import type { VerifyReport } from '../../storage-worker/index.ts'
import { encodeBodyKey, SEALS } from '../../storage-worker/keyspace.ts'
import { createLogger } from '../../telemetry/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { daemonConfigOf } from './daemon-config.ts'

const { network } = TEST_IDENTITY
/** As every sidecar has it. */
const identity = { network, chunkSizeBytes: CHUNK_SIZE_BYTES }
const DEADLINE_MS = 40_000

type Line = Readonly<Record<string, unknown>>

/** A log, and the promise of its next line with a message. */
function listen() {
  const said = new EventEmitter()
  const log = createLogger({
    level: 'debug',
    format: 'json',
    destination: { write: (text) => said.emit('line', JSON.parse(text)) },
  })
  const whenSaid = (msg: string, isIt: (line: Line) => boolean = () => true) =>
    new Promise<Line>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`'${msg}' was not said`)), DEADLINE_MS)
      said.on('line', (line: Line) => {
        if (line.msg !== msg || !isIt(line)) return
        clearTimeout(timer)
        resolve(line)
      })
    })
  return { log, whenSaid }
}

describe('daemon/daemon', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  async function makeArchive(periods: number): Promise<string> {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir, { identity })
    for (let period = 0; period < periods; period++) {
      await store.chunks.writePeriod(makePeriod(period, { identity, blocks: 1, operations: 0 }))
    }
    await store.close()
    return dataDir
  }

  it('prunes at its start what retention no longer keeps, although nothing can be archived', async () => {
    const dataDir = await makeArchive(64)
    const { log, whenSaid } = listen()
    const pruned = whenSaid('periods pruned')
    const daemon = await startDaemon(daemonConfigOf(dataDir, network, { retention_periods: 16 }), log)
    try {
      const { firstPeriod, lastPeriod } = await pruned
      assert.deepEqual([firstPeriod, lastPeriod], [0, 31])
    } finally {
      await daemon.stop()
    }
    const after = await openTestStore(dataDir, { identity })
    assert.deepEqual(await after.chunks.readRange(), { first: 32, last: 63 })
    await after.close()
  })

  it('limit: a retention_periods that nobody has set deletes two steps at a start, and of more nothing', async () => {
    const retentionAdvice = 'set it'
    for (const [periods, isRefused] of [
      [64, false],
      [80, true],
    ] as const) {
      const dataDir = await makeArchive(periods)
      const { log, whenSaid } = listen()
      const pruned = isRefused ? undefined : whenSaid('periods pruned')
      const starting = startDaemon(daemonConfigOf(dataDir, network, { retention_periods: 16 }), log, {
        retentionAdvice,
      })
      if (isRefused) await assert.rejects(starting, (error) => isArchiveError(error, 'CONFIG_RETENTION_UNSET'))
      else {
        const daemon = await starting
        await pruned
        await daemon.stop()
      }
      const after = await openTestStore(dataDir, { identity })
      assert.deepEqual(await after.chunks.readRange(), { first: isRefused ? 0 : 32, last: periods - 1 })
      await after.close()
    }
  })

  it('answers history in the JSON-RPC of a node where it has its API', async () => {
    const daemon = await startDaemon(daemonConfigOf(await makeArchive(3), network, {}), listen().log)
    try {
      const ask = async (method: string, params: unknown) => {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
        return ((await (await fetch(daemon.apiUrl, { method: 'POST', headers, body })).json()) as { result: unknown })
          .result
      }
      const status = (await ask('get_status', [])) as { node_id: string; execution_stats: { final_cursor: object } }
      assert.deepEqual(status.execution_stats.final_cursor, { period: 2, thread: THREAD_COUNT - 1 })
      assert.match(status.node_id, /^N1/)
      const block = (await ask('get_blockclique_block_by_slot', [{ period: 1, thread: 0 }])) as {
        header: { id: string }
      }
      assert.match(block.header.id, /^B1/)
      assert.equal(await ask('get_blockclique_block_by_slot', [{ period: 1, thread: 1 }]), null)
    } finally {
      await daemon.stop()
    }
  })

  it('counts what a verification and what a read find damaged, each for itself', async () => {
    const dataDir = await folders.make()
    const before = await openTestStore(dataDir, { identity })
    for (let period = 0; period < 3; period++) {
      await before.chunks.writePeriod(makePeriod(period, { identity, blocks: 1, operations: 0 }))
    }
    const { bodies } = before.chunks
    for (const key of [encodeBodyKey(1, 0), encodeBodyKey(1, SEALS)]) {
      const sealed = Uint8Array.from((await bodies.get(key)) ?? [])
      sealed[0] = (sealed[0] ?? 0) ^ 1
      await bodies.write([{ type: 'put', key, value: sealed }], { sync: true })
    }
    await before.close()
    const flags = { 'metrics.enabled': true, 'metrics.bind': '127.0.0.1:0' }
    const daemon = await startDaemon(daemonConfigOf(dataDir, network, flags), listen().log)
    try {
      const countOf = async (name: string, reason: string): Promise<number> => {
        const text = await (await fetch(`${daemon.metricsUrl}/metrics`)).text()
        return readSample(text, `massa_storage_${name}{reason="${reason}"}`) ?? Number.NaN
      }
      const ask = async (query: object): Promise<unknown> => {
        const headers = { 'content-type': 'application/json' }
        const body = JSON.stringify(query)
        const text = await (await fetch(`${daemon.apiUrl}/v1/query`, { method: 'POST', headers, body })).text()
        return JSON.parse(text.trim().split('\n').at(-1) ?? '')
      }
      assert.equal(await countOf('damaged_values_total', 'verify'), 0)
      const { result } = (await ask({ kind: 'verify', deep: false, repair: false })) as { result: VerifyReport }
      assert.equal(result.damages.length, 2)
      assert.equal(await countOf('damaged_values_total', 'verify'), 2)
      assert.equal(await countOf('checked_bytes_total', 'verify'), result.bytes)
      // The newest periods are read at a start, too.
      const [damaged, bytes] = [
        await countOf('damaged_values_total', 'read'),
        await countOf('checked_bytes_total', 'read'),
      ]
      await ask({ kind: 'inspect-period', period: 1 })
      assert.ok((await countOf('damaged_values_total', 'read')) > damaged)
      assert.ok((await countOf('checked_bytes_total', 'read')) > bytes)
      assert.equal(await countOf('damaged_values_total', 'verify'), 2)
    } finally {
      await daemon.stop()
    }
  })

  it('shows in its metrics what it archives, from its first period on', async () => {
    const chain = makeChain({ seed: 'metrics', ...network, periods: 6, missRate: 0.2, operationsPerBlock: 2 })
    const node = new ScriptedNode({ chain, finalitySlots: 32 })
    await node.start()
    node.advanceTo({ period: 4, thread: 31 })
    const { log, whenSaid } = listen()
    const archived = whenSaid('archived period', (line) => line.period === 3)
    const flags = { 'node.grpc_urls': node.url, 'metrics.enabled': true, 'metrics.bind': '127.0.0.1:0' }
    const daemon = await startDaemon(daemonConfigOf(await folders.make(), network, flags), log)
    try {
      await archived
      const blocks = [...chain.blocks.values()].filter(({ slot }) => slot.period >= 1 && slot.period <= 3)
      // With the genesis blocks.
      const wanted = {
        archived_period: 3,
        archived_periods_total: 4,
        archived_blocks_total: blocks.length + THREAD_COUNT,
        archived_operations_total: blocks.length * 2,
        quota_bytes: 10_000_000_000,
      }
      const deadlineMs = performance.now() + DEADLINE_MS
      // Told right after the line.
      for (;;) {
        const text = await (await fetch(`${daemon.metricsUrl}/metrics`)).text()
        const shown = Object.fromEntries(
          Object.keys(wanted).map((name) => [name, readSample(text, `massa_storage_${name}`)]),
        )
        if (performance.now() < deadlineMs && !isDeepStrictEqual(shown, wanted)) continue
        assert.deepEqual(shown, wanted)
        assert.ok((readSample(text, 'massa_storage_archived_body_bytes_total') ?? 0) > 10_000)
        break
      }
    } finally {
      await daemon.stop()
      await node.stop()
    }
  })
})

function readSample(text: string, name: string): number | undefined {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `))
  return line === undefined ? undefined : Number(line.slice(name.length))
}
