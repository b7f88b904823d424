import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NodeClient } from '../../archiver/index.ts'
import { isArchiveError } from '../../core/index.ts'
import { type ReplayServer, readRecording, startReplayServer } from '../../devnet/index.ts'
import { openStore, verifyArchive } from '../../storage-worker/index.ts'
import { drawNumbers } from '../archiver/simulated-chain.ts'
import { CliHost } from './cli-host.ts'
import { type CliResult, runCli } from './run-cli.ts'

const RECORDING = fileURLToPath(new URL('../fixtures/sandbox/push.ndjson.gz', import.meta.url))
const PERIODS = 9
const FLIPS_PER_FILE = 6
const SEED = 20_261_121

/** Files of a data directory in which a flipped byte harms nothing, each with the reason. */
const EXEMPT: readonly [RegExp, string][] = [
  [/^(bodies|index)\/LOCK$/, 'empty: only the lock on it counts'],
  [/^(bodies|index)\/LOG(\.old)?$/, "LevelDB's diary, for people to read"],
  [/^history\//, 'says where things stand, and is made again from the archive'],
  [/^ballast$/, 'its size counts: room that is given up when the disk is full'],
  [/^sizes\.json$/, 'has a checksum, and lets other damage be found: another one comes with the next closing'],
  [/^daemon\.json$/, 'tells others who has the archive open, and is gone when nobody has'],
  [/^api\.token$/, 'another one at each start, and one that is not that of the sidecar is refused'],
  [/^(bodies|index)\/damaged\//, 'what a repair put aside'],
]

/** `written`: as the archiver leaves it, all in logs. `opened`: once opened since, all in tables. */
const STATES = ['written', 'opened'] as const

describe('e2e/flips', function () {
  this.timeout(240_000)
  let dir: string
  let server: ReplayServer
  let host: CliHost

  before(async () => {
    host = new CliHost()
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-flips-'))
    const replay = ['replay', RECORDING, '--data-dir', 'written', '--fast', '--exit-at-head']
    const made = await runCli(replay, { cwd: dir })
    assert.equal(made.code, 0, made.stdout + made.stderr)
    cpSync(join(dir, 'written'), join(dir, 'opened'), { recursive: true })
    for (const state of STATES) {
      // Replay has verified it: what it wrote is in tables by then.
      assert.deepEqual(await findDamage(join(dir, state)), [])
    }
    await putEverythingIntoLogs(join(dir, 'written'))
    // Whole at once: a node at its head that has forgotten nothing.
    const recording = await readRecording(RECORDING)
    const consumerPeriod = () => Number.MAX_SAFE_INTEGER
    server = await startReplayServer({ recording, fast: true, keepAll: true, consumerPeriod })
    const client = new NodeClient({ url: server.url, timeoutMs: 10_000 })
    await client.getStatus()
    client.close()
    await server.atHead
  })

  after(async () => {
    await server?.stop()
    await host.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it(`finds a flipped byte in every file of a data directory (seed ${SEED})`, async () => {
    const draw = drawNumbers(SEED)
    const kinds = new Set<string>()
    const unfound: string[] = []
    for (const state of STATES) {
      for (const file of listFiles(join(dir, state))) {
        const size = readFileSync(join(dir, state, file)).length
        // What stands in a log as well is read from there: its older version in a table is gone at the next compaction.
        if (state === 'written' && file.endsWith('.ldb')) continue
        if (size === 0 || EXEMPT.some(([pattern]) => pattern.test(file))) continue
        kinds.add(file.replace(/\d+/, 'N'))
        const places = [
          0,
          size - 1,
          Math.max(0, size - 20),
          ...Array.from({ length: FLIPS_PER_FILE }, () => Math.floor(draw() * size)),
        ]
        for (const at of places) {
          const copy = copyOf(state)
          flip(join(copy, file), at, 1 + Math.floor(draw() * 255))
          const found = await findDamage(copy)
          if (found.length === 0) unfound.push(`${state}/${file} at ${at} of ${size}`)
          rmSync(copy, { recursive: true })
        }
      }
    }
    assert.deepEqual(unfound, [])
    const expected = ['CURRENT', 'MANIFEST-N', 'N.ldb', 'N.log'].flatMap((name) => [`bodies/${name}`, `index/${name}`])
    assert.deepEqual([...kinds].sort(), [...expected, 'archiver.key', 'store.json'].sort())
  })

  for (const [state, pattern, named] of [
    ['written', /^bodies\/\d+\.log$/, /bodies\/\d+\.log \(STORE_LOG_DAMAGED\)/],
    ['written', /^index\/\d+\.log$/, /index\/\d+\.log \(STORE_LOG_DAMAGED\)/],
    ['opened', /^bodies\/\d+\.ldb$/, /period \d: chunk 0 \(STORE_VALUE_CORRUPT\)|bodies\/\d+\.ldb/],
    ['opened', /^index\/\d+\.ldb$/, /index\/\d+\.ldb/],
    ['opened', /^store\.json$/, /store\.json/],
    ['opened', /^archiver\.key$/, /archiver\.key \(STORE_KEY_INVALID\)/],
  ] as const) {
    it(`verify names a flipped byte in ${pattern.source} and exits with 5, --repair mends it with the help of a node`, async () => {
      const copy = copyOf(state)
      try {
        const file = listFiles(copy).find((name) => pattern.test(name))
        assert.ok(file)
        const path = join(copy, file)
        flip(path, readFileSync(path).length >> 1, 0x10)
        const verify = (...args: string[]) => verifyWithNode(basename(copy), args)
        const found = await verify()
        assert.equal(found.code, 5, found.stdout + found.stderr)
        assert.match(found.stdout + found.stderr, named)
        const repaired = await verify('--repair')
        assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr)
        assert.match(repaired.stdout, /^repaired /m)
        const again = await verify('--deep', '--json')
        assert.equal(again.code, 0, again.stdout)
        assert.equal(JSON.parse(again.stdout).periods, PERIODS)
      } finally {
        rmSync(copy, { recursive: true })
      }
    })
  }

  it('verify --repair without a node brings back all of a table whose index is damaged, and names node.grpc_urls for a damaged value', async () => {
    const copy = copyOf('opened')
    try {
      const file = listFiles(copy).find((name) => /^bodies\/\d+\.ldb$/.test(name))
      assert.ok(file)
      const path = join(copy, file)
      const intact = readFileSync(path)
      // The last block before the footer is the index.
      flip(path, intact.length - 100, 0x10)
      const repaired = await host.run(['verify', '--repair', '--data-dir', basename(copy)], { cwd: dir })
      assert.equal(repaired.code, 0, repaired.stdout + repaired.stderr)
      assert.match(
        repaired.stdout,
        /^repaired bodies\/\d+\.ldb \(STORE_DATABASE_DAMAGED\): all its \d+ values are back$/m,
      )
      assert.ok(readFileSync(path).equals(intact))
      flip(path, intact.length >> 1, 0x10)
      const left = await host.run(['verify', '--repair', '--data-dir', basename(copy)], { cwd: dir })
      assert.equal(left.code, 5, left.stdout + left.stderr)
      assert.match(left.stdout, /could not be repaired: node\.grpc_urls names no massa-node/)
    } finally {
      rmSync(copy, { recursive: true })
    }
  })

  function verifyWithNode(dataDir: string, args: readonly string[]): Promise<CliResult> {
    const env = {
      MASSA_STORAGE_NODE__GRPC_URLS: server.url,
      MASSA_STORAGE_NODE__CHAIN_ID: '77',
      MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: '1795246964000',
    }
    return host.run(['verify', '--data-dir', dataDir, ...args], { cwd: dir, env })
  }

  function copyOf(state: string): string {
    const copy = mkdtempSync(join(dir, 'copy-'))
    cpSync(join(dir, state), copy, { recursive: true, filter: (source) => basename(source) !== 'ballast' })
    return copy
  }
})

/** Every value once more, as if it had just been written. */
async function putEverythingIntoLogs(dataDir: string): Promise<void> {
  const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0 })
  try {
    for (const level of [store.chunks.bodies, store.chunks.index]) {
      for await (const [key, value] of level.entries({}))
        await level.write([{ type: 'put', key, value }], { sync: true })
    }
  } finally {
    await store.close()
  }
}

/** As `verify --deep` looks at it: names of what is damaged. */
async function findDamage(dataDir: string): Promise<string[]> {
  try {
    const store = await openStore({ dataDir, freeFloorBytes: 0, ballastBytes: 0 })
    try {
      const { damages } = await verifyArchive(store.chunks, { deep: true, threads: 0 })
      return [...(await store.checkFiles(false)), ...damages].map(({ what, code }) => `${what} ${code}`)
    } finally {
      await store.close()
    }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return [error.code]
  }
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

function flip(path: string, at: number, bits: number): void {
  const bytes = readFileSync(path)
  bytes[at] = (bytes[at] ?? 0) ^ bits
  writeFileSync(path, bytes)
}
