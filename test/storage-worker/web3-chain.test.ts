import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { loadRegistryParams } from '../../config/index.ts'
import { type ErrorCode, isArchiveError } from '../../core/index.ts'
import { startJsonRpcServer } from '../../devnet/node/index.ts'
import type { ChainRequest, SignedBytes } from '../../storage-worker/chain-port.ts'
import {
  type ChainPort,
  deployRegistry,
  openWeb3Chain,
  planDeployment,
  RegistryClient,
  type SignedOperation,
  type SubmitOptions,
  type Web3ChainOptions,
} from '../../storage-worker/index.ts'
import { type Face, MAS, makeWallet, SteppedClock, startFace } from '../devnet/node/face.ts'

const ADMIN = makeWallet('admin')
const POOR = makeWallet('poor')

function refused(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  return assert.rejects(promise, (error) => {
    if (!isArchiveError(error, code)) throw error
    return true
  })
}

async function submit(chain: ChainPort, request: ChainRequest, options: SubmitOptions = {}) {
  return chain.submit(request, await chain.quote(request), options)
}

const OPTIONS: Omit<Web3ChainOptions, 'url'> = {
  chainId: 77n,
  secretKey: ADMIN.secret,
  feeNanoMas: 0n,
  maxFeeNanoMas: MAS,
  gasMarginPercent: 20,
  requestTimeoutMs: 10_000,
  pollIntervalMs: 5_000,
}

describe('storage-worker/web3-chain', () => {
  let face: Face
  let clock: SteppedClock
  let registry: string

  before(async () => {
    clock = new SteppedClock()
    // A node forgets an operation when there are later blocks in its thread.
    face = await startFace(clock, [ADMIN], { skipsEmptyBlocks: false, deltaF0: 100 })
    const chain = await openWeb3Chain({ ...OPTIONS, url: face.url }, clock)
    registry = (await deployRegistry(chain, await planDeployment(chain, loadRegistryParams(undefined)))).address
  })

  after(() => face.close())

  const open = (changes: Partial<Web3ChainOptions> = {}) =>
    openWeb3Chain({ ...OPTIONS, url: face.url, ...changes }, clock)
  const fund = { kind: 'call', functionName: 'fundRewards', parameter: new Uint8Array(), coinsNanoMas: MAS } as const

  it('offers the gas of a trial run and a margin on it', async () => {
    const plain = await (await open({ gasMarginPercent: 0 })).quote({ ...fund, target: registry })
    const more = await (await open({ gasMarginPercent: 50 })).quote({ ...fund, target: registry })
    assert.equal(more.maxGas, (plain.maxGas * 150n) / 100n)
    assert.equal(plain.spendNanoMas, MAS + MAS / 100n)
  })

  it('there is bytecode of a contract, and none of a wallet or of an address that is nowhere', async () => {
    const chain = await open()
    assert((await chain.readBytecode(registry))?.length)
    assert.equal(await chain.readBytecode(ADMIN.address), undefined)
    assert.equal(await chain.readBytecode(POOR.address), undefined)
    await refused('CHAIN_NODE_REFUSED', chain.readBytecode('AU1'))
  })

  it('lists the keys of a datastore that begin so, more than a node gives at once', async () => {
    const { ledger } = face.chain.engine
    const keys = Array.from({ length: 501 }, (_, i) => `period_${1_000 + i}`)
    for (const key of keys) ledger.setValue(registry, Buffer.from(key), Buffer.from([1]))
    const chain = await open()
    assert.deepEqual(await chain.listDatastoreKeys(registry, 'period_'), keys)
    assert.deepEqual(await chain.listDatastoreKeys(registry, 'periods'), [])
  })

  it('pays the configured fee, or the least that the node takes', async () => {
    const outcome = await submit(await open({ feeNanoMas: MAS / 20n }), { ...fund, target: registry })
    assert.equal(outcome.feeNanoMas, MAS / 20n)
    assert.equal(outcome.isFinal, true)
    const least = await submit(await open(), { ...fund, target: registry }, { final: false })
    assert.equal(least.feeNanoMas, MAS / 100n)
    assert.equal(least.isFinal, false)
  })

  it('error: a fee that the node refuses, with its words', async () => {
    const chain = await open({ feeNanoMas: 1n })
    await assert.rejects(submit(chain, { ...fund, target: registry }), (error) => {
      assert(isArchiveError(error, 'CHAIN_NODE_REFUSED'))
      assert.equal(error.context.nodeCode, -32000)
      assert.match(error.message, /fee is too low/)
      return true
    })
  })

  it('error: another network, no key, no coins', async () => {
    await refused('CHAIN_NETWORK_MISMATCH', (await open({ chainId: 77_658_377n })).readStatus())
    const keyless = await open({ secretKey: undefined })
    assert.equal(keyless.account, undefined)
    await refused('CHAIN_KEY_MISSING', submit(keyless, { ...fund, target: registry }))
    assert.equal(await new RegistryClient(registry, keyless).read('getVersion', {}), 1)
    await refused('CHAIN_BALANCE_SHORT', submit(await open({ secretKey: POOR.secret }), { ...fund, target: registry }))
  })

  /** Rich when it is asked, poor when a block is made: no producer takes the operation. */
  async function whileNobodyTakesIt<T>(run: () => Promise<T>): Promise<T> {
    const { ledger } = face.chain.engine
    const original = face.chain.advanceTo.bind(face.chain)
    face.chain.advanceTo = async (nowMs) => {
      const balance = ledger.balance(ADMIN.address)
      ledger.setBalance(ADMIN.address, 0n)
      await original(nowMs)
      ledger.setBalance(ADMIN.address, balance)
      face.chain.finalLedger.setBalance(ADMIN.address, balance)
    }
    try {
      return await run()
    } finally {
      face.chain.advanceTo = original
    }
  }

  it('error: signs once; of what is in no block it says so only with the balance as it was', async () => {
    const chain = await open()
    const sent: string[] = []
    const promise = whileNobodyTakesIt(() =>
      submit(chain, { ...fund, target: registry }, { onSent: (id) => sent.push(id) }),
    )
    await assert.rejects(promise, (error) => {
      assert(isArchiveError(error, 'CHAIN_OPERATION_EXPIRED'))
      assert(error.message.includes(`operation ${sent[0]}`))
      return true
    })
    assert.equal(sent.length, 1)
  })

  it('error: does not say that nothing was spent when the balance is another', async () => {
    const chain = await open()
    const spend = () => {
      const { ledger } = face.chain.engine
      ledger.setBalance(ADMIN.address, ledger.balance(ADMIN.address) - MAS)
    }
    await refused(
      'CHAIN_OUTCOME_UNKNOWN',
      whileNobodyTakesIt(() => submit(chain, { ...fund, target: registry }, { onSent: spend })),
    )
  })

  it('error: signs no more than what was quoted', async () => {
    const chain = await open()
    const request = { ...fund, target: registry }
    const quote = await chain.quote(request)
    const pool = face.chain.operations.size
    for (const less of [
      { ...quote, feeNanoMas: quote.feeNanoMas - 1n },
      { ...quote, spendNanoMas: quote.spendNanoMas - 1n },
      { ...quote, maxGas: 1_000n },
    ]) {
      await refused('CHAIN_QUOTE_EXCEEDED', chain.submit(request, less))
    }
    assert.equal(face.chain.operations.size, pool)
  })

  it('error: a fee above the limit, the configured one or that of the node, at quoting', async () => {
    const request = { ...fund, target: registry }
    await refused('CHAIN_FEE_TOO_HIGH', (await open({ maxFeeNanoMas: MAS / 100n - 1n })).quote(request))
    await refused('CHAIN_FEE_TOO_HIGH', (await open({ feeNanoMas: MAS + 1n })).quote(request))
    assert.equal((await (await open({ maxFeeNanoMas: MAS / 100n })).quote(request)).feeNanoMas, MAS / 100n)
  })

  it('tells all about an operation before it is sent, and another process can wait for it', async () => {
    const request = { ...fund, target: registry }
    const chain = await open()
    const told: SignedOperation[] = []
    const before = face.chain.operations.size
    const onSigned = (operation: SignedOperation) => {
      assert.equal(face.chain.operations.size, before)
      told.push(operation)
    }
    const outcome = await submit(chain, request, { onSigned })
    const [signed] = told
    assert(signed)
    assert.equal(signed.operationId, outcome.operationId)
    assert.deepEqual(await (await open()).follow(signed), outcome)
    const stop = () => {
      throw new Error('the disk is full')
    }
    const size = face.chain.operations.size
    await assert.rejects(submit(chain, request, { onSigned: stop }), /the disk is full/)
    assert.equal(face.chain.operations.size, size)
  })

  it('sends again what never left, and what was executed has no effect a second time', async () => {
    const chain = await open()
    const told: [SignedOperation, SignedBytes][] = []
    const die = (...signed: [SignedOperation, SignedBytes]) => {
      told.push(signed)
      throw new Error('killed')
    }
    const client = new RegistryClient(registry, chain)
    const { pool: before } = await client.readState()
    await assert.rejects(submit(chain, { ...fund, target: registry }, { onSigned: die }), /killed/)
    const [[signed, bytes] = assert.fail()] = told
    const later = await open()
    const outcome = await later.follow(signed, { bytes })
    assert.equal(outcome.operationId, signed.operationId)
    assert.deepEqual(await later.follow(signed, { bytes }), outcome)
    await clock.sleep(20_000)
    const { pool } = await client.readState()
    assert.equal(pool - before, fund.coinsNanoMas)
  })

  it('error: a call that passes the trial and fails in its block has the code of the registry', async () => {
    const chain = await open()
    const client = new RegistryClient(registry, chain)
    const { ledger } = face.chain.engine
    // Between the two somebody else becomes admin.
    const key = Buffer.from('admin')
    const sent: string[] = []
    await refused(
      'REGISTRY_NOT_ADMIN',
      client.call(
        'setPaused',
        { paused: true },
        {
          onSent: (id) => {
            sent.push(id)
            ledger.setValue(registry, key, Buffer.from(POOR.address))
          },
        },
      ),
    )
    ledger.setValue(registry, key, Buffer.from(ADMIN.address))
    assert.equal(sent.length, 1)
  })

  /** Sends through a node that goes away when it has the operation and comes back after so many ms of the chain. */
  async function sendAndLose(
    awayMs: number,
    request: { readonly functionName: string; readonly parameter: Uint8Array },
  ) {
    let server = await startJsonRpcServer({ chain: face.chain, clock })
    const { port } = new URL(server.url)
    let closing: Promise<void> | undefined
    const sent: string[] = []
    let backAtMs: number | undefined
    const chain = await openWeb3Chain(
      { ...OPTIONS, url: server.url },
      {
        nowMs: () => clock.nowMs(),
        monotonicMs: () => clock.monotonicMs(),
        sleep: async (durationMs) => {
          await clock.sleep(durationMs)
          if (backAtMs === undefined || clock.nowMs() < backAtMs) return
          backAtMs = undefined
          await closing
          server = await startJsonRpcServer({ chain: face.chain, clock }, Number(port))
        },
      },
    )
    const onSent = (id: string) => {
      sent.push(id)
      backAtMs = clock.nowMs() + awayMs
      closing = server.close()
    }
    try {
      return { sent, outcome: await submit(chain, { kind: 'call', target: registry, ...request }, { onSent }) }
    } catch (error) {
      return { sent, error }
    } finally {
      await server.close()
    }
  }

  it('outlives a node that is away while it waits', async () => {
    const { outcome, sent } = await sendAndLose(20_000, { functionName: 'setPaused', parameter: Uint8Array.of(0) })
    assert.equal(outcome?.isFinal, true)
    assert.equal(sent.length, 1)
  })

  it('learns from final events what the node has forgotten meanwhile, and does not send again', async () => {
    const { outcome, sent } = await sendAndLose(400_000, { functionName: 'setPaused', parameter: Uint8Array.of(1) })
    assert.deepEqual(outcome?.events, ['PAUSED_SET:true'])
    assert.equal(sent.length, 1)
  })

  it('error: does not send again what may have been executed unseen', async () => {
    const { error, sent } = await sendAndLose(400_000, { functionName: 'setPaused', parameter: Uint8Array.of(1) })
    assert(isArchiveError(error, 'CHAIN_OUTCOME_UNKNOWN'))
    assert.equal(sent.length, 1)
  })

  it('error: refused at the second try, it may have been taken at the first', async () => {
    let sent = 0
    const proxy = createServer(async (request, response) => {
      const body = await text(request)
      const isSending = body.includes('"send_operations"')
      if (isSending) sent++
      if (sent === 2 && isSending)
        return response.end('{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"too busy"}}')
      const answer = await fetch(face.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const answered = await answer.text()
      return isSending ? response.destroy() : response.end(answered)
    })
    await new Promise<void>((done) => proxy.listen(0, '127.0.0.1', done))
    const chain = await open({ url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` })
    try {
      await refused('CHAIN_OUTCOME_UNKNOWN', submit(chain, { ...fund, target: registry }))
    } finally {
      proxy.closeAllConnections()
      await new Promise((done) => proxy.close(done))
    }
    assert.equal(sent, 2)
  })

  it('error: gives up an operation of which nothing is heard', async () => {
    const chain = await open({ outcomeTimeoutMs: 60_000 })
    const frozen = face.chain.advanceTo.bind(face.chain)
    face.chain.advanceTo = async () => {}
    try {
      await refused('CHAIN_OUTCOME_UNKNOWN', submit(chain, { ...fund, target: registry }))
    } finally {
      face.chain.advanceTo = frozen
    }
  })
})

describe('storage-worker/web3-chain against what is no node', () => {
  let server: Server
  let url: string
  let answer: string | undefined
  let requests: number

  before((done) => {
    server = createServer((_request, response) => {
      requests++
      if (answer !== undefined) response.end(answer)
    })
    server.listen(0, '127.0.0.1', done)
  })

  beforeEach(() => {
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    requests = 0
  })

  after((done) => {
    server.closeAllConnections()
    server.close(done)
  })

  const statusOf = async (changes: Partial<Web3ChainOptions> = {}) =>
    (await openWeb3Chain({ ...OPTIONS, url, ...changes }, new SteppedClock())).readStatus()

  const RUBBISH: readonly (readonly [string, string])[] = [
    ['no JSON', '<html>'],
    ['nothing', ''],
    ['JSON of another kind', '[]'],
    ['no result', '{"jsonrpc":"2.0","id":1}'],
    ['a status without slots', '{"jsonrpc":"2.0","id":1,"result":{"chain_id":77}}'],
    [
      'a chain id that is none',
      '{"jsonrpc":"2.0","id":1,"result":{"chain_id":"x","last_slot":{"period":1},"minimal_fees":"0"}}',
    ],
    [
      'a fee that is none',
      '{"jsonrpc":"2.0","id":1,"result":{"chain_id":77,"last_slot":{"period":1},"minimal_fees":"-1"}}',
    ],
  ]
  for (const [name, text] of RUBBISH) {
    it(`error: ${name} is an invalid answer`, async () => {
      answer = text
      await refused('CHAIN_ANSWER_INVALID', statusOf())
    })
  }

  it('error: a node that does not answer is unreachable, after three tries', async () => {
    answer = undefined
    await refused('CHAIN_NODE_UNREACHABLE', statusOf({ requestTimeoutMs: 50 }))
    assert.equal(requests, 3)
  })

  it('error: a port where nobody listens is unreachable', async () => {
    await refused('CHAIN_NODE_UNREACHABLE', statusOf({ url: 'http://127.0.0.1:1' }))
  })
})
