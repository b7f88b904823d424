import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Period, toHex } from '../../core/index.ts'
import { type Recording, type ReplayServer, readRecording, startReplayServer } from '../../devnet/index.ts'
import { openStore, verifyArchive } from '../../storage-worker/index.ts'
import { startCli } from '../e2e/run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))
/** 200 by hand. */
const ROUNDS = Number(process.env.MASSA_STORAGE_CRASH_ROUNDS ?? 6)
const SEED = Number(process.env.MASSA_STORAGE_CRASH_SEED ?? 1)
/** A start takes half a second; the recording is archived within two more. */
const MIN_LIFE_MS = 450
const MAX_LIFE_MS = 2_200

describe('fault/sidecar-crash', function () {
  this.timeout(60_000 + ROUNDS * 8_000)

  it(`loses no period that it reported as archived in ${ROUNDS} kills (seed ${SEED}), and ends with the same roots`, async () => {
    const recording = await readRecording(RECORDING)
    const expected = await archiveUndisturbed(recording)
    const random = createRandom(SEED)
    let run = await beginRun(recording)
    let kills = 0
    try {
      while (kills < ROUNDS) {
        const lifeMs = MIN_LIFE_MS + random() * (MAX_LIFE_MS - MIN_LIFE_MS)
        const sidecar = startCli(['start'], { cwd: run.dir, env: settings(recording, run.server.url) })
        await sleep(lifeMs)
        sidecar.child.kill('SIGKILL')
        const { stdout } = await sidecar.ended
        kills++
        for (const match of stdout.matchAll(/Archived period (\d+):/g)) run.reported.add(Number(match[1]))
        const roots = await readVerifiedRoots(join(run.dir, 'archive'))
        for (const period of run.reported) {
          assert.equal(
            roots.get(period),
            expected.get(period),
            `period ${period} after kill ${kills} at ${Math.round(lifeMs)} ms`,
          )
        }
        if (roots.size < expected.size) continue
        await endRun(run)
        run = await beginRun(recording)
      }
    } finally {
      await endRun(run)
    }
  })
})

interface Run {
  readonly dir: string
  readonly server: ReplayServer
  readonly reported: Set<Period>
}

async function beginRun(recording: Recording): Promise<Run> {
  const server = await startReplayServer({ recording, fast: true, keepAll: true, stallMs: 200 })
  return { dir: mkdtempSync(join(tmpdir(), 'massa-storage-crash-')), server, reported: new Set() }
}

async function endRun({ dir, server }: Run): Promise<void> {
  await server.stop()
  rmSync(dir, { recursive: true, force: true })
}

function settings(recording: Recording, url: string): Record<string, string> {
  return {
    MASSA_STORAGE_ENABLED: 'true',
    MASSA_STORAGE_DATA_DIR: 'archive',
    MASSA_STORAGE_RETENTION_PERIODS: '0',
    MASSA_STORAGE_NODE__GRPC_URLS: url,
    MASSA_STORAGE_NODE__CHAIN_ID: recording.chainId.toString(),
    MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: recording.genesisTimestampMs.toString(),
    MASSA_STORAGE_NODE__POLL_INTERVAL_MS: '100',
    MASSA_STORAGE_API__BIND: '127.0.0.1:0',
    MASSA_STORAGE_METRICS__ENABLED: 'false',
    MASSA_STORAGE_LOG__FORMAT: 'human',
  }
}

async function archiveUndisturbed(recording: Recording): Promise<Map<Period, string>> {
  const run = await beginRun(recording)
  const sidecar = startCli(['start'], { cwd: run.dir, env: settings(recording, run.server.url) })
  try {
    await sidecar.waitFor(`Archived period ${run.server.wholePeriods?.last}:`)
  } finally {
    sidecar.child.kill('SIGTERM')
    await sidecar.ended
  }
  const roots = await readVerifiedRoots(join(run.dir, 'archive'))
  await endRun(run)
  return roots
}

/** Opens what the dead process left, verifies all of it, and gives the root of each period. */
async function readVerifiedRoots(dataDir: string): Promise<Map<Period, string>> {
  const roots = new Map<Period, string>()
  let store: Awaited<ReturnType<typeof openStore>>
  try {
    store = await openStore({ dataDir, ballastBytes: 0 })
  } catch (error) {
    // Killed before it had begun an archive.
    if ((error as { code?: string }).code === 'STORE_MISSING') return roots
    throw error
  }
  try {
    const { damages } = await verifyArchive(store.chunks, { deep: true, threads: 0 })
    assert.deepEqual(damages, [])
    for await (const { period, root } of store.chunks.listSummaries({ from: 0, to: Number.MAX_SAFE_INTEGER - 1 })) {
      roots.set(period, toHex(root))
    }
    return roots
  } finally {
    await store.close()
  }
}

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
