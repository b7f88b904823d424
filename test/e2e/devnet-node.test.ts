import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../../core/index.ts'
import { ChainDriver, DevnetChain, type GrpcServer, startGrpcServer } from '../../devnet/node/index.ts'
import { ALICE, BOB, OPTIONS, send, transfer } from '../devnet/node/chain/made-chain.ts'
import { runCli, startCli } from './run-cli.ts'

/** A period in 0.8 s: a node forgets a final block in 5 s. */
const SPEED = 20
const ENDORSEMENTS = 2
const LAST_PERIOD = 5

const REAL_TIME: Clock = {
  nowMs: () => performance.now(),
  monotonicMs: () => performance.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
}

/** The sidecar as it is, on the node of this project. */
describe('e2e/devnet-node', function () {
  this.timeout(90_000)
  let dir: string
  let chain: DevnetChain
  let driver: ChainDriver
  let server: GrpcServer

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-devnet-'))
    chain = new DevnetChain({
      ...OPTIONS,
      endorsements: ENDORSEMENTS,
      deltaF0: 64 * (1 + ENDORSEMENTS),
      missRate: 0.1,
      orphanRate: 0.05,
    })
    driver = new ChainDriver({ speed: SPEED }, { chain, clock: REAL_TIME })
  })

  afterEach(async () => {
    await driver.stop()
    await server.close()
    await chain.close()
    rmSync(dir, { recursive: true, force: true })
  })

  for (const [how, enableBroadcast] of [
    ['asks for everything where nothing is broadcast', false],
    ['takes what is broadcast', true],
  ] as const) {
    it(`start ${how}, archives period after period, and all of it verifies`, async () => {
      const calls = new Map<string, number>()
      server = await startGrpcServer({ chain, clock: driver }, { enableBroadcast })
      server.intercept((rpc, _request, honest) => {
        calls.set(rpc, (calls.get(rpc) ?? 0) + 1)
        return honest()
      })
      const sent: string[] = []
      // Two in every period: one more to execute, and one that fails.
      chain.onBlockReceived(({ slot, isRival }) => {
        if (slot.thread !== 0 || isRival) return
        sent.push(send(chain, ALICE, transfer(BigInt(slot.period))))
        sent.push(send(chain, BOB, { kind: 'roll-sell', rollCount: BigInt(slot.period) }))
      })
      const sidecar = startCli(['start', '--log-format', 'json'], {
        cwd: dir,
        env: {
          MASSA_STORAGE_ENABLED: 'true',
          MASSA_STORAGE_DATA_DIR: 'archive',
          MASSA_STORAGE_NODE__GRPC_URLS: server.url,
          MASSA_STORAGE_NODE__CHAIN_ID: '77',
          MASSA_STORAGE_NODE__GENESIS_TIMESTAMP_MS: String(OPTIONS.genesisTimestampMs),
          MASSA_STORAGE_NODE__POLL_INTERVAL_MS: '200',
          MASSA_STORAGE_API__BIND: '127.0.0.1:0',
          MASSA_STORAGE_METRICS__ENABLED: 'false',
        },
      })
      await sidecar.waitFor('"msg":"massa-storage started"')
      driver.start()
      await Promise.race([sidecar.waitFor(`"period":${LAST_PERIOD},`), driver.failure])
      sidecar.child.kill('SIGTERM')
      const { code, stdout, stderr } = await sidecar.ended
      assert.equal(code, 0, stdout + stderr)
      const archived = stdout
        .split('\n')
        .flatMap((line) => (line.includes('"msg":"archived period"') ? [JSON.parse(line)] : []))
      const periods = archived.map(({ period }) => period)
      assert.deepEqual(
        periods,
        periods.map((_, i) => periods[0] + i),
        stdout,
      )
      assert(periods.length >= 3 && periods.includes(LAST_PERIOD), stdout)
      assert(archived.reduce((sum, { operations }) => sum + operations, 0) >= 4, stdout)
      assert(
        archived.some(({ blocks }) => blocks < 32),
        stdout,
      )
      for (const word of ['"level":"error"', 'quarantine', 'NODE_CONFLICT', 'gap'])
        assert(!stdout.includes(word), stdout)
      const verified = await runCli(['verify', '--json', '--data-dir', 'archive'], { cwd: dir })
      assert.equal(verified.code, 0, verified.stdout + verified.stderr)
      const bodies = calls.get('GetBlocks') ?? 0
      const blocks = archived.reduce((sum, { blocks }) => sum + blocks, 0)
      // A machine that is busy may miss a few of the stream.
      if (enableBroadcast) assert(bodies < blocks / 8, `${bodies} calls of GetBlocks for ${blocks} blocks`)
      else assert(bodies > 3, `${bodies} calls of GetBlocks`)
    })
  }
})
