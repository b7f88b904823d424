import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  Archiver,
  type ArchiverStatus,
  type ChainRestart,
  type CpuWork,
  NodeClient,
  NodeFollower,
} from '../../archiver/index.ts'
import {
  type Clock,
  computeBlockId,
  computeGenesisBlock,
  computePeriodRoot,
  concatBytes,
  encodeBlockRecord,
  encodeBody,
  encodeHeaderContent,
  encodeOperationContent,
  formatBlockId,
  type Manifest,
  operationFromProtobuf,
  type Period,
  parseBody,
  SignedOperationCodec,
  type StoreIdentity,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { systemClock } from '../../daemon/system-clock.ts'
import { type ChainOptions, type MadeBlock, type MadeChain, makeChain, ScriptedNode } from '../../devnet/index.ts'
import { openStore, type Store } from '../../storage-worker/index.ts'
import { createLogger } from '../../telemetry/index.ts'
import { inlineCpu } from './inline-cpu.ts'

export const CHAIN_ID = 77n
/** Long ago, so that no slot of a made chain is ahead of the clock. */
export const GENESIS_MS = 1_700_000_000_000n
export const IDENTITY: StoreIdentity = {
  network: { chainId: CHAIN_ID, genesisTimestampMs: GENESIS_MS },
  chunkSizeBytes: 4096,
}
const DEADLINE_MS = 12_000

export function makeTestChain(options: Partial<ChainOptions> = {}): MadeChain {
  return makeChain({
    seed: 'hostile',
    chainId: CHAIN_ID,
    genesisTimestampMs: GENESIS_MS,
    periods: 14,
    operationsPerBlock: 1,
    endorsements: 0,
    ...options,
  })
}

export function blockOf(chain: MadeChain, period: Period, thread: number): MadeBlock {
  const block = chain.blockAt(period, thread)
  assert.ok(block, `the chain has a block at (${period}, ${thread})`)
  return block
}

export interface LogLine {
  readonly level: string
  readonly msg: string
  readonly code?: string
  readonly err?: { readonly code?: string; readonly message?: string }
  readonly [field: string]: unknown
}

export interface FollowOptions {
  readonly nodes: readonly ScriptedNode[]
  /** Where they are, or others in their place; default the addresses of `nodes`. */
  readonly urls?: readonly string[]
  readonly dataDir: string
  /** Default IDENTITY. */
  readonly identity?: StoreIdentity
  readonly executionPatienceMs?: number
  readonly restarts?: readonly ChainRestart[]
  readonly cpu?: CpuWork
  readonly timeoutMs?: number
  readonly streamSilenceMs?: number
  /** Default real time. */
  readonly clock?: Clock
}

/** Real time, but for what a test skips of it: who sleeps meanwhile is not woken. */
export class SkippingClock implements Clock {
  private skippedMs = 0
  private jumpMs = 0

  nowMs(): number {
    return systemClock.nowMs() + this.skippedMs + this.jumpMs
  }

  monotonicMs(): number {
    return systemClock.monotonicMs() + this.skippedMs
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(durationMs, signal)
  }

  skip(durationMs: number): void {
    this.skippedMs += durationMs
  }

  /** The wall clock is set forward (or back); no time passes. */
  setWall(jumpMs: number): void {
    this.jumpMs += jumpMs
  }
}

/** Followers of scripted nodes with a real archiver and a real store, and all that they say. */
export class Follow {
  readonly store: Store
  readonly archiver: Archiver
  readonly followers: readonly NodeFollower[]
  readonly lines: LogLine[]
  readonly refused: string[]
  readonly fatal: unknown[]
  private readonly nodes: readonly ScriptedNode[]
  private readonly changes: EventEmitter

  private constructor(parts: {
    store: Store
    archiver: Archiver
    followers: readonly NodeFollower[]
    nodes: readonly ScriptedNode[]
    lines: LogLine[]
    refused: string[]
    fatal: unknown[]
    changes: EventEmitter
  }) {
    this.store = parts.store
    this.archiver = parts.archiver
    this.followers = parts.followers
    this.nodes = parts.nodes
    this.lines = parts.lines
    this.refused = parts.refused
    this.fatal = parts.fatal
    this.changes = parts.changes
  }

  static async start(options: FollowOptions): Promise<Follow> {
    const lines: LogLine[] = []
    const refused: string[] = []
    const fatal: unknown[] = []
    const changes = new EventEmitter().setMaxListeners(100)
    const log = createLogger({
      level: 'debug',
      format: 'json',
      destination: {
        write(line) {
          lines.push(JSON.parse(line) as LogLine)
          changes.emit('change')
        },
      },
    }).child({ module: 'archiver' })
    const store = await openStore({
      dataDir: options.dataDir,
      identity: options.identity ?? IDENTITY,
      freeFloorBytes: 0,
      ballastBytes: 0,
    })
    const urls = options.urls ?? options.nodes.map(({ url }) => url)
    const patience =
      options.executionPatienceMs === undefined ? {} : { executionPatienceMs: options.executionPatienceMs }
    const archiver = new Archiver(
      { nodeUrls: urls, restarts: options.restarts ?? [], ...patience },
      {
        store: store.chunks,
        spool: store.spool,
        cpu: options.cpu ?? inlineCpu,
        clock: options.clock ?? systemClock,
        log,
        events: {
          onArchived: () => changes.emit('change'),
          onRefused(code) {
            refused.push(code)
            changes.emit('change')
          },
        },
      },
    )
    await archiver.start()
    const followers = urls.map((url, index) => {
      const client = new NodeClient({
        url,
        timeoutMs: options.timeoutMs ?? 5_000,
        onCall: () => setImmediate(() => changes.emit('change')),
      })
      return new NodeFollower(
        { node: index, client, pollIntervalMs: 20, streamSilenceMs: options.streamSilenceMs ?? 60_000 },
        {
          feed: archiver,
          clock: options.clock ?? systemClock,
          log,
          onFatal(error) {
            fatal.push(error)
            changes.emit('change')
          },
        },
      )
    })
    for (const follower of followers) follower.start()
    return new Follow({ store, archiver, followers, nodes: options.nodes, lines, refused, fatal, changes })
  }

  async stop(): Promise<void> {
    for (const follower of this.followers) await follower.stop()
    await this.archiver.stop()
    await this.store.close()
    // Whatever nodes did: only a wrong network may end a follower.
    for (const error of this.fatal) assert.equal((error as { code?: string }).code, 'ARCHIVER_NETWORK_MISMATCH')
  }

  get status(): ArchiverStatus {
    return this.archiver.status()
  }

  /** Resolves when `condition` holds; looked at whenever something happens. */
  async when(what: string, condition: () => boolean | Promise<boolean>, deadlineMs = DEADLINE_MS): Promise<void> {
    const signal = AbortSignal.timeout(deadlineMs)
    while (!(await condition())) {
      const changed = await new Promise<boolean>((resolve) => {
        const done = (isChange: boolean) => {
          this.changes.off('change', onChange)
          signal.removeEventListener('abort', onAbort)
          resolve(isChange)
        }
        const onChange = () => done(true)
        const onAbort = () => done(false)
        this.changes.once('change', onChange)
        signal.addEventListener('abort', onAbort, { once: true })
        if (signal.aborted) done(false)
      })
      if (!changed) assert.fail(`not within ${deadlineMs} ms: ${what}\n${this.tail()}`)
    }
  }

  whenArchived(period: Period): Promise<void> {
    return this.when(
      `period ${period} archived`,
      async () => ((await this.store.chunks.readRange())?.last ?? -1) >= period,
    )
  }

  /** All periods up to here. */
  whenAllArchived(last: Period, deadlineMs = DEADLINE_MS): Promise<void> {
    const areAll = async () => {
      let count = 0
      for await (const { period } of this.store.chunks.listSummaries({ from: 0, to: last })) if (period <= last) count++
      return count === last + 1
    }
    return this.when(`periods 0 to ${last} archived`, areAll, deadlineMs)
  }

  /** A line or an error in one carries this code. */
  whenSaid(code: string): Promise<void> {
    return this.when(`${code} said`, () => this.countSaid(code) > 0)
  }

  whenRefused(code: string): Promise<void> {
    return this.when(`${code} refused`, () => this.refused.includes(code))
  }

  countSaid(code: string): number {
    return this.lines.filter((line) => line.code === code || line.err?.code === code).length
  }

  async whenStreaming(): Promise<void> {
    for (const node of this.nodes) {
      await node.whenCalled('NewFilledBlocksServer')
      await node.whenCalled('NewSlotExecutionOutputsServer')
    }
  }

  /** Each node was polled `times` more: what could happen by what it shows now has happened. */
  async whenPolled(times = 4): Promise<void> {
    const wanted = this.nodes.map((node) => node.countOf('GetStatus') + times)
    await this.when(`${times} polls`, () =>
      this.nodes.every((node, i) => node.countOf('GetStatus') >= (wanted[i] ?? 0)),
    )
  }

  async range(): Promise<{ first: Period; last: Period } | undefined> {
    return this.store.chunks.readRange()
  }

  async readBody(period: Period): Promise<Uint8Array | undefined> {
    const manifest = await this.store.chunks.readManifest(period)
    return manifest && readBodyOf(this.store, manifest)
  }

  /** Ids of the archived blocks of a period, by thread. */
  async archivedIds(period: Period): Promise<(string | undefined)[]> {
    const body = await this.readBody(period)
    assert.ok(body, `period ${period} is archived`)
    return parseBody(body).slots.map((slot) => (slot.kind === 'block' ? formatBlockId(slot.record.id) : undefined))
  }

  async archivedKinds(period: Period): Promise<string[]> {
    const body = await this.readBody(period)
    assert.ok(body, `period ${period} is archived`)
    return parseBody(body).slots.map((slot) => slot.kind)
  }

  /** Every archived period is, byte for byte, what the chain says: all up to `last` are there, `without` apart. */
  async assertHonest(chain: MadeChain, last: Period, without: readonly Period[] = []): Promise<void> {
    const all = Array.from({ length: last + 1 }, (_, period) => period)
    const visible: Period[] = []
    for await (const { period, root } of this.store.chunks.listSummaries({ from: 0, to: Number.MAX_SAFE_INTEGER })) {
      visible.push(period)
      const manifest = await this.store.chunks.readManifest(period)
      assert.ok(manifest)
      const body = toHex(await readBodyOf(this.store, manifest))
      assert.equal(body, expectedBody(chain, period), `BODY of period ${period}`)
      assert.equal(toHex(root), toHex(computePeriodRoot(manifest)), `root of period ${period}`)
    }
    const wanted = all.filter((period) => !without.includes(period))
    assert.deepEqual(visible, wanted, this.tail())
  }

  tail(): string {
    const { gaps, conflict, halted, quarantinedBlocks } = this.status
    const lines = this.lines
      .filter((line, i) => line.code !== 'ARCHIVER_PARENT_LINK_BROKEN' || i > this.lines.length - 3)
      .slice(-15)
      .map((line) => JSON.stringify(line).slice(0, 400))
    return [JSON.stringify({ gaps, conflict, halted, quarantinedBlocks }), ...lines].join('\n')
  }
}

const expectedBodies = new WeakMap<MadeChain, Map<Period, string>>()

function expectedBody(chain: MadeChain, period: Period): string {
  const known = expectedBodies.get(chain) ?? new Map<Period, string>()
  expectedBodies.set(chain, known)
  const body = known.get(period) ?? toHex(computeBody(chain, period))
  known.set(period, body)
  return body
}

/** BODY of a period of a made chain, from the blocks themselves and not from any message. */
export function computeBody(chain: MadeChain, period: Period): Uint8Array {
  const slots = Array.from({ length: THREAD_COUNT }, (_, thread) => {
    const block = period === 0 ? undefined : chain.blockAt(period, thread)
    if (period === 0) return { kind: 'block' as const, record: encodeGenesisRecord({ period, thread }) }
    return block ? { kind: 'block' as const, record: encodeRecord(block) } : { kind: 'miss' as const }
  })
  return encodeBody(IDENTITY.network, period, slots)
}

export function encodeRecord({ producer, header, operations }: MadeBlock): Uint8Array {
  return encodeBlockRecord({
    publicKey: producer.publicKey,
    headerContent: encodeHeaderContent(header),
    operationIds: operations.map((operation) => operation.id),
    operations: operations.map(({ id, message }) => {
      const { publicKey, content } = operationFromProtobuf(SignedOperationCodec.decode(message))
      return { id, publicKey, content: encodeOperationContent(content), reproducible: true }
    }),
  })
}

export function encodeGenesisRecord(slot: { period: Period; thread: number }): Uint8Array {
  const { publicKey, content, id } = computeGenesisBlock(slot)
  assert.equal(toHex(computeBlockId(publicKey, content)), toHex(id))
  return encodeBlockRecord({ publicKey, headerContent: content, operationIds: [], operations: [] })
}

async function readBodyOf(store: Store, manifest: Manifest): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for (const index of manifest.chunks.keys()) {
    const chunk = await store.chunks.readChunk(manifest.period, index)
    assert.ok(chunk)
    chunks.push(chunk)
  }
  return concatBytes(...chunks)
}

/** Nodes, folders and followers of one test, all gone after it. */
export class Stage {
  private readonly undo: (() => Promise<void>)[] = []

  /** A node that remembers everything, at period `final`. */
  async node(
    chain: MadeChain,
    final: Period,
    options: { broadcast?: boolean; finalitySlots?: number } = {},
  ): Promise<ScriptedNode> {
    const node = new ScriptedNode({ chain, broadcast: false, ...options })
    node.state.keepFinalPeriods = Number.POSITIVE_INFINITY
    await node.start()
    this.undo.push(() => node.stop())
    node.advanceTo({ period: final, thread: 31 })
    return node
  }

  async folder(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'massa-storage-hostile-'))
    this.undo.push(() => rm(folder, { recursive: true, force: true }))
    return folder
  }

  async follow(nodes: readonly ScriptedNode[], options: Partial<FollowOptions> = {}): Promise<Follow> {
    const follow = await Follow.start({ nodes, dataDir: options.dataDir ?? (await this.folder()), ...options })
    let stopped: Promise<void> | undefined
    const stop = follow.stop.bind(follow)
    follow.stop = () => {
      stopped ??= stop()
      return stopped
    }
    this.undo.push(() => follow.stop())
    return follow
  }

  async clean(): Promise<void> {
    for (const undo of this.undo.splice(0).reverse()) await undo()
  }
}
