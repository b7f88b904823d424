import assert from 'node:assert/strict'
import { loadRegistryParams } from '../../config/index.ts'
import {
  computeChallengeSeed,
  computeChunkId,
  computeEraText,
  computeProofText,
  computeStorageProof,
  type ErrorCode,
  encodeSignatureArgument,
  findStakeTooLow,
  formatRegistryEvent,
  isArchiveError,
  parseRegistryEvent,
  REGISTRY_EVENT_NAMES,
  type RegistryConfig,
  signText,
  toHex,
} from '../../core/index.ts'
import {
  type ChainPort,
  checkAnnounce,
  checkApply,
  compareBytecode,
  deployRegistry,
  openWeb3Chain,
  planConfigChange,
  planDeployment,
  quoteChange,
  RegistryClient,
  readPendingChange,
  readPendingChanges,
  readShippedBytecode,
  sendChange,
} from '../../storage-worker/index.ts'
import { type Face, MAS, makeWallet, SteppedClock, startFace, type Wallet } from '../devnet/node/face.ts'

const ADMIN = makeWallet('admin')
const NODE = makeWallet('node')
const CHALLENGER = makeWallet('challenger')
const CHAIN_ID = 77n

function refused(code: ErrorCode, promise: Promise<unknown>): Promise<void> {
  return assert.rejects(promise, (error) => {
    if (!isArchiveError(error, code)) throw error
    return true
  })
}

describe('storage-worker/registry-client with the shipped contract', () => {
  let face: Face
  let clock: SteppedClock

  before(async () => {
    clock = new SteppedClock()
    face = await startFace(clock, [ADMIN, NODE, CHALLENGER])
  })

  after(() => face.close())

  const connect = (wallet?: Wallet): Promise<ChainPort> =>
    openWeb3Chain(
      {
        url: face.url,
        chainId: CHAIN_ID,
        secretKey: wallet?.secret,
        feeNanoMas: 0n,
        maxFeeNanoMas: MAS,
        gasMarginPercent: 20,
        requestTimeoutMs: 10_000,
        pollIntervalMs: 5_000,
      },
      clock,
    )

  async function deploy(changes: Partial<RegistryConfig> = {}): Promise<string> {
    const chain = await connect(ADMIN)
    const plan = await planDeployment(chain, { ...loadRegistryParams(undefined), ...changes })
    return (await deployRegistry(chain, plan)).address
  }

  const clientOf = async (address: string, wallet?: Wallet) => new RegistryClient(address, await connect(wallet))
  const eventNames = (outcome: { events: readonly { name: string }[] }) => outcome.events.map(({ name }) => name)
  const periods = (count: number) => clock.advance(count * 16_000)

  it('a deployment costs exactly what was said before', async () => {
    const chain = await connect(ADMIN)
    const before = await chain.readBalance(ADMIN.address)
    const plan = await planDeployment(chain, loadRegistryParams(undefined))
    const { address, feeNanoMas } = await deployRegistry(chain, plan)
    assert.equal(before - (await chain.readBalance(ADMIN.address)), plan.quote.spendNanoMas)
    assert.equal(plan.quote.spendNanoMas, plan.price.codeNanoMas + plan.price.recordsNanoMas + feeNanoMas)
    assert.equal(await chain.readBalance(address), 0n)
    assert.equal((await compareBytecode(chain, address)).isEqual, true)
  })

  it('tells the address before the deployment is final', async () => {
    const chain = await connect(ADMIN)
    const plan = await planDeployment(chain, loadRegistryParams(undefined))
    const told: string[] = []
    const { address } = await deployRegistry(chain, plan, { onAddress: (early) => told.push(early) })
    assert.deepEqual(told, [address])
  })

  it('error: refuses settings out of bounds, and on mainnet those without anchors, before anything is sent', async () => {
    const chain = await connect(ADMIN)
    const config = loadRegistryParams(undefined)
    await refused('REGISTRY_CONFIG_INVALID', planDeployment(chain, { ...config, slashPercentage: 101n }))
    const mainnet: ChainPort = new Proxy(chain, {
      get: (target, key) =>
        key === 'readStatus'
          ? async () => ({ chainId: 77_658_377n, period: 1, finalPeriod: 0, minimalFeeNanoMas: MAS / 100n })
          : Reflect.get(target, key, target),
    })
    await refused('REGISTRY_MAINNET_REFUSED', planDeployment(mainnet, config))
    const anchored = { ...config, requireAnchors: true, adminDelayPeriods: 10_800n }
    const safe = { ...anchored, stakePerGb: 5_400_000_000n, maxRewardPerPeriod: MAS }
    await refused('REGISTRY_MAINNET_REFUSED', planDeployment(mainnet, { ...safe, maxRewardPerPeriod: 0n }))
    await refused('REGISTRY_MAINNET_REFUSED', planDeployment(mainnet, { ...safe, minStake: 0n, stakePerGb: 0n }))
    assert.equal((await planDeployment(mainnet, { ...safe, minStake: 0n })).chainId, 77_658_377n)
    assert.equal((await planDeployment(mainnet, { ...safe, stakePerGb: 0n })).chainId, 77_658_377n)
    assert.equal((await planDeployment(mainnet, safe)).chainId, 77_658_377n)
    assert.deepEqual(
      [safe, { ...safe, stakePerGb: 1n }].map((each) => findStakeTooLow(each, 77_658_377n)),
      [undefined, 5_400_000_000n],
    )
    assert.equal(findStakeTooLow({ ...safe, stakePerGb: 1n }, CHAIN_ID), undefined)
    assert.equal(face.chain.poolSize, 0)
  })

  it('error: refuses an admin that is the address of a contract which is not there', async () => {
    const chain = await connect(ADMIN)
    const config = loadRegistryParams(undefined)
    const nobody = 'AS12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
    await refused('CONTRACT_NOT_FOUND', planDeployment(chain, config, { admin: nobody }))
    assert.equal(face.chain.poolSize, 0)
    const somebody = await deploy()
    assert.equal((await planDeployment(chain, config, { admin: somebody })).admin, somebody)
  })

  it('the life of a node: register, describe, be challenged, prove, earn, claim, leave', async () => {
    const address = await deploy({ unbondingPeriods: 1n })
    const admin = await clientOf(address, ADMIN)
    const node = await clientOf(address, NODE)
    const challenger = await clientOf(address, CHALLENGER)
    assert.deepEqual(await admin.readAdmin(), { admin: ADMIN.address, pending: undefined })
    assert.equal(await admin.read('getVersion', {}), 1)

    assert.deepEqual((await admin.call('fundRewards', {}, { coinsNanoMas: 50n * MAS })).events, [
      { name: 'REWARDS_FUNDED', amount: 50n * MAS },
    ])
    assert.equal(await admin.read('getRewardPool', {}), 50n * MAS)
    assert.deepEqual(
      (await admin.call('addChallenger', { address: CHALLENGER.address }, { coinsNanoMas: MAS })).events,
      [{ name: 'CHALLENGER_ADDED', address: CHALLENGER.address }],
    )
    assert.equal(await admin.read('isChallenger', { address: CHALLENGER.address }), true)

    const registered = await node.call('registerStorageNode', { allocatedGb: 5n }, { coinsNanoMas: 11n * MAS })
    assert.deepEqual(registered.events, [{ name: 'STORAGE_NODE_REGISTERED', address: NODE.address, allocatedGb: 5n }])
    const info = await node.read('getNodeInfo', { address: NODE.address })
    assert.equal(info.stake, 10n * MAS)
    assert.equal(info.lastStrikePeriod, undefined)
    assert.equal(info.lastChallenger, undefined)
    assert.deepEqual(await node.readAllNodes(), [info])

    const metadata = { p2pAddrs: ['/ip4/127.0.0.1/tcp/1'], endpoint: 'http://a', location: 'here', operator: 'me' }
    await node.call('updateNodeMetadata', metadata, { coinsNanoMas: MAS })
    const stored = await node.read('getNodeMetadata', { address: NODE.address })
    assert.deepEqual(stored.current, metadata)

    const chunk = Buffer.from('a chunk of a few bytes'.repeat(100))
    const chunkId = computeChunkId(chunk)
    periods(10)
    const issued = await challenger.call(
      'issueChallenge',
      { challengeId: 'c1', nodeAddress: NODE.address, chunkId: toHex(chunkId), nonce: 7n },
      { coinsNanoMas: MAS, final: false },
    )
    assert.deepEqual(issued.events, [
      { name: 'CHALLENGE_ISSUED', challengeId: 'c1', nodeAddress: NODE.address, chunkId: toHex(chunkId) },
    ])
    const challenge = await node.read('getChallenge', { challengeId: 'c1' })
    assert.equal(challenge.outcome, 'open')
    assert.equal(challenge.issuer, CHALLENGER.address)
    const seed = computeChallengeSeed({
      chainId: CHAIN_ID,
      contract: address,
      challengeId: 'c1',
      nodeAddress: NODE.address,
      chunkId,
      nonce: 7n,
      issuedPeriod: Number(challenge.issuedPeriod),
    })
    const merkleProof = computeStorageProof(chunk, { seed, samples: challenge.samples })
    const signature = encodeSignatureArgument(signText(NODE.seed, computeProofText(seed, merkleProof)))
    const proof = { challengeId: 'c1', merkleProof, signature }
    assert.deepEqual(eventNames(await node.call('submitProof', proof)), ['CHALLENGE_PASSED', 'AUDIT_CLOSED'])
    assert.equal((await node.read('getChallenge', { challengeId: 'c1' })).outcome, 'passed')
    await refused('REGISTRY_CHALLENGE_RESOLVED', node.call('submitProof', proof))

    const { pendingRewards } = await node.read('getNodeInfo', { address: NODE.address })
    assert(pendingRewards > 0n)
    assert((await node.read('calculatePendingRewards', { address: NODE.address })) >= pendingRewards)
    assert.deepEqual((await node.call('claimRewards', {})).events, [
      { name: 'REWARDS_CLAIMED', address: NODE.address, amount: pendingRewards },
    ])
    await refused('REGISTRY_NOTHING_TO_CLAIM', node.call('claimRewards', {}))

    const { issuedPeriod: period } = challenge
    assert.deepEqual(eventNames(await admin.call('distributeRewards', { period }, { coinsNanoMas: MAS })), [
      'REWARDS_DISTRIBUTED',
    ])
    const stats = await node.read('getPeriodStats', { period })
    assert.equal(stats.challengesIssued, 1n)
    assert.equal(stats.challengesPassed, 1n)

    assert.deepEqual(eventNames(await node.call('unregisterStorageNode', {})), ['STORAGE_NODE_UNREGISTERED'])
    periods(2)
    assert.deepEqual(eventNames(await node.call('unregisterStorageNode', {})), ['STAKE_WITHDRAWN'])
    assert.equal(await node.read('getTotalNodes', {}), 0n)
    await refused('REGISTRY_NODE_UNKNOWN', node.read('getNodeInfo', { address: NODE.address }))
  })

  it('a challenge that nobody answers expires; another issuer is refused', async () => {
    const address = await deploy()
    const admin = await clientOf(address, ADMIN)
    const node = await clientOf(address, NODE)
    await admin.call('addChallenger', { address: ADMIN.address }, { coinsNanoMas: MAS, final: false })
    await node.call('registerStorageNode', { allocatedGb: 1n }, { coinsNanoMas: 11n * MAS, final: false })
    periods(2)
    const batch = {
      challengeIds: ['a', 'b'],
      nodeAddress: NODE.address,
      chunkIds: ['00'.repeat(32), '11'.repeat(32)],
      nonces: [1n, 2n],
    }
    await refused('REGISTRY_NOT_CHALLENGER', node.call('issueChallenges', batch, { coinsNanoMas: MAS }))
    const issued = await admin.call('issueChallenges', batch, { coinsNanoMas: MAS, final: false })
    assert.deepEqual(eventNames(issued), ['CHALLENGE_ISSUED', 'CHALLENGE_ISSUED'])
    await refused('REGISTRY_NOTHING_EXPIRED', node.call('resolveExpiredChallenges', { challengeIds: ['a', 'b', 'c'] }))
    periods(5)
    const resolved = await node.call('resolveExpiredChallenges', { challengeIds: ['a', 'b', 'c'] }, { final: false })
    assert.deepEqual(eventNames(resolved), ['CHALLENGE_EXPIRED', 'CHALLENGE_EXPIRED', 'AUDIT_CLOSED'])
    assert.equal((await node.read('getChallenge', { challengeId: 'b' })).outcome, 'expired')
    await refused('REGISTRY_NOTHING_PRUNED', node.call('prune', { kind: 'challenge', ids: ['a'] }))
    await refused('REGISTRY_ERA_UNKNOWN', node.read('getEra', { era: 0n }))
    assert.equal(await node.read('getLatestEra', {}), undefined)
  })

  it('settings change in two steps: announced, too early, applied', async () => {
    const address = await deploy({ adminDelayPeriods: 20n })
    const admin = await clientOf(address, ADMIN)
    const { old, config } = await planConfigChange(admin, { slashPercentage: 25n })
    assert.equal(old.slashPercentage, 10n)
    const change = { what: 'config', config } as const
    await refused('CONTRACT_NOT_ANNOUNCED', checkApply(admin, change))
    assert.equal(await checkAnnounce(admin, change), true)
    assert.deepEqual(eventNames(await sendChange(admin, change, await quoteChange(admin, change), { final: false })), [
      'ADMIN_ANNOUNCED',
    ])
    const pending = await readPendingChange(admin, 'config')
    assert.equal(pending?.isDue, false)
    assert.equal(pending && pending.fromPeriod - pending.announcedPeriod, 20n)
    assert.equal(await checkAnnounce(admin, change), false)
    await refused('REGISTRY_TOO_EARLY', checkApply(admin, change))
    await refused('REGISTRY_TOO_EARLY', quoteChange(admin, change))
    periods(21)
    await checkApply(admin, change)
    const applied = await sendChange(admin, change, await quoteChange(admin, change), { final: false })
    assert.deepEqual(applied.events, [{ name: 'CONFIG_UPDATED', field: 'slashPercentage', old: '10', new: '25' }])
    assert.deepEqual(await admin.read('getConfig', {}), config)
    assert.equal(await readPendingChange(admin, 'config'), undefined)
    await refused('REGISTRY_CONFIG_INVALID', planConfigChange(admin, { adminDelayPeriods: 19n }))
    const node = await clientOf(address, NODE)
    await refused('REGISTRY_NOT_ADMIN', quoteChange(node, { what: 'config', config }))
  })

  it('settings in force take back what is announced, and an announcement that nobody applied expires', async () => {
    const address = await deploy({ adminDelayPeriods: 20n })
    const admin = await clientOf(address, ADMIN)
    const { old, config } = await planConfigChange(admin, { slashPercentage: 25n })
    const change = { what: 'config', config } as const
    const send = async () =>
      (await sendChange(admin, change, await quoteChange(admin, change), { final: false })).events[0]
    await send()
    const [pending] = await readPendingChanges(admin)
    assert.equal(pending && pending.untilPeriod - pending.fromPeriod, 5400n)
    const withdrawn = await admin.call('updateConfig', old, { coinsNanoMas: MAS, final: false })
    assert.deepEqual(withdrawn.events, [{ name: 'ADMIN_WITHDRAWN', what: 'config', hash: pending?.hash }])
    assert.deepEqual(await readPendingChanges(admin), [])
    await send()
    periods(20 + 5402)
    const late = await readPendingChange(admin, 'config')
    assert.deepEqual([late?.isDue, late?.isExpired], [false, true])
    await refused('CONTRACT_NOT_ANNOUNCED', checkApply(admin, change))
    assert.equal(await checkAnnounce(admin, change), true)
    const announced = await send()
    assert.equal(announced?.name, 'ADMIN_ANNOUNCED')
    assert.equal((await readPendingChange(admin, 'config'))?.isExpired, false)
  })

  it('code changes in one step where the delay is 0', async () => {
    const address = await deploy()
    const admin = await clientOf(address, ADMIN)
    // A custom section changes the bytes and not what they do.
    const bytecode = Uint8Array.from([...readShippedBytecode(), 0, 4, 3, 0x61, 0x62, 0x63])
    const change = { what: 'code', bytecode } as const
    await refused('CONTRACT_NO_DELAY', checkAnnounce(admin, change))
    await checkApply(admin, change)
    assert.deepEqual(eventNames(await sendChange(admin, change, await quoteChange(admin, change), { final: false })), [
      'CODE_UPGRADED',
    ])
    assert.equal((await compareBytecode(admin.chain, address)).isEqual, false)
    assert.equal(await admin.read('getTotalNodes', {}), 0n)
  })

  it('the admin hands over in two steps, and pauses', async () => {
    const address = await deploy()
    const admin = await clientOf(address, ADMIN)
    const node = await clientOf(address, NODE)
    await admin.call('transferAdmin', { address: NODE.address }, { coinsNanoMas: MAS, final: false })
    assert.deepEqual(await admin.readAdmin(), { admin: ADMIN.address, pending: NODE.address })
    await refused('REGISTRY_NOT_PENDING_ADMIN', admin.call('acceptAdmin', {}))
    const changed = await node.call('acceptAdmin', {}, { final: false })
    assert.deepEqual(changed.events, [{ name: 'ADMIN_CHANGED', oldAdmin: ADMIN.address, newAdmin: NODE.address }])
    const paused = await node.call('setPaused', { paused: true }, { final: false })
    assert.deepEqual(paused.events, [{ name: 'PAUSED_SET', paused: true }])
    await refused('REGISTRY_PAUSED', node.call('registerStorageNode', { allocatedGb: 1n }, { coinsNanoMas: 11n * MAS }))
  })

  it('strikes, voids, prunes and a short pool', async () => {
    const address = await deploy({
      strikesBeforeSlash: 1,
      passesPerStrike: 1,
      strikeSpacingPeriods: 1n,
      recordRetentionPeriods: 1n,
    })
    const admin = await clientOf(address, ADMIN)
    const node = await clientOf(address, NODE)
    const paid = { coinsNanoMas: MAS, final: false }
    await admin.call('addChallenger', { address: ADMIN.address }, paid)
    await node.call('registerStorageNode', { allocatedGb: 2n }, { coinsNanoMas: 11n * MAS, final: false })
    assert.deepEqual((await node.call('updateStorageAllocation', { newAllocatedGb: 3n }, { final: false })).events, [
      { name: 'STORAGE_NODE_UPDATED', address: NODE.address, oldGb: 2n, newGb: 3n },
    ])
    const chunk = Buffer.from('another chunk')
    const challenge = { nodeAddress: NODE.address, chunkId: toHex(computeChunkId(chunk)), nonce: 1n }
    periods(2)
    await admin.call('issueChallenge', { ...challenge, challengeId: 'wrong', evidence: new Uint8Array() }, paid)
    const { issuedPeriod, samples } = await node.read('getChallenge', { challengeId: 'wrong' })
    const seed = computeChallengeSeed({
      chainId: CHAIN_ID,
      contract: address,
      challengeId: 'wrong',
      nodeAddress: NODE.address,
      chunkId: computeChunkId(chunk),
      nonce: 1n,
      issuedPeriod: Number(issuedPeriod),
    })
    const merkleProof = computeStorageProof(chunk, { seed, samples })
    merkleProof[10] = (merkleProof[10] ?? 0) ^ 1
    const signature = encodeSignatureArgument(signText(NODE.seed, computeProofText(seed, merkleProof)))
    const failed = await node.call(
      'submitProofs',
      { challengeIds: ['wrong'], merkleProofs: [merkleProof], signatures: [signature] },
      { final: false },
    )
    assert.deepEqual(eventNames(failed), ['CHALLENGE_FAILED', 'NODE_SLASHED', 'AUDIT_CLOSED'])
    assert.deepEqual(failed.events[0], {
      name: 'CHALLENGE_FAILED',
      challengeId: 'wrong',
      nodeAddress: NODE.address,
      reason: 'bad_chunk',
    })
    assert.equal((await node.read('getNodeInfo', { address: NODE.address })).active, false)
    assert.deepEqual((await node.call('topUpStake', {}, { coinsNanoMas: 5n * MAS, final: false })).events, [
      { name: 'STAKE_ADDED', address: NODE.address, amount: 5n * MAS, stake: 14n * MAS, active: true },
    ])
    // What the slashing brought is soon spent.
    const { rewardPerGbPerPeriod } = await admin.read('getConfig', {})
    periods(Number(MAS / (rewardPerGbPerPeriod * 3n)) + 10)
    const { period } = await admin.chain.readStatus()
    const distributed = await admin.call('distributeRewards', { period: BigInt(period) - 2n }, paid)
    assert.deepEqual(eventNames(distributed), ['REWARDS_DISTRIBUTED', 'POOL_SHORT'])
    await admin.call('issueChallenge', { ...challenge, challengeId: 'void' }, paid)
    await admin.call('removeChallenger', { address: ADMIN.address }, { final: false })
    periods(5)
    const resolved = await node.call('resolveExpiredChallenges', { challengeIds: ['void'] }, { final: false })
    assert.deepEqual(eventNames(resolved), ['CHALLENGE_VOIDED', 'AUDIT_CLOSED'])
    const pruned = await node.call('prune', { kind: 'challenge', ids: ['wrong', 'void'] }, { final: false })
    assert.deepEqual(pruned.events, [{ name: 'RECORDS_PRUNED', kind: 0n, count: 2n }])
  })

  it('an era is voted for by one half and anchored by both', async () => {
    const address = await deploy()
    const nodes = [await clientOf(address, NODE), await clientOf(address, CHALLENGER)] as const
    for (const node of nodes) {
      await node.call('registerStorageNode', { allocatedGb: 1n }, { coinsNanoMas: 11n * MAS, final: false })
    }
    const { period } = await nodes[0].chain.readStatus()
    const era = Math.floor(period / 128) + 1
    periods((era + 1) * 128 + 10 - period)
    const totals = { totalBytes: 1_000_000n, totalChunks: 128n }
    const [root, placementRoot] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)]
    const text = computeEraText({
      chainId: CHAIN_ID,
      contract: address,
      era,
      eraRoot: root,
      nextPlacementRoot: placementRoot,
      ...totals,
    })
    const anchor = (wallet: Wallet) => ({
      era: BigInt(era),
      root,
      placementRoot,
      ...totals,
      signatures: [encodeSignatureArgument(signText(wallet.seed, text))],
    })
    const paid = { coinsNanoMas: MAS, final: false }
    assert.deepEqual(eventNames(await nodes[0].call('anchorEra', anchor(NODE), paid)), ['ERA_VOTED'])
    const anchored = await nodes[0].call('anchorEra', anchor(CHALLENGER), paid)
    assert.deepEqual(anchored.events, [{ name: 'ERA_ANCHORED', era: BigInt(era), root: toHex(root) }])
    assert.equal(await nodes[0].read('getLatestEra', {}), BigInt(era))
    const { anchoredPeriod, ...stored } = await nodes[0].read('getEra', { era: BigInt(era) })
    assert.deepEqual(stored, { era: BigInt(era), root, placementRoot, ...totals })
    assert(anchoredPeriod > 0n)
    await refused('REGISTRY_ERA_ANCHORED', nodes[0].call('anchorEra', anchor(NODE), paid))
  })

  it('every kind of event was emitted here, and each reads back', () => {
    const seen = new Set<string>()
    for (const { event } of face.chain.events) {
      // The others: the address from a deployment, and why an operation failed.
      if (!/^[A-Z_]+:/.test(event.data)) continue
      const parsed = parseRegistryEvent(event.data)
      assert(parsed, event.data)
      assert.equal(formatRegistryEvent(parsed), event.data)
      seen.add(parsed.name)
    }
    assert.deepEqual([...seen].sort(), [...REGISTRY_EVENT_NAMES].sort())
  })

  it('regression: views answer whose wallet never held coins', async () => {
    const client = await clientOf(await deploy(), makeWallet('never held coins'))
    assert.equal(await client.read('getTotalNodes', {}), 0n)
    await refused('CHAIN_BALANCE_SHORT', client.quote('registerStorageNode', { allocatedGb: 1n }, MAS))
  })

  it('error: an address without a contract, and a contract that is no registry', async () => {
    const chain = await connect(ADMIN)
    await refused('CONTRACT_NOT_FOUND', compareBytecode(chain, NODE.address))
    const client = new RegistryClient(NODE.address, chain)
    await refused('CHAIN_TRIAL_FAILED', client.read('getVersion', {}))
  })
})
