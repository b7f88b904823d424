import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SLOT_MS, THREAD_COUNT } from '../../../core/index.ts'
import { type LocalApi, startLocalApi } from '../../../devnet/local-api.ts'
import { type JsonRpcServer, startJsonRpcServer } from '../../../devnet/node/index.ts'
import { Stage } from '../../../devnet/scenarios/index.ts'
import { KeptDescription } from '../../../devnet/up/kept-description.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import { ALICE, indexOf, MAS, openChain, reach, send, transfer } from '../node/chain/made-chain.ts'
import { SetClock } from '../set-clock.ts'

const TOKEN = 'a token'

describe('devnet/scenarios/stage', function () {
  this.timeout(30_000)
  let dir: string
  let api: LocalApi
  let jsonRpc: JsonRpcServer | undefined
  let report: object
  /** Last period that the only sidecar has. */
  let archived: number
  let orders: string[]

  /** @param jsonRpcPort - of the node */
  async function open(clock: SetClock, jsonRpcPort = 1, signal?: AbortSignal): Promise<Stage> {
    const files = new NetworkFiles(dir)
    KeptDescription.open(files, 'a seed')
    const node = { url: api.url, token: TOKEN, grpcPort: 1, jsonRpcPort }
    files.writeRunning({ version: 1, pid: process.pid, url: api.url, token: TOKEN, node })
    return Stage.open(dir, clock, signal)
  }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-stage-'))
    orders = []
    api = await startLocalApi(
      { port: 0, token: TOKEN },
      {
        'GET /alive': () => {},
        'GET /control': () => report,
        'GET /network': () => ({ sidecars: [{ archived: { first: 0, last: archived } }] }),
        'POST /control/pause': () => void orders.push('pause'),
        'POST /control/resume': () => {
          orders.push('resume')
          // What was missed is proven by what comes then.
          archived++
        },
      },
    )
  })

  afterEach(async () => {
    await Promise.all([api.close(), jsonRpc?.close()])
    jsonRpc = undefined
    rmSync(dir, { recursive: true, force: true })
  })

  it('stops the chain where all that is final is archived, and lets it go on where a slot is not decided yet', async () => {
    report = { speed: 'turbo', finalSlot: { period: 7, thread: 3 } }
    archived = 4
    const stage = await open(new SetClock())
    await stage.pauseCaughtUp()
    assert.deepEqual(orders, ['pause', 'resume', 'pause', 'resume', 'pause'])
  })

  for (const [speed, patienceMs] of [
    ['turbo', 120_000],
    [8, 120_000],
    [1, 960_000],
  ] as const) {
    it(`waits for ${patienceMs / 1000} s at speed ${speed}, and no longer`, async () => {
      report = { speed }
      const clock = new SetClock()
      const stage = await open(clock)
      const startMs = clock.nowMs()
      await stage.until('it is nearly over', async () => clock.nowMs() >= startMs + patienceMs - 1_000)
      await assert.rejects(
        stage.until('never', async () => false),
        /in vain: never/,
      )
      assert(clock.nowMs() < startMs + 2 * patienceMs + 1_000)
    })
  }

  it('waits no longer when it is told to end', async () => {
    report = { speed: 8 }
    const stopping = new AbortController()
    const stage = await open(new SetClock(), 1, stopping.signal)
    const waiting = stage.until('never', async () => {
      stopping.abort()
      return false
    })
    await assert.rejects(waiting, { name: 'AbortError' })
  })

  it('tells of operations, when they are executed, whether they succeeded', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40, accounts: [[ALICE.address, 10n * MAS]] })
    let timeMs = chain.nowMs
    const clock = {
      nowMs: () => {
        timeMs += 4 * SLOT_MS
        return timeMs
      },
    }
    const bytecode = { maxGas: 10_000_000n, maxCoinsNanoMas: 0n, bytecode: Uint8Array.of(0), datastore: [] }
    const paid = send(chain, ALICE, transfer(MAS))
    const failing = send(chain, ALICE, { kind: 'execute-sc', ...bytecode })
    jsonRpc = await startJsonRpcServer({ chain, clock })
    report = { speed: 'turbo' }
    const stage = await open(new SetClock(), Number(new URL(jsonRpc.url).port))
    assert.deepEqual(
      [...(await stage.untilExecuted([paid, failing]))],
      [
        [paid, true],
        [failing, false],
      ],
    )
  })

  it('tells whether a node still has a period', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40, forceKeepFinalPeriods: 2, missRate: 0.3 })
    await reach(chain, 4 * THREAD_COUNT)
    const clock = { nowMs: () => chain.genesisTimestampMs + indexOf(chain) * SLOT_MS }
    jsonRpc = await startJsonRpcServer({ chain, clock })
    const stage = await open(new SetClock(), Number(new URL(jsonRpc.url).port))
    assert.equal(await stage.isRemembered(3), true)
    await reach(chain, 14 * THREAD_COUNT)
    assert.equal(await stage.isRemembered(3), false)
    assert.equal(await stage.isRemembered(13), true)
  })
})
