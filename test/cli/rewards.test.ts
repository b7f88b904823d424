import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { contractCall } from '../../cli/commands/contract-call.ts'
import { registerNode } from '../../cli/commands/node-register.ts'
import { rewardsExplain, rewardsShow } from '../../cli/commands/rewards.ts'
import { resolveNode } from '../../cli/resolve-node.ts'
import { isArchiveError } from '../../core/index.ts'
import type { RegistryClient } from '../../storage-worker/index.ts'
import { MAS, makeWallet } from '../devnet/node/face.ts'
import { type CommandOptions, RegistryPlace } from './registry-place.ts'

const ADMIN = makeWallet('admin')
const NODE = makeWallet('node')
const FOR_EVER = { MASSA_STORAGE_RETENTION_PERIODS: '0' }

describe('cli/commands/rewards', function () {
  this.timeout(60_000)
  let place: RegistryPlace

  before(async () => {
    place = await RegistryPlace.open([ADMIN, NODE], '')
    const funding = open({ wallet: ADMIN })
    const words = { target: 'storage_registry', functionName: 'fund_rewards', args: [] }
    await contractCall(funding.context, words, { coins: 50n * MAS, yes: true, signal: funding.signal })
    const registering = open({ env: FOR_EVER })
    await registerNode(registering.context, { gb: 2n, yes: true, signal: registering.signal })
    place.skipPeriods(100)
  })

  after(() => place.close())

  const open = (options: Partial<CommandOptions> = {}) => place.command({ wallet: NODE, ...options })

  it('shows pool, sums, audit and strikes of the own node', async () => {
    const { context, stdout } = open()
    assert.equal(await rewardsShow(context, undefined, {}), 0)
    assert.match(stdout.text, new RegExp(`^node +${NODE.address}$`, 'm'))
    assert.match(stdout.text, /^reward pool +50 MAS\nto claim +0 MAS\nunder audit +0 MAS\n/m)
    assert.match(stdout.text, /^not yet audited +0\.2\d* MAS since period \d+$/m)
    assert.match(stdout.text, /^last audit +none yet\nstrike points +0 of 100, at which the stake is slashed$/m)
    const json = open({ json: true })
    await rewardsShow(json.context, NODE.address.slice(0, 8), {})
    const { pendingNanoMas, poolNanoMas, lastAudit, node } = JSON.parse(json.stdout.text)
    assert.deepEqual([pendingNanoMas, poolNanoMas, lastAudit, node], ['0', '50000000000', null, NODE.address])
  })

  it('explains the sum that the registry says, by a massa-node', async () => {
    const { context, stdout } = open()
    assert.equal(await rewardsExplain(context, undefined, {}), 0)
    const [, periods = '', product] =
      /: 2 GB x (\d+) periods x 1000000 nanoMAS x utilisation 1 = (\d+)$/m.exec(stdout.text) ?? []
    assert.equal(BigInt(product ?? 0), 2_000_000n * BigInt(periods))
    assert.match(stdout.text, new RegExp(`^In all ${product} nanoMAS in period \\d+\\.$`, 'm'))
    assert.match(stdout.text, /^calculatePendingRewards of the registry says the same\.\n$/m)
  })

  it('says that no audit is to come where nobody else may challenge', async () => {
    const setChallenger = async (functionName: string, coins: bigint) => {
      const { context, signal } = open({ wallet: ADMIN })
      const words = { target: 'storage_registry', functionName, args: [NODE.address] }
      await contractCall(context, words, { coins, yes: true, signal })
    }
    const explain = async () => {
      const [people, programs] = [open(), open({ json: true })]
      await rewardsExplain(people.context, undefined, {})
      await rewardsExplain(programs.context, undefined, {})
      const [, told] = /^ {4}no audit is to come: (.*)$/m.exec(people.stdout.text) ?? []
      return [told, JSON.parse(programs.stdout.text).otherChallengers]
    }
    assert.deepEqual(await explain(), ['nobody may challenge it', '0'])
    await setChallenger('add_challenger', MAS)
    assert.deepEqual(await explain(), ['nobody else may challenge, and its own draws leave it out', '0'])
    await setChallenger('remove_challenger', 0n)
  })

  it('error: fails when the registry says another sum', async () => {
    const liar = await startLiar(place.face.url)
    try {
      const { port } = liar.address() as AddressInfo
      const env = { MASSA_STORAGE_CONTRACT__JSON_RPC_URL: `http://127.0.0.1:${port}` }
      const { context, stdout } = open({ json: true, env })
      await assert.rejects(rewardsExplain(context, undefined, {}), { code: 'CONTRACT_REWARDS_DIFFERENT' })
      const { isEqual, viewNanoMas, totalNanoMas } = JSON.parse(stdout.text)
      assert.deepEqual([isEqual, BigInt(viewNanoMas) ^ BigInt(totalNanoMas)], [false, 1n])
    } finally {
      liar.closeAllConnections()
      liar.close()
    }
  })

  it('error: an address that is none, or of nobody', async () => {
    for (const [wanted, code] of [
      ['AU1', 'CLI_USAGE'],
      ['node-1', 'CLI_USAGE'],
      ['AU0000', 'CLI_USAGE'],
      [`${NODE.address}11`, 'CLI_USAGE'],
      ['AUzzzz', 'REGISTRY_NODE_UNKNOWN'],
      [ADMIN.address, 'REGISTRY_NODE_UNKNOWN'],
    ] as const) {
      const { context, stdout } = open()
      await assert.rejects(rewardsShow(context, wanted, {}), (error) => isArchiveError(error, code), wanted)
      assert.equal(stdout.text, '')
    }
  })

  it('error: the beginning of two addresses', async () => {
    const nodes = ['AU12abcdE', 'AU12abcdF', 'AU1zzzzz'].map((address) => ({ address }))
    const client = { readAllNodes: async () => nodes } as unknown as RegistryClient
    await assert.rejects(resolveNode(client, 'AU12abcd'), { code: 'CLI_USAGE' })
    assert.equal(await resolveNode(client, 'AU12abcdF'), 'AU12abcdF')
    assert.equal(await resolveNode(client, 'AU1zzz'), 'AU1zzzzz')
  })
})

/** Hands requests on to a massa-node, and changes the last bit of what `calculatePendingRewards` returned. */
async function startLiar(url: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const body = Buffer.concat(parts).toString()
    const headers = { 'content-type': 'application/json' }
    const answer = (await (await fetch(url, { method: 'POST', headers, body })).json()) as {
      result: { result: { Ok: number[] } }[]
    }
    const bytes = body.includes('calculatePendingRewards') ? answer.result[0]?.result.Ok : undefined
    if (bytes) bytes[0] = (bytes[0] ?? 0) ^ 1
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}
