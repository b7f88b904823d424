import assert from 'node:assert/strict'
import { ArchiveError, ERA_PERIODS, type RegisteredNode } from '../../../core/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { PeerClient, type Requester } from '../../../storage-worker/peers/peer-client.ts'
import { Auditor } from '../../../storage-worker/replication/auditor.ts'
import { SafePrune, type SafePruneModules } from '../../../storage-worker/replication/safe-prune.ts'
import { hasShownSeals } from '../../../storage-worker/replication/seals-evidence.ts'
import { WithheldChunks } from '../../../storage-worker/replication/withheld-chunks.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { inlineCpu } from '../../archiver/inline-cpu.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { makePeriod, TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'
import { drawWholes, MadeNodes, openMemoryStore, registered, slotOf } from './audited-nodes.ts'

export const SEED = Number(process.env.MASSA_STORAGE_TEST_SEED ?? 1)
export const MIN_AGE = 100
/** Two periods of each of four eras. */
export const PERIODS = [0, 1, 2, 3].flatMap((era) =>
  [5, 6].map((place) => makePeriod(era * ERA_PERIODS + place, { blocks: 2, operations: 2 })),
)
export const FINAL = 1_000
export const OTHERS = ['A', 'B', 'C'] as const
const ROOM_BYTES = 1_000_000
export const FULL_BYTES = 950_000

interface MadeChunk {
  readonly period: number
  readonly index: number
  readonly hashSlot: number
  readonly byteLength: number
}

export const CHUNKS = PERIODS.flatMap(({ manifest }) =>
  manifest.chunks.map(({ chunkId, byteLength }, index): MadeChunk => {
    return { period: manifest.period, index, hashSlot: slotOf(chunkId), byteLength }
  }),
)
/** Hash slots that are this node's to hold. */
export const isOurs = (hashSlot: number): boolean => hashSlot % 4 === 0

/** Period and index, as tests list chunks. */
export const keyOf = ({ period, index }: { period: number; index: number }): string => `${period}/${index}`

export function at(key: string): MadeChunk {
  return CHUNKS.find((chunk) => keyOf(chunk) === key) ?? assert.fail(key)
}

let whole: Promise<LevelChunkStore> | undefined

/** Of all chunks: shared, nobody drops of them. */
function openWhole(): Promise<LevelChunkStore> {
  whole ??= openPoorer(() => false)
  return whole
}

/** Of all chunks but those that were lost. */
export async function openPoorer(isLost: (chunk: MadeChunk) => boolean): Promise<LevelChunkStore> {
  const store = await openMemoryStore()
  for (const period of PERIODS) await store.writePeriod(period)
  for (const chunk of CHUNKS) if (isLost(chunk)) await store.dropChunks(chunk.period, [chunk.index])
  return store
}

/**
 * Nodes A, B and C hold all chunks, and we do; the disk is full, and nothing keeps what is not ours.
 *
 * @param network - asks other peers than the made ones
 */
export async function setUp(network?: Requester) {
  const levels = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
  const store = new LevelChunkStore(TEST_IDENTITY, levels)
  for (const period of PERIODS) await store.writePeriod(period)
  const marks = new Map<string, Uint8Array>()
  const compacted: number[] = []
  const lines: Record<string, unknown>[] = []
  const nodes = new MadeNodes()
  const whole = await openWhole()
  for (const name of OTHERS) nodes.stores.set(name, whole)
  const world = {
    /** What a test changes. */
    finalPeriod: FINAL as number | undefined,
    isCurrent: true,
    keepsForEver: true,
    requireAnchors: false,
    replicas: 3,
    registry: ['me', ...OTHERS].map((address) => registered(address)) as RegisteredNode[],
    holders: (_hashSlot: number): readonly { address: string; pass: number }[] =>
      OTHERS.map((address) => ({ address, pass: 1 })),
    clustered: false,
    duty: (hashSlot: number): 'assigned' | 'standIn' | undefined => (isOurs(hashSlot) ? 'assigned' : undefined),
    wasAssigned: (_hashSlot: number, _fromEra: number): boolean => false,
    lagEras: 1,
    usedBytes: FULL_BYTES,
    droppedBytes: 0,
    connected: new Set<string>(OTHERS),
    dropped: [] as string[],
    failures: [] as unknown[],
    /** Who gave forged SEALS. */
    liars: [] as string[],
    failCompaction: false,
    syncedMark: undefined as Uint8Array | undefined,
  }
  const clock = new SetClock()
  const log = createLogger({
    level: 'info',
    format: 'json',
    destination: { write: (text) => lines.push(JSON.parse(text)) },
  })
  const placement = {
    get isCurrent() {
      return world.isCurrent
    },
    get inForce() {
      const { keepsForEver, requireAnchors, replicas, registry, lagEras } = world
      return {
        era: Math.floor(FINAL / ERA_PERIODS),
        keepsForEver,
        replicas,
        lagEras,
        snapshot: { nodes: registry, requireAnchors },
        holdersOfSlot: (hashSlot: number) => ({ holders: world.holders(hashSlot), clustered: world.clustered }),
        isHolder: () => true,
        listSlotsOf: () => [0],
      }
    },
  }
  const client = new PeerClient(network ?? nodes, () => undefined, { clock })
  const auditor = new Auditor(
    {},
    {
      client,
      placement,
      store,
      listPeers: () => [],
      clock,
      random: drawWholes(SEED),
      log,
      onResult: () => undefined,
      onFailure: (error) => world.failures.push(error),
    },
  )
  const withheld = new WithheldChunks()
  const modules: SafePruneModules = {
    store: {
      readRange: () => store.readRange(),
      listSummaries: (range) => store.listSummaries(range),
      readManifest: (period) => store.readManifest(period),
      readHolding: (period) => store.readHolding(period),
      dropChunks: async (period, indexes) => {
        // On disk before anything is gone.
        const era = Buffer.alloc(4)
        era.writeUInt32BE(Math.floor(period / ERA_PERIODS))
        assert.deepEqual(Buffer.from(world.syncedMark ?? []), era)
        await store.dropChunks(period, indexes)
        for (const index of indexes) world.dropped.push(keyOf({ period, index }))
      },
      compactPeriods: async (from, to) => {
        if (world.failCompaction) throw new ArchiveError('STORE_WRITE_FAILED', 'injected')
        await store.compactPeriods(from, to)
        assert.equal(to - from, ERA_PERIODS - 1)
        compacted.push(from / ERA_PERIODS)
        // Only now the disk has it back.
        world.usedBytes -= world.droppedBytes
        world.droppedBytes = 0
      },
    },
    disk: { readArchiveRoom: async () => ({ usedBytes: world.usedBytes, mostBytes: ROOM_BYTES }) },
    marks: {
      putMark: async (name, bytes) => void marks.set(name, bytes),
      readMark: async (name) => marks.get(name),
      sync: async () => {
        world.syncedMark = marks.get('prunedEra')
      },
    },
    placement,
    duty: {
      of: (hashSlot) => world.duty(hashSlot),
      wasNeverAssigned: (hashSlot, fromEra) => !world.wasAssigned(hashSlot, fromEra),
    },
    audit: (peer, chunk) => auditor.audit(peer, chunk),
    hasShownSeals: (peer, chunk) =>
      hasShownSeals(peer, chunk, { store, client, cpu: inlineCpu, onWrong: (liar) => world.liars.push(liar) }),
    peerOf: (address) => (world.connected.has(address) ? address : undefined),
    withheld,
    finalPeriod: () => world.finalPeriod,
    clock,
    log,
    onDropped: (_, { bytes }) => {
      world.droppedBytes += bytes
    },
    onFailure: (error) => world.failures.push(error),
  }
  const open = (more: Partial<SafePruneModules> = {}, spreadPeriods = ERA_PERIODS) =>
    new SafePrune({ address: 'me', minAgePeriods: MIN_AGE, spreadPeriods }, { ...modules, ...more })
  return { store, withheld, levels, marks, compacted, lines, nodes, world, clock, open, prune: open() }
}

export type Made = Awaited<ReturnType<typeof setUp>>

/** @param reason - why chunks must have stayed, among others */
export async function assertNothingGoes(made: Made, reason?: string, prune = made.prune): Promise<void> {
  await prune.look()
  assert.deepEqual(made.world.dropped, [])
  for (const { manifest, seals } of PERIODS) {
    assert.equal(await made.store.readHolding(manifest.period), undefined)
    assert.deepEqual(await made.store.readSeals(manifest.period), seals)
  }
  const { kept, droppedChunks } = prune.report()
  assert.equal(droppedChunks, 0)
  if (reason !== undefined) assert.ok(kept[reason as keyof typeof kept], JSON.stringify(kept))
  assert.deepEqual(
    made.lines.filter(({ msg }) => msg === 'chunks let go'),
    [],
  )
}

/** Keys of the chunks that are meant. */
export const free = (wanted: (chunk: MadeChunk) => boolean): string[] => CHUNKS.filter(wanted).map(keyOf)
export const inEra =
  (era: number) =>
  ({ period }: MadeChunk): boolean =>
    Math.floor(period / ERA_PERIODS) === era
