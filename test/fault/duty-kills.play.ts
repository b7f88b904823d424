import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { loadRegistryParams } from '../../config/index.ts'
import { computeChunkId, encodeSignatureArgument, fromHex, makeChallengeAnswer, toHex } from '../../core/index.ts'
import { deployRegistry, openWeb3Chain, planDeployment, RegistryClient } from '../../storage-worker/index.ts'
import {
  type Face,
  MAS,
  makeRequestClock,
  makeWallet,
  SteppedClock,
  startFace,
  type Wallet,
} from '../devnet/node/face.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'

const WRITER = fileURLToPath(new URL('duty-writer.ts', import.meta.url))
/** Where a process dies: what it sends is signed, noted, sent, in a block, final, told of and forgotten. */
const STEPS = ['signed', 'noted', 'sent', 'included', 'final', 'told', 'forgotten']
const ADMIN = makeWallet('admin')
const HOLDER = makeWallet('holder')
const ASKER = makeWallet('asker')
const FEE = MAS / 100n
const TIMEOUT_MS = 600_000

describe('fault: who acts in the registry is killed at each step of the journal', function () {
  this.timeout(TIMEOUT_MS)
  const folders = new TempFolders()
  const period = makePeriod(5, { blocks: 4, operations: 2 })
  const [chunk = new Uint8Array()] = period.chunks
  const chunkId = toHex(computeChunkId(chunk))
  let face: Face
  let registry: string
  let asker: RegistryClient
  let holder: RegistryClient
  let ids = 0

  before(async () => {
    // Time passes with requests: however slow a process is, it has as much of it.
    face = await startFace(makeRequestClock(500), [ADMIN, HOLDER, ASKER])
    const { chain } = await clientOf(ADMIN, '')
    const plan = await planDeployment(chain, { ...loadRegistryParams(undefined), challengeResponseTimeout: 160_000n })
    registry = (await deployRegistry(chain, plan)).address
    const admin = await clientOf(ADMIN, registry)
    await admin.call('fundRewards', {}, { coinsNanoMas: 50n * MAS })
    await admin.call('addChallenger', { address: ASKER.address }, { coinsNanoMas: MAS })
    asker = await clientOf(ASKER, registry)
    holder = await clientOf(HOLDER, registry)
    await holder.call('registerStorageNode', { allocatedGb: 5n }, { coinsNanoMas: 20n * MAS })
  })
  after(() => face.close())
  afterEach(() => folders.clean())

  async function clientOf(wallet: Wallet, address: string): Promise<RegistryClient> {
    const limits = { feeNanoMas: 0n, maxFeeNanoMas: MAS, gasMarginPercent: 20, requestTimeoutMs: 60_000 }
    const options = { url: face.url, chainId: 77n, secretKey: wallet.secret, pollIntervalMs: 500, ...limits }
    return new RegistryClient(address, await openWeb3Chain(options, new SteppedClock()))
  }

  async function run(dataDir: string, duty: string, killAt: string, more: readonly string[] = []): Promise<void> {
    const args = ['-C', 'source', '--import', 'tsx', WRITER, dataDir, face.url, registry, duty, killAt, ...more]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    const [code, signal] = await once(child, 'exit')
    assert.deepEqual([code, signal], killAt === '' ? [0, null] : [null, 'SIGKILL'], `${duty}, ${killAt}`)
  }

  /** Dies at the step, and begins again on the same store. */
  async function runTwice(dataDir: string, duty: string, step: string, more: readonly string[] = []): Promise<void> {
    await run(dataDir, duty, step, more)
    await run(dataDir, duty, '', more)
  }

  async function makeStore(): Promise<string> {
    const dataDir = await folders.make()
    const store = await openTestStore(dataDir)
    await store.chunks.writePeriod(period)
    await store.close()
    return dataDir
  }

  /** A challenge that is in a block, in a period that has none yet. */
  async function issue(): Promise<string> {
    await nextPeriod()
    const challengeId = `p-${++ids}`
    const args = { challengeIds: [challengeId], nodeAddress: HOLDER.address, chunkIds: [chunkId], nonces: [7n] }
    await asker.call('issueChallenges', args, { coinsNanoMas: MAS, final: false })
    return challengeId
  }

  async function nextPeriod(): Promise<void> {
    const { period: now } = await asker.chain.readStatus()
    while ((await asker.chain.readStatus()).period < now + 3);
  }

  async function settled(wallet: Wallet): Promise<bigint> {
    for (;;) {
      const { candidate, final } = await asker.chain.readBalances(wallet.address)
      if (candidate === final) return final
    }
  }

  for (const step of STEPS) {
    it(`prover, ${step}: the challenge passes, for one fee`, async () => {
      const dataDir = await makeStore()
      const before = await settled(HOLDER)
      const challengeId = await issue()
      await runTwice(dataDir, 'prover', step)
      assert.equal((await asker.read('getChallenge', { challengeId })).outcome, 'passed')
      assert.equal(before - (await settled(HOLDER)), FEE)
    })

    it(`rewards, ${step}: claimed once, for one fee, and in the history once`, async () => {
      const dataDir = await makeStore()
      await passAudit()
      const { pendingRewards } = await holder.read('getNodeInfo', { address: HOLDER.address })
      assert.ok(pendingRewards > 0n)
      const before = await settled(HOLDER)
      await runTwice(dataDir, 'rewards', step)
      assert.equal((await settled(HOLDER)) - before, pendingRewards - FEE)
      const store = await openTestStore(dataDir)
      const claims = await store.rewards.list(9)
      await store.close()
      assert.deepEqual(
        claims.map(({ kind, amountNanoMas }) => [kind, amountNanoMas]),
        [['claim', `${pendingRewards}`]],
      )
    })

    it(`challenger, ${step}: judged, in the history once, for one fee each`, async () => {
      const dataDir = await makeStore()
      await nextPeriod()
      const challengeId = `m-${++ids}`
      const before = await settled(ASKER)
      await runTwice(dataDir, 'challenger', step, [challengeId, HOLDER.address, chunkId])
      assert.equal((await asker.read('getChallenge', { challengeId })).outcome, 'expired')
      const spent = before - (await settled(ASKER))
      // Two fees and the records of the challenge and its period.
      assert.ok(spent >= 2n * FEE && spent < 2n * FEE + 50_000_000n, `${spent} nanoMAS`)
      const store = await openTestStore(dataDir)
      const entries = await store.challenges.list(9)
      await store.close()
      assert.deepEqual(
        entries.map((entry) => [entry.challengeId, entry.result]),
        [[challengeId, 'noAnswer']],
      )
    })
  }

  async function passAudit(): Promise<void> {
    const challengeId = await issue()
    const record = await asker.read('getChallenge', { challengeId })
    const { nodeAddress, nonce, samples } = record
    const place = { chainId: 77n, contract: registry, challengeId, nodeAddress, nonce }
    const challenge = { ...place, chunkId: fromHex(record.chunkId), issuedPeriod: Number(record.issuedPeriod) }
    const answer = makeChallengeAnswer(chunk, { kind: 'challenge', samples, challenge }, HOLDER.seed)
    const signatures = [encodeSignatureArgument(answer.signature)]
    await holder.call('submitProofs', { challengeIds: [challengeId], merkleProofs: [answer.proof], signatures })
  }
})
