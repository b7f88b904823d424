import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SLOT_MS, THREAD_COUNT } from '../../../core/index.ts'
import { type LocalApi, startLocalApi } from '../../../devnet/local-api.ts'
import { type JsonRpcServer, startJsonRpcServer } from '../../../devnet/node/index.ts'
import { Stage, type StageOptions } from '../../../devnet/scenarios/index.ts'
import { KeptDescription } from '../../../devnet/up/kept-description.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import { ALICE, indexOf, MAS, openChain, reach, send, transfer } from '../node/chain/made-chain.ts'
import { SetClock } from '../set-clock.ts'

const TOKEN = 'a token'

/** Whoever waits by it waits for an hour at once. */
class SkippingClock extends SetClock {
  override async sleep(): Promise<void> {
    await super.sleep(3_600_000)
  }
}

describe('devnet/scenarios/stage', function () {
  this.timeout(30_000)
  let dir: string
  let api: LocalApi
  let jsonRpc: JsonRpcServer | undefined
  let report: object
  /** Last period that the only sidecar has. */
  let archived: number
  let orders: string[]
  let sidecars: object[] | undefined
  let fakes: Server[]

  /** @param jsonRpcPort - of the node */
  async function open(clock: SetClock, jsonRpcPort = 1, options?: StageOptions): Promise<Stage> {
    const files = new NetworkFiles(dir)
    KeptDescription.open(files, 'a seed')
    const node = { url: api.url, token: TOKEN, grpcPort: 1, jsonRpcPort }
    files.writeRunning({ version: 1, pid: process.pid, url: api.url, token: TOKEN, node })
    return Stage.open(dir, clock, options)
  }

  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-stage-'))
    orders = []
    sidecars = undefined
    fakes = []
    api = await startLocalApi(
      { port: 0, token: TOKEN },
      {
        'GET /alive': () => {},
        'GET /control': () => report,
        'GET /network': () => ({ sidecars: sidecars ?? [{ archived: { first: 0, last: archived } }] }),
        'POST /part': (body) => void orders.push(`part ${(body as { names: string[] }).names}`),
        'POST /join': () => void orders.push('join'),
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
    for (const fake of fakes) fake.close()
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

  /** A sidecar that answers; `asked` tells what it was asked, with paths and bodies. */
  async function startFake(name: string, first: number, answer: () => object) {
    const asked: [string, unknown][] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const text of request) body += text
      const path = request.url ?? ''
      if (body !== '') asked.push([path, JSON.parse(body)])
      const lines = path === '/v1/query' ? { result: answer() } : { own: { peer: `peer of ${name}` } }
      response.end(JSON.stringify(lines))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    fakes.push(server)
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { name, address: `AU ${name}`, apiUrl, archived: { first, last: 50 }, gaps: 0, asked }
  }

  const viewOf = (under: number, away: readonly string[] = []) => ({
    registered: 2,
    chunks: { total: 40, under, unowed: 0, nobody: 0, pastRetention: 0 },
    nodes: ['one', 'two', 'brief'].map((name) => ({
      address: `AU ${name}`,
      state: away.includes(name) ? 'away' : 'answered',
      retentionPeriods: name === 'brief' ? 10 : 0,
    })),
  })

  it('parts some from the others, and joins them again', async () => {
    report = { speed: 8 }
    const stage = await open(new SetClock())
    await stage.part(['sidecar-1', 'sidecar-2'])
    await stage.join()
    assert.deepEqual(orders, ['part sidecar-1,sidecar-2', 'join'])
  })

  it('tells what it did, and what it waited for when it is so', async () => {
    report = { speed: 8 }
    const one = await startFake('one', 5, () => viewOf(0, ['two']))
    const two = await startFake('two', 30, () => ({}))
    sidecars = [one, two]
    const steps: string[] = []
    const stage = await open(new SetClock(), 1, { onStep: (step) => steps.push(step) })
    await stage.part(['one', 'two'])
    await stage.untilAway(one as never, [two] as never)
    await stage.join()
    await stage.untilAtFloor(one as never)
    assert.deepEqual(steps, [
      'one, two parted from the others',
      'one misses two',
      'joined again',
      'all chunks that one knows have their copies; 0 of 40 have too few, 0 none',
    ])
  })

  it('waits until every chunk has its copies, but for the oldest that another who keeps for ever could not fetch', async () => {
    report = { speed: 8 }
    let under = 6
    const one = await startFake('one', 5, () => viewOf(under--))
    sidecars = [one, await startFake('two', 7, () => ({})), await startFake('brief', 40, () => ({}))]
    const stage = await open(new SetClock())
    assert.equal((await stage.untilAtFloor(one as never)).chunks.under, 2)
    // Whoever begins far later lost more than that.
    sidecars = [one, await startFake('two', 22, () => ({}))]
    under = 3
    assert.equal((await stage.untilAtFloor(one as never)).chunks.under, 0)
  })

  it('error: says how many chunks have too few copies when it waits in vain', async () => {
    report = { speed: 8 }
    const one = await startFake('one', 5, () => viewOf(3))
    sidecars = [one]
    const stage = await open(new SkippingClock())
    await assert.rejects(stage.untilAtFloor(one as never), /in vain: all chunks that one knows .* 3 of 40 have too few/)
  })

  it('waits until others are missed, and until an empty disk is full again', async () => {
    report = { speed: 8 }
    const away: string[] = []
    const one = await startFake('one', 5, () => viewOf(0, away))
    const two = await startFake('two', 30, () => ({}))
    sidecars = [one, two]
    const stage = await open(new SetClock())
    const missing = stage.untilAway(one as never, [two] as never)
    away.push('two')
    await missing
    const refilling = stage.untilRefilled(two as never, 5)
    sidecars = [one, { ...two, archived: { first: 6, last: 50 } }]
    assert.equal(await refilling, 6)
  })

  it('waits no longer when it is told to end', async () => {
    report = { speed: 8 }
    const stopping = new AbortController()
    const stage = await open(new SetClock(), 1, { signal: stopping.signal })
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
