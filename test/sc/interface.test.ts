import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { toHex } from '../../core/index.ts'
import type { OperationOutcome } from '../../devnet/engine/index.ts'
import { buildModule, leb } from '../devnet/engine/wasm-builder.ts'
import { ArgsWriter, NO_ARGS, stringArg } from '../reference/args-writer.ts'
import { VIEW_FUNCTIONS, WRITING_FUNCTIONS } from '../reference/registry-model.ts'
import { CHUNK_ID, issue, NONCE, prepare, prove } from './challenge-steps.ts'
import { readNode } from './registry-records.ts'
import {
  ADMIN,
  ANYONE,
  call,
  deployRegistry,
  encodeConfig,
  FEE,
  goTo,
  MAS,
  MAX_GAS,
  NODE,
  REGISTRY_WASM,
  view,
  type World,
} from './registry-world.ts'

/*
 * IStorageRegistry as a contract uses it: massa-storage-sc/assembly/toys/registry-caller.ts makes every call of it, once
 * to a contract that writes down what it is sent, and once to the shipped wasm.
 */

const ASSEMBLY = new URL('../../massa-storage-sc/assembly/', import.meta.url)
const CALLER_WASM = readFileSync(new URL('toys/registry-caller.wasm', ASSEMBLY))
/** What only a node may do, and a node is a user. */
const OF_NODES = [
  ...['claimRewards', 'registerStorageNode', 'topUpStake', 'unregisterStorageNode', 'updateNodeMetadata'],
  'updateStorageAllocation',
]
const ADDRESS = NODE.address
const CHUNK_TEXT = toHex(CHUNK_ID)
const LISTS = [Uint8Array.of(1, 2, 3), new Uint8Array(), Uint8Array.of(4)] as const
const [ROOT, PLACEMENT_ROOT] = [new Uint8Array(32).fill(8), new Uint8Array(32).fill(9)] as const
/** Every value another one, so that none can stand for another. */
const CONFIG = encodeConfig({ minAllocatedGb: 2n, maxAllocatedGb: 17n, maxNodes: 12n, placementLagEras: 3n })

const args = () => new ArgsWriter()
/** What each method of the interface sends: the name and the bytes, and the coins where it takes any. */
const SENT: Readonly<
  Record<string, { readonly given: Uint8Array; readonly coins?: bigint; readonly from?: Uint8Array }>
> = {
  fundRewards: { given: NO_ARGS, coins: 11n },
  distributeRewards: { given: args().u64(39).finish(), coins: 12n },
  submitProof: { given: args().string('c-1').bytes(Uint8Array.of(5)).bytes(Uint8Array.of(6, 7)).finish() },
  submitProofs: {
    given: args().strings(['a', 'b', 'c']).byteStrings(LISTS).byteStrings(LISTS.toReversed()).finish(),
  },
  resolveExpiredChallenges: { given: args().strings(['d', 'e']).finish() },
  anchorEra: {
    given: args().u64(3).bytes(ROOT).u64(4).u64(5).bytes(PLACEMENT_ROOT).byteStrings(LISTS).finish(),
    coins: 13n,
  },
  prune: { given: args().u8(2).strings(['f', 'g']).finish() },
  issueChallenge: {
    given: args().string('c-2').string(ADDRESS).string(CHUNK_TEXT).u64(6).bytes(Uint8Array.of(1, 2)).finish(),
    coins: 14n,
  },
  issueChallenges: {
    given: args()
      .strings(['h', 'i', 'j'])
      .string(ADDRESS)
      .strings(['k', 'l', 'm'])
      .numbers([7, 8, 9])
      .byteStrings(LISTS)
      .finish(),
    coins: 15n,
  },
  // A class there, its bytes here: no length before them.
  updateConfig: { given: CONFIG, coins: 16n, from: args().bytes(CONFIG).finish() },
  upgrade: {
    given: args()
      .bytes(Uint8Array.of(0, 97, 115))
      .finish(),
    coins: 17n,
  },
  addChallenger: { given: stringArg(ADDRESS), coins: 18n },
  removeChallenger: { given: stringArg(ADDRESS) },
  setPaused: { given: args().bool(true).finish() },
  transferAdmin: { given: stringArg(ADDRESS), coins: 19n },
  acceptAdmin: { given: NO_ARGS, coins: 20n },
  getNodeInfo: { given: stringArg(ADDRESS) },
  getNodes: { given: args().u64(21).u32(22).finish() },
  getNodeMetadata: { given: stringArg(ADDRESS) },
  getChallenge: { given: stringArg('c-3') },
  getPeriodStats: { given: args().u64(23).finish() },
  getConfig: { given: NO_ARGS },
  getEra: { given: args().u64(24).finish() },
  getTotalNodes: { given: NO_ARGS },
  getLatestEra: { given: NO_ARGS },
  getRewardPool: { given: NO_ARGS },
  calculatePendingRewards: { given: stringArg(ADDRESS) },
  isChallenger: { given: stringArg(ADDRESS) },
  getVersion: { given: NO_ARGS },
}

/** What a recorder answers: of 8 bytes each view can read its answer. */
const ANSWER = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0)
const ANSWER_AT = 20_000
const NAMES_AT = 20_100
const NAME_ROOM = 64

/** A contract with every function of the registry, each of which stores its argument under its own name. */
function makeRecorder(): Uint8Array {
  const names = [...WRITING_FUNCTIONS, ...VIEW_FUNCTIONS]
  const withLength = (bytes: Uint8Array) => [...Uint8Array.of(bytes.length, 0, 0, 0), ...bytes]
  const addressOf = (i: number) => NAMES_AT + i * NAME_ROOM + 4
  return buildModule({
    imports: [{ module: 'massa', name: 'assembly_script_set_data', type: 'ii>' }],
    functions: [
      // The argument lies at 1,024 while nothing else is asked for.
      { type: 'ii>i', export: '__new', code: [0x41, ...leb(1020), 0x20, 0, 0x36, 2, 0, 0x41, ...leb(1024)] },
      { type: 'i>i', export: '__pin', code: [0x20, 0] },
      ...names.map((name, i) => ({
        type: 'i>i',
        export: name,
        // set_data(name, argument); return answer
        code: [0x41, ...leb(addressOf(i)), 0x20, 0, 0x10, 0, 0x41, ...leb(ANSWER_AT + 4)],
      })),
    ],
    data: [
      { at: ANSWER_AT, bytes: withLength(ANSWER) },
      ...names.map((name, i) => ({ at: NAMES_AT + i * NAME_ROOM, bytes: withLength(Buffer.from(name)) })),
    ],
  })
}

/** What a method of the interface came to, of a caller that ANYONE calls. */
function send(world: World, caller: string, method: string, more: Uint8Array): OperationOutcome {
  return world.engine.executeOperation({
    sender: ANYONE.address,
    feeNanoMas: FEE,
    body: {
      kind: 'call-sc',
      target: caller,
      functionName: method,
      parameter: args().string(world.contract).raw(more).finish(),
      coinsNanoMas: 0n,
      maxGas: MAX_GAS,
    },
  })
}

function makeOrder(given: Uint8Array, coins: bigint | undefined): Uint8Array {
  const order = args().raw(given)
  return (coins === undefined ? order : order.u64(coins)).finish()
}

describe('sc: IStorageRegistry', () => {
  it('has every function that a contract can ever call with success, and no other', () => {
    const names = [...WRITING_FUNCTIONS, ...VIEW_FUNCTIONS].filter((name) => !OF_NODES.includes(name))
    assert.deepEqual(Object.keys(SENT).sort(), names.sort())
    const source = readFileSync(new URL('interfaces/IStorageRegistry.ts', ASSEMBLY), 'utf8')
    const methods = [...source.matchAll(/^ {2}(?!private|constructor)(\w+)\(/gm)].map(([, name]) => name)
    assert.deepEqual(methods.sort(), names.sort())
  })

  for (const [method, { given, coins, from }] of Object.entries(SENT)) {
    it(`${method}: sends its name, its arguments in order and ${coins === undefined ? 'no coins' : 'the coins'}`, () => {
      const world = deployRegistry()
      const recorder = world.engine.placeContract(makeRecorder(), MAS)
      const caller = world.engine.placeContract(CALLER_WASM, MAS)
      const foreign = { ...world, contract: recorder, isForeign: true }
      const outcome = send(foreign, caller, method, makeOrder(from ?? given, coins))
      assert.equal(outcome.error, undefined)
      const stored = [...(outcome.changes.get(recorder)?.datastore ?? [])]
      assert.deepEqual(
        stored.map(([name, bytes]) => [name, toHex(bytes ?? NO_ARGS)]),
        [[method, toHex(given)]],
      )
      const { ledger } = world.engine
      assert.equal(MAS - ledger.balance(caller), coins ?? 0n)
      const price = BigInt(4 + method.length + given.length) * 100_000n
      assert.equal(ledger.balance(recorder) - MAS + price, coins ?? 0n)
      if (VIEW_FUNCTIONS.includes(method)) {
        const answer = Buffer.from(outcome.returned)
        assert.deepEqual([answer.length > 0, answer.equals(ANSWER.subarray(0, answer.length))], [true, true])
      }
    })
  }
})

describe('sc: IStorageRegistry on the shipped wasm', () => {
  let world: World
  let caller: string
  const act = (method: string, more: Uint8Array = NO_ARGS) => {
    const { success, error, events, returned } = send(world, caller, method, more)
    return { code: success ? undefined : (error ?? 'no text'), events: events.map(({ data }) => data), returned }
  }
  const accept = (method: string, more?: Uint8Array) => {
    const { code, events } = act(method, more)
    assert.equal(code, undefined, method)
    return events
  }
  beforeEach(() => {
    world = deployRegistry()
    prepare(world)
    caller = world.engine.placeContract(CALLER_WASM, 1000n * MAS)
  })

  it('a contract that is challenger and admin makes the calls of both', () => {
    call(world, ADMIN, 'transferAdmin', stringArg(caller), MAS)
    assert.deepEqual(accept('acceptAdmin', args().u64(MAS).finish()), [`ADMIN_CHANGED:${ADMIN.address},${caller}`])
    const own = args().string(caller)
    assert.deepEqual(accept('addChallenger', own.u64(MAS).finish()), [`CHALLENGER_ADDED:${caller}`])
    const one = args().string('one').string(ADDRESS).string(CHUNK_TEXT).u64(NONCE).bytes(NO_ARGS).u64(MAS).finish()
    assert.match(accept('issueChallenge', one).join(), /^CHALLENGE_ISSUED:one,/)
    goTo(world, 33)
    const two = ['two', 'three']
    const pair = args().strings(two).string(ADDRESS).strings([CHUNK_TEXT, CHUNK_TEXT]).numbers([1, 2]).byteStrings([])
    assert.equal(act('issueChallenges', pair.u64(MAS).finish()).code?.match(/REGISTRY_\w+/)?.[0], 'REGISTRY_AUDIT_OPEN')
    assert.deepEqual(accept('setPaused', args().bool(true).finish()), ['PAUSED_SET:true'])
    const config = encodeConfig({ maxNodes: 7n })
    assert.deepEqual(accept('updateConfig', args().bytes(config).u64(MAS).finish()), [
      'CONFIG_UPDATED:maxNodes,10000,7',
    ])
    assert.match(accept('upgrade', args().bytes(REGISTRY_WASM).u64(0).finish()).join(), /^CODE_UPGRADED:/)
    assert.deepEqual(accept('removeChallenger', stringArg(caller)), [`CHALLENGER_REMOVED:${caller}`])
    assert.deepEqual(accept('transferAdmin', args().string(ADDRESS).u64(MAS).finish()), [`ADMIN_PROPOSED:${ADDRESS}`])
  })

  it('any contract hands in proofs, resolves, distributes, funds and prunes, and reads what the views give', () => {
    const asked = issue(world, 'c')
    const { proof, signature } = prove(world, asked)
    const passed = accept('submitProofs', args().strings(['c']).byteStrings([proof]).byteStrings([signature]).finish())
    assert.equal(passed[0], `CHALLENGE_PASSED:c,${ADDRESS}`)
    goTo(world, 40)
    const again = issue(world, 'd')
    const given = prove(world, again)
    const single = args().string('d').bytes(given.proof).bytes(given.signature).finish()
    assert.equal(accept('submitProof', single)[0], `CHALLENGE_PASSED:d,${ADDRESS}`)
    goTo(world, 50)
    issue(world, 'e')
    goTo(world, 60)
    assert.match(accept('resolveExpiredChallenges', args().strings(['e']).finish()).join(), /^CHALLENGE_EXPIRED:e,/)
    assert.match(accept('distributeRewards', args().u64(59).u64(MAS).finish()).join(), /^REWARDS_DISTRIBUTED:59,/)
    assert.deepEqual(accept('fundRewards', args().u64(7).finish()), ['REWARDS_FUNDED:7'])
    goTo(world, 59 + 2 * 5400 + 1)
    assert.match(accept('prune', args().u8(1).strings(['59']).finish()).join(), /^RECORDS_PRUNED:1,1$/)
    assert.equal(readNode(world, ADDRESS).get('passedChallenges'), 2n)
    for (const [name, more] of [
      ['getNodeInfo', stringArg(ADDRESS)],
      ['getNodes', args().u64(0).u32(5).finish()],
      ['getNodeMetadata', stringArg(ADDRESS)],
      ['getChallenge', stringArg('e')],
      ['getConfig', NO_ARGS],
      ['getTotalNodes', NO_ARGS],
      ['getLatestEra', NO_ARGS],
      ['getRewardPool', NO_ARGS],
      ['calculatePendingRewards', stringArg(ADDRESS)],
      ['isChallenger', stringArg(ADDRESS)],
      ['getVersion', NO_ARGS],
    ] as const) {
      const { code, returned } = act(name, more)
      assert.equal(code, undefined, name)
      assert.equal(toHex(returned), toHex(view(world, name, more)), name)
    }
  })
})
