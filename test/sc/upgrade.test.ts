import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { ArgsWriter, NO_ARGS, stringArg, stringsArg, u64Arg } from '../reference/args-writer.ts'
import { issue, passAudit, prepare, registerNode } from './challenge-steps.ts'
import { dumpLedger, keyOf, readState } from './registry-records.ts'
import {
  ADMIN,
  ANYONE,
  CHALLENGER,
  call,
  deployRegistry,
  goTo,
  MAS,
  NODE,
  OTHER_NODE,
  REGISTRY_WASM,
  refuse,
  type User,
  userOf,
  view,
  type World,
} from './registry-world.ts'

/** massa-storage-sc/assembly/toys/registry-v2.ts, a next version that reads what this one wrote. */
const NEXT_WASM = readFileSync(new URL('../../massa-storage-sc/assembly/toys/registry-v2.wasm', import.meta.url))
const TOKEN_BYTES = 13

function readNext(world: World, node: User) {
  const bytes = Buffer.from(view(world, 'getNodeInfo', stringArg(node.address)))
  return {
    storedVersion: bytes[0],
    retentionEras: bytes.readBigUInt64LE(1),
    region: bytes.readUInt32LE(9),
    rest: Uint8Array.from(bytes.subarray(TOKEN_BYTES)),
  }
}

function upgrade(world: World, wasm: Uint8Array): void {
  call(world, ADMIN, 'upgrade', new ArgsWriter().bytes(wasm).finish(), 10n * MAS)
}

/** NODE keeps for ever and has history, OTHER_NODE keeps 1,000 periods. */
function lived(): World {
  const world = deployRegistry()
  prepare(world)
  call(world, OTHER_NODE, 'registerStorageNode', new ArgsWriter().u64(7).u64(1000).finish(), 11n * MAS)
  passAudit(world, 'c')
  return { ...world, isForeign: true }
}

describe('sc: upgrade', () => {
  it('the next version reads the records of this one and shows them converted', () => {
    const world = lived()
    const before = [NODE, OTHER_NODE].map((node) => view(world, 'getNodeInfo', stringArg(node.address)))
    upgrade(world, NEXT_WASM)
    assert.deepEqual([...view(world, 'getVersion')], [2, 0, 0, 0])
    const [node, other] = [NODE, OTHER_NODE].map((one) => readNext(world, one))
    assert.deepEqual(node, { storedVersion: 1, retentionEras: 0n, region: 0, rest: before[0] })
    assert.deepEqual(other, { storedVersion: 1, retentionEras: 8n, region: 0, rest: before[1] })
    const state = readState(world)
    const liabilities = state.get('stakes') + state.get('owed') + state.get('pool')
    assert.equal(Buffer.from(view(world, 'getLiabilities')).readBigUInt64LE(), liabilities)
  })

  it('the next version reads old and new records side by side', () => {
    const world = lived()
    upgrade(world, NEXT_WASM)
    const { rest } = readNext(world, OTHER_NODE)
    call(world, OTHER_NODE, 'setRegion', new ArgsWriter().u32(33).finish(), MAS)
    assert.deepEqual(readNext(world, OTHER_NODE), { storedVersion: 2, retentionEras: 8n, region: 33, rest })
    assert.equal(readNext(world, NODE).storedVersion, 1)
  })

  it('code and coins are all that an upgrade changes', () => {
    const world = lived()
    const before = dumpLedger(world)
    upgrade(world, NEXT_WASM)
    const changed = [...dumpLedger(world)].filter(([key, value]) => before.get(key) !== value)
    assert.deepEqual(
      changed.map(([key]) => key),
      [ADMIN.address, world.contract],
    )
  })

  it('this version refuses what the next one wrote instead of reading it wrongly', () => {
    const world = lived()
    upgrade(world, NEXT_WASM)
    call(world, OTHER_NODE, 'setRegion', new ArgsWriter().u32(33).finish(), MAS)
    upgrade(world, REGISTRY_WASM)
    refuse(world, ANYONE, 'getNodeInfo', 'REGISTRY_VERSION_UNKNOWN', stringArg(OTHER_NODE.address))
    refuse(world, OTHER_NODE, 'updateStorageAllocation', 'REGISTRY_VERSION_UNKNOWN', u64Arg(7))
    refuse(world, OTHER_NODE, 'unregisterStorageNode', 'REGISTRY_VERSION_UNKNOWN')
    refuse(world, ANYONE, 'getNodes', 'REGISTRY_VERSION_UNKNOWN', new ArgsWriter().u64(0).u32(5).finish())
    // Whom it does not concern goes on.
    call(world, NODE, 'claimRewards')
    view(world, 'getNodeInfo', stringArg(NODE.address))
  })

  it('eras and votes of another version are refused, too', () => {
    const world = lived()
    const { ledger } = world.engine
    ledger.setValue(world.contract, keyOf('era_1'), new Uint8Array(104).fill(2, 0, 1))
    ledger.setValue(world.contract, keyOf('vote_1_0011223344556677'), new Uint8Array(49).fill(2, 0, 1))
    ledger.setValue(world.contract, keyOf('vote_1_0011223344556677_0'), new Uint8Array(41).fill(2, 0, 1))
    refuse(world, ANYONE, 'getEra', 'REGISTRY_VERSION_UNKNOWN', u64Arg(1))
    for (const id of ['1_0011223344556677', '1_0011223344556677_0']) {
      const vote = new ArgsWriter().u8(2).strings([id]).finish()
      refuse(world, ANYONE, 'prune', 'REGISTRY_VERSION_UNKNOWN', vote)
    }
  })

  const READERS: readonly (readonly [key: string, by: User, name: string, args: Uint8Array])[] = [
    ['state', ANYONE, 'getRewardPool', NO_ARGS],
    ['state', NODE, 'claimRewards', NO_ARGS],
    ['config', ANYONE, 'getConfig', NO_ARGS],
    ['config', ANYONE, 'fundRewards', NO_ARGS],
    ['chal_open', ANYONE, 'getChallenge', stringArg('open')],
    ['chal_open', ANYONE, 'resolveExpiredChallenges', stringsArg(['open'])],
    ['chal_open', ANYONE, 'prune', new ArgsWriter().u8(0).strings(['open']).finish()],
    ['period_30', ANYONE, 'getPeriodStats', u64Arg(30)],
    ['period_30', ANYONE, 'prune', new ArgsWriter().u8(1).strings(['30']).finish()],
    [`meta_${NODE.address}`, ANYONE, 'getNodeMetadata', stringArg(NODE.address)],
    [`chlr_${CHALLENGER.address}`, ANYONE, 'resolveExpiredChallenges', stringsArg(['open'])],
    ['nidx_\0\0\0\0\0\0\0\0', ANYONE, 'getNodes', new ArgsWriter().u64(0).u32(5).finish()],
    ['pconfig', ADMIN, 'updateConfig', NO_ARGS],
  ]
  for (const [key, by, name, args] of READERS) {
    it(`${name} refuses a record ${key.replaceAll('\0', '0').slice(0, 10)} of another version`, () => {
      const world = deployRegistry({ adminDelayPeriods: 5n })
      prepare(world)
      registerNode(world, userOf(9))
      const metadata = new ArgsWriter().strings([]).string('').string('').string('').finish()
      call(world, NODE, 'updateNodeMetadata', metadata, MAS)
      passAudit(world, 'done')
      goTo(world, 32)
      issue(world, 'open')
      const config = view(world, 'getConfig')
      config[0] = (config[0] ?? 0) ^ 1
      call(world, ADMIN, 'updateConfig', config, MAS)
      goTo(world, 60)
      const { ledger } = world.engine
      const foreign = { ...world, isForeign: true }
      const record = Uint8Array.from(ledger.value(world.contract, keyOf(key)) ?? [])
      assert.equal(record[0], 1)
      for (const version of [0, 2, 255]) {
        record[0] = version
        ledger.setValue(world.contract, keyOf(key), Uint8Array.from(record))
        refuse(foreign, by, name, 'REGISTRY_VERSION_UNKNOWN', name === 'updateConfig' ? config : args, MAS)
      }
    })
  }
})
