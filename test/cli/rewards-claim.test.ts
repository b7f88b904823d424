import assert from 'node:assert/strict'
import { contractCall } from '../../cli/commands/contract-call.ts'
import { registerNode } from '../../cli/commands/node-register.ts'
import { rewardsExplain } from '../../cli/commands/rewards.ts'
import { rewardsClaim } from '../../cli/commands/rewards-claim.ts'
import {
  computeChallengeSeed,
  computeChunkId,
  computeProofText,
  computeStorageProof,
  encodeSignatureArgument,
  isArchiveError,
  parseCoins,
  signText,
  toHex,
} from '../../core/index.ts'
import { MAS, makeWallet, type Wallet } from '../devnet/node/face.ts'
import { type CommandOptions, RegistryPlace } from './registry-place.ts'

const ADMIN = makeWallet('admin')
const NODE = makeWallet('node')
const STRANGER = makeWallet('stranger')
const CHUNK = new Uint8Array(2_000).fill(7)
const NONCE = 7n
const SAMPLES = 2

describe('cli/commands/rewards-claim', function () {
  this.timeout(60_000)
  let place: RegistryPlace

  const open = (options: Partial<CommandOptions> = {}) => place.command({ wallet: NODE, ...options })

  async function call(wallet: Wallet, functionName: string, args: readonly string[], coins = 0n): Promise<void> {
    const { context, signal } = open({ wallet })
    await contractCall(context, { target: 'storage_registry', functionName, args }, { coins, yes: true, signal })
  }

  async function readJson(functionName: string, args: readonly string[]): Promise<Record<string, string>> {
    const { context, signal, stdout } = open({ json: true })
    await contractCall(context, { target: 'storage_registry', functionName, args }, { signal })
    const { result, contract } = JSON.parse(stdout.text)
    return { contract, ...result }
  }

  /** One challenge, passed. */
  async function passAudit(): Promise<void> {
    const chunkId = computeChunkId(CHUNK)
    await call(ADMIN, 'issue_challenge', ['c1', NODE.address, toHex(chunkId), `${NONCE}`], MAS)
    const { contract = '', issuedPeriod } = await readJson('get_challenge', ['c1'])
    const seed = computeChallengeSeed({
      chainId: 77n,
      contract,
      challengeId: 'c1',
      nodeAddress: NODE.address,
      chunkId,
      nonce: NONCE,
      issuedPeriod: Number(issuedPeriod),
    })
    const proof = computeStorageProof(CHUNK, { seed, samples: SAMPLES })
    const signature = encodeSignatureArgument(signText(NODE.seed, computeProofText(seed, proof)))
    await call(NODE, 'submit_proof', ['c1', toHex(proof), toHex(signature)])
  }

  before(async () => {
    place = await RegistryPlace.open([ADMIN, NODE, STRANGER], 'challenge_response_timeout = 3_600_000')
    await call(ADMIN, 'fund_rewards', [], 50n * MAS)
    await call(ADMIN, 'add_challenger', [ADMIN.address], MAS)
    const { context, signal } = open({ env: { MASSA_STORAGE_RETENTION_PERIODS: '0' } })
    await registerNode(context, { gb: 2n, yes: true, signal })
    place.skipPeriods(50)
  })

  after(() => place.close())

  it('says that nothing has vested, and sends nothing', async () => {
    const before = place.balance(NODE)
    const { context, signal, stdout, stderr } = open()
    assert.equal(await rewardsClaim(context, { signal }), 0)
    assert.equal(stdout.text, `Nothing has vested for ${NODE.address}: nothing was sent.\n`)
    assert.match(stderr.text, /massa-storage rewards explain/)
    const json = open({ json: true })
    await rewardsClaim(json.context, { yes: true, signal: json.signal })
    assert.deepEqual(JSON.parse(json.stdout.text), {
      node: NODE.address,
      operationId: null,
      claimedNanoMas: '0',
      balanceNanoMas: `${before}`,
    })
    assert.equal(place.balance(NODE), before)
  })

  it('error: a wallet that is no node', async () => {
    const { context, signal } = open({ wallet: STRANGER })
    await assert.rejects(rewardsClaim(context, { yes: true, signal }), { code: 'REGISTRY_NODE_UNKNOWN' })
  })

  it('asks, pays out what an audit vested, and its numbers add up', async () => {
    await passAudit()
    const explaining = open()
    await rewardsExplain(explaining.context, undefined, {})
    const line = / 2 GB x (\d+) periods x 1000000 nanoMAS x utilisation 1 x 1\/1 passed = (\d+)$/m
    const [, periods = '', vested = ''] = line.exec(explaining.stdout.text) ?? []
    assert.equal(BigInt(vested), 2_000_000n * BigInt(periods), explaining.stdout.text)
    const before = place.balance(NODE)
    const asked = open({ answer: 'no' })
    await assert.rejects(rewardsClaim(asked.context, { signal: asked.signal }), (error) =>
      isArchiveError(error, 'CLI_NOT_CONFIRMED'),
    )
    assert.match(
      asked.stderr.text,
      /^0\.\d+ MAS have vested; the wallet holds \d+\.\d+ MAS\.\nCall of claimRewards at AS/,
    )
    assert.equal(place.balance(NODE), before)
    const { context, signal, stdout, stderr } = open()
    assert.equal(await rewardsClaim(context, { yes: true, signal }), 0)
    const numbers = [
      /^balance before +(\S+) MAS$/m,
      /^rewards +\+ (\S+) MAS$/m,
      /^fee +- (\S+) MAS$/m,
      /^balance now +(\S+) MAS$/m,
    ].map((pattern) => parseCoins(pattern.exec(stdout.text)?.[1] ?? ''))
    const fee = MAS / 100n
    assert.deepEqual(numbers, [before, BigInt(vested), fee, before + BigInt(vested) - fee])
    assert.equal(place.balance(NODE), before + BigInt(vested) - fee)
    assert.doesNotMatch(stderr.text, /Something else/)
    assert.match(stderr.text, /'massa-storage rewards history' will not show it: no massa-storage runs on .*\.$/m)
  })
})
