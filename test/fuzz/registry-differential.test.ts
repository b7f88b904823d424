import assert from 'node:assert/strict'
import { ContractEngine } from '../../devnet/engine/index.ts'
import { ArgsWriter } from '../reference/args-writer.ts'
import { type Config, writeConfig } from '../reference/registry-model/config.ts'
import { VIEW_FUNCTIONS, WRITING_FUNCTIONS } from '../reference/registry-model.ts'
import { actors } from './registry/actors.ts'
import { listCodes } from './registry/coverage.ts'
import { Difference } from './registry/difference.ts'
import { checkExits } from './registry/drain.ts'
import { drawConfig } from './registry/draw-config.ts'
import { DEADLY_CODE } from './registry/moves-admin.ts'
import { makeCall } from './registry/moves-node.ts'
import { SeededRandom } from './registry/random.ts'
import { type Coverage, replay, runSeed } from './registry/run-sequence.ts'
import { describeFailure, shrink } from './registry/shrink.ts'
import type { Start } from './registry/step.ts'
import { contractCode, type Sabotage, World } from './registry/world.ts'

/** The same on every machine; `npm run fuzz` goes on from 1 with others. */
const FIRST_SEED = 900_012n
const BATCHES = 3
const SEEDS_PER_BATCH = 12n
const BATCH_TIMEOUT_MS = 120_000

/** Every code that a call can meet on a registry that exists. */
const CODES = [
  ...['ADDRESS_INVALID', 'AMOUNT_ZERO', 'ARGS_INVALID', 'AUDIT_FULL', 'AUDIT_OPEN', 'BATCH_INVALID', 'CALLER_NOT_USER'],
  ...['CHALLENGER_KNOWN', 'CHALLENGER_UNKNOWN', 'CHALLENGES_OPEN', 'CHALLENGE_EXISTS', 'CHALLENGE_ID_INVALID'],
  ...['CHALLENGE_LATE', 'CHALLENGE_RESOLVED', 'CHALLENGE_UNKNOWN', 'CHUNK_ID_INVALID', 'CODE_INVALID', 'COINS_SHORT'],
  ...['CONFIG_INVALID', 'ERA_ANCHORED', 'ERA_NOT_OVER', 'ERA_TOO_EARLY', 'ERA_TOTALS', 'ERA_UNKNOWN'],
  ...['EVIDENCE_INVALID', 'FULL', 'GB_OUT_OF_RANGE', 'KEY_MISMATCH', 'KIND_UNKNOWN', 'LIMIT_INVALID'],
  ...['METADATA_INVALID', 'NODE_EXISTS', 'NODE_INACTIVE', 'NODE_LEAVING', 'NODE_UNKNOWN', 'NOTHING_EXPIRED'],
  ...['NOTHING_PRUNED', 'NOTHING_TO_CLAIM', 'NOT_ADMIN', 'NOT_CHALLENGER', 'NOT_DEPLOYING', 'NOT_HOLDER'],
  ...['NOT_PENDING_ADMIN', 'NO_VOTERS', 'NO_VOTES', 'PAUSED', 'PERIOD_DISTRIBUTED', 'PERIOD_NOT_OVER'],
  ...['PERIOD_UNKNOWN', 'PLACEMENT_AGE', 'PROOF_SHAPE', 'SIGNATURES_UNSORTED', 'SIGNATURE_INVALID', 'STAKE_LOW'],
  ...['TOO_EARLY', 'TOO_SOON', 'UNBONDING', 'VOTES_COUNTED'],
].map((code) => `REGISTRY_${code}`)

/** What a call has left: a slice that never comes there says nothing about it. */
const SIGHTS = [
  ...['switched, records of before', 'switched, money of before', 'switched, weight', 'switched, index moves'],
  'vote without a moved node',
]

/** Each part of the reward, audit and voting rules leaves at least one of these. */
const EVENTS = [
  ...['ADMIN_ANNOUNCED', 'ADMIN_CHANGED', 'ADMIN_WITHDRAWN', 'AUDIT_CLOSED', 'CHALLENGE_EXPIRED'],
  ...['CHALLENGE_FAILED bad_chunk'],
  ...['CHALLENGE_FAILED bad_path', 'CHALLENGE_PASSED', 'CHALLENGE_VOIDED', 'CODE_UPGRADED', 'CONFIG_UPDATED'],
  ...['ERA_ANCHORED', 'ERA_VOTED', 'NODE_SLASHED', 'POOL_SHORT', 'RECORDS_PRUNED', 'STAKE_WITHDRAWN'],
]

const admin = actors[0]?.address ?? ''

describe('fuzz/registry-differential', () => {
  const coverage: Coverage = new Map()

  it('refuses every function of a contract whose constructor never ran, on the engine', () => {
    const engine = new ContractEngine()
    const target = engine.placeContract(contractCode)
    const codes = new Set<string | undefined>()
    for (const functionName of [...WRITING_FUNCTIONS, ...VIEW_FUNCTIONS].filter((name) => name !== 'getVersion')) {
      const call = { caller: admin, target, functionName, parameter: new Uint8Array(), maxGas: 4_000_000_000n }
      const { success, error } = engine.executeReadOnlyCall(call)
      const code = /REGISTRY_[A-Z_]+/.exec(error ?? '')?.[0]
      assert.ok(!success, functionName)
      assert.match(String(code), /^REGISTRY_(NOT_CREATED|ARGS_INVALID)$/, functionName)
      codes.add(code)
    }
    assert.ok(codes.has('REGISTRY_NOT_CREATED'))
  })

  it('pays nobody what a simulated call frees for a contract that is not there (seed 24,110)', () => {
    const nobody = 'AS12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
    const transfer = makeCall('transferAdmin', admin, new ArgsWriter().string(nobody), 10n ** 9n)
    const accept = { kind: 'read', caller: nobody, functionName: 'acceptAdmin', parameter: new Uint8Array() } as const
    assert.equal(replay({ start: makeStart(), steps: [transfer, accept] }), undefined)
  })

  it('takes any bytes that begin like code from the admin, and then no call runs any more', () => {
    const before = makeCall('addChallenger', admin, new ArgsWriter().string(admin), 10n ** 9n)
    const upgrade = makeCall('upgrade', admin, new ArgsWriter().bytes(DEADLY_CODE))
    const after = [
      before,
      makeCall('getVersion', admin),
      { kind: 'read', caller: admin, functionName: 'getVersion', parameter: new Uint8Array() } as const,
      { kind: 'donate', from: admin, amountNanoMas: 7n } as const,
    ]
    assert.equal(replay({ start: makeStart(), steps: [before, upgrade, ...after] }), undefined)
  })

  it('shrinks what a wrong model is found out by to the calls it takes', () => {
    const sabotage: Sabotage = (functionName, outcome) =>
      functionName === 'topUpStake' && outcome.success ? { ...outcome, events: [] } : outcome
    let seed = FIRST_SEED
    let found = runSeed(seed, new Map(), { sabotage }).failure
    while (!found && seed < FIRST_SEED + SEEDS_PER_BATCH) found = runSeed(++seed, new Map(), { sabotage }).failure
    assert.ok(found)
    const short = shrink(found, sabotage)
    const text = describeFailure(seed, short)
    const names = short.sequence.steps.map((step) => (step.kind === 'call' ? step.functionName : step.kind))
    assert.deepEqual(names, ['registerStorageNode', 'topUpStake'], text)
    assert.ok(found.sequence.steps.length > names.length)
    assert.match(text, new RegExp(`^seed ${seed}: topUpStake: events`))
  })

  it('finds a node that could not leave in the state that a call left', () => {
    const config = { minAllocatedGb: 1n, maxAllocatedGb: 10n, minStake: 10n ** 10n, stakePerGb: 0n, maxNodes: 10n }
    const world = new World(makeStart(config))
    const node = actors[1]?.address ?? ''
    const register = makeCall('registerStorageNode', node, new ArgsWriter().u64(5n), 10n ** 11n)
    assert.equal(world.apply(register).outcome?.success, true)
    checkExits(world)
    const record = world.model.state.openNode(node)
    assert.ok(record)
    // As if it had a challenge that nobody can resolve.
    record.openChallenges += 1n
    assert.throws(
      () => checkExits(world),
      (error) => error instanceof Difference && error.topic === 'nobody can be kept from leaving',
    )
    record.openChallenges -= 1n
    checkExits(world)
  })

  for (let batch = 0n; batch < BATCHES; batch++) {
    const first = FIRST_SEED + batch * SEEDS_PER_BATCH
    it(`runs seeds ${first} to ${first + SEEDS_PER_BATCH - 1n} alike on the shipped wasm and on the model`, function () {
      this.timeout(BATCH_TIMEOUT_MS)
      let least = Number.POSITIVE_INFINITY
      for (let seed = first; seed < first + SEEDS_PER_BATCH; seed++) {
        const { calls, failure } = runSeed(seed, coverage)
        least = Math.min(least, calls)
        if (failure) assert.fail(describeFailure(seed, shrink(failure)))
      }
      assert.ok(least >= 50, `a sequence of ${least} calls`)
    })
  }

  it('has accepted every function, met every code and event and checked the exits after each call in this slice', () => {
    const exits = coverage.get('exits')
    assert.equal(exits?.get('checked'), exits?.get('to be checked'))
    const unaccepted = [...WRITING_FUNCTIONS, ...VIEW_FUNCTIONS].filter((name) => !coverage.get(name)?.has('accepted'))
    assert.deepEqual(unaccepted, [])
    const reached = listCodes(coverage)
    assert.deepEqual(
      CODES.filter((code) => !reached.includes(code)),
      [],
    )
    const events = coverage.get('events') ?? new Map<string, number>()
    assert.deepEqual(
      EVENTS.filter((event) => !events.has(event)),
      [],
    )
    const sights = coverage.get('calls that leave') ?? new Map<string, number>()
    assert.deepEqual(
      SIGHTS.filter((sight) => !sights.has(sight)),
      [],
    )
  })
})

/** Settings that let the admin act at once. */
function makeStart(values: Partial<Config> = {}): Start {
  const config = { ...drawConfig(new SeededRandom(1n)), requireAnchors: 0n, adminDelayPeriods: 0n, ...values }
  return {
    slot: { period: 1, thread: 0 },
    genesisTimestampMs: 0n,
    balanceNanoMas: 10n ** 16n,
    deployCoinsNanoMas: 10n ** 9n,
    parameter: writeConfig(new ArgsWriter().string(admin), config).finish(),
  }
}
