import assert from 'node:assert/strict'
import { checkRegistry } from '../../cli/check-registry.ts'
import { contractCall } from '../../cli/commands/contract-call.ts'
import { nodeInfo } from '../../cli/commands/node-info.ts'
import { registerNode } from '../../cli/commands/node-register.ts'
import { ERA_PERIODS, isArchiveError } from '../../core/index.ts'
import { makeWallet } from '../devnet/node/face.ts'
import { type CommandOptions, RegistryPlace } from './registry-place.ts'

const ADMIN = makeWallet('admin')
const NODE = makeWallet('node')
const OTHER = makeWallet('other node')
const REACHED = makeWallet('reached node')
const COMMAND = /^ {2}massa-storage sc call (storage_registry update_storage_allocation 3 0)$/m
const FOR_EVER = { MASSA_STORAGE_RETENTION_PERIODS: '0' }
const ANCHORED = [
  'require_anchors = true',
  'unbonding_periods = 256',
  'admin_delay_periods = 3000',
  'max_reward_per_period = 1_000_000_000',
].join('\n')

describe('cli/commands/node-register', function () {
  this.timeout(180_000)
  let place: RegistryPlace

  before(async () => {
    place = await RegistryPlace.open([ADMIN, NODE, OTHER, REACHED], ANCHORED)
  })

  after(() => place.close())

  const open = (options: Partial<CommandOptions> = {}) => place.command({ wallet: NODE, ...options })

  const doctor = async () => {
    const { context } = open()
    const findings = await checkRegistry(context, context.load({ 'p2p.enabled': true }))
    return findings.map(({ ok, detail }) => [ok, detail])
  }

  it('error: with the shipped settings nothing is staked where anchors are required', async () => {
    const before = place.balance(NODE)
    for (const options of [{}, { retentionPeriods: 5_000n }]) {
      const { context, signal } = open()
      await assert.rejects(registerNode(context, { ...options, gb: 3n, yes: true, signal }), (error) => {
        assert(isArchiveError(error, 'CONTRACT_NODE_WEIGHTLESS'))
        assert.match(error.message, /set 'retention_periods = 0' below \[distributed_storage\] in \S+config\.toml$/)
        return true
      })
    }
    assert.equal(place.balance(NODE), before)
    const [[ok, detail] = []] = await doctor()
    assert.equal(ok, false)
    assert.match(`${detail}`, /^AU\w+ is not registered in AS\w+ \(REGISTRY_NODE_UNKNOWN\); archiving goes on$/)
  })

  it('who is asked sees what he pays for, also with --quiet, which hides no warning', async () => {
    const options = { gb: 3n, retentionPeriods: 0n }
    const warning = 'Warning: this promises to keep for ever, and the archive keeps 100: set .*\n'
    const asked = open({ quiet: true, answer: 'no' })
    const registering = registerNode(asked.context, { ...options, signal: asked.signal })
    await assert.rejects(registering, (error) => isArchiveError(error, 'CLI_NOT_CONFIRMED'))
    assert.match(
      asked.stderr.text,
      new RegExp(
        `^${warning}Registering with a stake of 10 MAS.*\nCall of registerStorageNode at AS[\\s\\S]*` +
          '\n {2}stake = 10000000000\n[\\s\\S]*\nSpend at most 10\\.\\d+ MAS\\? \\[yes/no\\]: no\n$',
      ),
    )
    const unasked = open({ quiet: true })
    const refused = registerNode(unasked.context, { ...options, signal: unasked.signal })
    await assert.rejects(refused, (error) => isArchiveError(error, 'CLI_NOT_CONFIRMED'))
    assert.match(unasked.stderr.text, new RegExp(`^${warning}$`))
  })

  it('who keeps for ever has weight; who then promises less is told so', async () => {
    const registering = open({ env: FOR_EVER })
    await registerNode(registering.context, { gb: 3n, yes: true, signal: registering.signal })
    assert.match(registering.stdout.text, /^Registered AU\w+: 3 GB/)
    assert.doesNotMatch(registering.stderr.text, /Warning/)
    const [[ok, detail] = []] = await doctor()
    assert.equal(ok, true)
    assert.match(`${detail}`, /^AS\w+ has AU\w+ as an active node$/)
    const look = async () => {
      const { context, stdout } = open()
      await nodeInfo(context, undefined, {})
      return stdout.text
    }
    assert.match(
      await look(),
      /^state +active, without weight before era \d+$[\s\S]*^weight +0 GB, 1 GB due from era \d+ on$/m,
    )
    const words = { target: 'storage_registry', functionName: 'update_storage_allocation', args: ['3', '100'] }
    const updating = open()
    await contractCall(updating.context, words, { yes: true, signal: updating.signal })
    const info = await look()
    assert.match(info, /^state +without weight: only nodes that keep for ever count here$/m)
    assert.match(info, /^weight +0 GB$/m)
    assert.match(info, /^ {2}massa-storage sc call storage_registry update_storage_allocation 3 0$/m)
    const seed = open()
    await contractCall(
      seed.context,
      { target: 'storage_registry', functionName: 'get_node_info', args: [NODE.address] },
      { signal: seed.signal },
    )
    assert.match(seed.stdout.text, /^allocated_gb=3, success_rate=1\.0, pending_rewards=0\n/)
    assert.match(
      seed.stderr.text,
      /^It has no weight, so it is not paid: 'massa-storage node info AU\w+' says why\.\n$/,
    )
  })

  it('where others reach it and how they may call it is published, and said before it is asked', async () => {
    const env = { ...FOR_EVER, MASSA_STORAGE_P2P__ANNOUNCE: '/ip4/203.0.113.7/tcp/31500' }
    const registering = open({ wallet: REACHED, env })
    const before = place.balance(REACHED)
    const { signal } = registering
    const unfit = registerNode(registering.context, { gb: 3n, yes: true, operator: 'n\u00e4me', signal })
    await assert.rejects(unfit, (error) => isArchiveError(error, 'REGISTRY_METADATA_INVALID'))
    assert.equal(place.balance(REACHED), before)
    await registerNode(registering.context, { gb: 3n, yes: true, operator: 'reached', signal })
    assert.match(registering.stdout.text, /^Published: reached, \/ip4\/203\.0\.113\.7\/tcp\/31500\.\nRegistered AU/)
    const asked = open({ wallet: REACHED, env, answer: 'no' })
    const again = registerNode(asked.context, { gb: 3n, signal: asked.signal })
    await assert.rejects(again)
    const seen = open({ wallet: REACHED })
    const words = { target: 'storage_registry', functionName: 'get_node_metadata', args: [REACHED.address] }
    await contractCall(seen.context, words, { signal: seen.signal })
    assert.match(seen.stdout.text, /203\.0\.113\.7/)
    assert.match(seen.stdout.text, /operator\W+reached/)
  })

  it('a weight that is due counts only with a call, which `register` and `node info` name', async () => {
    const registering = open({ wallet: OTHER, env: FOR_EVER })
    await registerNode(registering.context, { gb: 3n, yes: true, signal: registering.signal })
    assert.match(
      registering.stdout.text,
      /^A weight of 1 GB is due from era \d+ on, in \d+ periods \(.*\); now is era \d+\.$/m,
    )
    assert.match(registering.stdout.text, COMMAND)
    const look = async (json = false) => {
      const { context, stdout } = open({ wallet: OTHER, json })
      await nodeInfo(context, undefined, {})
      return stdout.text
    }
    place.skipPeriods(2 * ERA_PERIODS)
    const due = await look()
    assert.match(due, /^state +active, without weight until a call touches it$/m)
    assert.match(due, /^weight +0 GB, 1 GB due since era \d+$/m)
    assert.match(due, /^A weight of 1 GB is due since era \d+, now is era \d+, and the registry still counts 0 GB:$/m)
    assert.match(due, COMMAND)
    const { weightGb, isWeightDue, currentEra, nextWeightEra } = JSON.parse(await look(true))
    assert.deepEqual([weightGb, isWeightDue], ['0', true])
    assert(currentEra >= Number(nextWeightEra))
    const asked = open({ wallet: OTHER })
    const words = { target: 'storage_registry', functionName: 'get_node_info', args: [OTHER.address] }
    await contractCall(asked.context, words, { signal: asked.signal })
    assert.match(asked.stderr.text, /^It has no weight, so it is not paid: /)
    const [, functionName = '', ...args] = COMMAND.exec(due)?.[1]?.split(' ') ?? []
    const touching = open({ wallet: OTHER })
    await contractCall(touching.context, { ...words, functionName, args }, { yes: true, signal: touching.signal })
    const counted = await look()
    assert.match(counted, /^state +active$[\s\S]*^weight +1 GB$/m)
    assert.doesNotMatch(counted, /update_storage_allocation/)
  })
})
