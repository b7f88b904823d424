import assert from 'node:assert/strict'
import { toHex } from '../../core/index.ts'
import { findRegistryFunction } from '../../core/registry/text-args.ts'
import { ArgsWriter, NO_ARGS, stringArg, stringsArg, u64Arg } from '../reference/args-writer.ts'
import { CHUNK_ID, issue, issueArgs, NONCE, prepare, prove, submitArgs } from './challenge-steps.ts'
import { checkInvariants, dumpLedger } from './registry-records.ts'
import {
  ADMIN,
  ANYONE,
  CHALLENGER,
  deployRegistry,
  encodeConfig,
  FEE,
  MAS,
  makeChain,
  NODE,
  OTHER_NODE,
  REGISTRY_WASM,
  readOnly,
  refuse,
  tryCall,
  tryDeploy,
  type User,
  type World,
} from './registry-world.ts'

/** The most that an operation carries, and what only a read-only call can. */
const OPERATION_BYTES = 300_000
const READ_ONLY_BYTES = 10_000_000
const U64_MAX = 2n ** 64n - 1n
const CONFIG_ENDS = [48, 52, 56, 60, 68, 76, 80, 84, 85, 93, 97, 105, 113, 121, 125, 133]

/** A good call of an entry point. */
interface Good {
  readonly by: User
  readonly args: Uint8Array
  /** Shorter lengths at which the arguments are complete, too. */
  readonly ends: readonly number[]
}

const HASH = new Uint8Array(32).fill(7)
const CHUNK_IDS = ['ab'.repeat(32), 'cd'.repeat(32)] as const
/** Ends of sequences, beginnings without an end, a surrogate, and valid UTF-8 that is no ASCII. */
const NO_ASCII = [[0xff], [0x80], [0xc3], [0xc3, 0x28], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xc3, 0xa9]]

/** The texts of each good call that has any. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  updateNodeMetadata: ['a', 'b', 'c', 'd', 'e'],
  issueChallenge: ['y', NODE.address, toHex(CHUNK_ID)],
  issueChallenges: ['y', 'z', NODE.address, ...CHUNK_IDS],
  submitProof: ['x'],
  submitProofs: ['x'],
  resolveExpiredChallenges: ['x'],
  prune: ['x'],
  addChallenger: [ANYONE.address],
  removeChallenger: [CHALLENGER.address],
  transferAdmin: [ANYONE.address],
  getNodeInfo: [NODE.address],
  getChallenge: ['x'],
  calculatePendingRewards: [NODE.address],
  getNodeMetadata: [NODE.address],
  isChallenger: [NODE.address],
}

/** By what core knows of its arguments. */
function takesText(name: string): boolean {
  return findRegistryFunction(name)?.fields.some(({ type }) => /^string/.test(type)) ?? false
}

/** Where a text begins, behind its length. */
function findText(args: Uint8Array, text: string): number {
  const at = Buffer.from(args).indexOf(stringArg(text))
  assert.ok(at >= 0, `no ${text}`)
  return at + 4
}

function goodCalls(world: World): Readonly<Record<string, Good>> {
  const asked = { challengeId: 'y', node: NODE, chunkId: CHUNK_ID, nonce: NONCE }
  const batch = () => new ArgsWriter().strings(['y', 'z']).string(NODE.address).strings(CHUNK_IDS).numbers([1, 2])
  const open = { ...asked, challengeId: 'x', issuedPeriod: 30 }
  const { proof, signature } = prove(world, open)
  const anchorEra = new ArgsWriter().u64(1).bytes(HASH).u64(1000).u64(128).bytes(HASH).byteStrings([signature]).finish()
  const good = (by: User, args: Uint8Array = NO_ARGS, ends: readonly number[] = []): Good => ({ by, args, ends })
  const node = stringArg(NODE.address)
  return {
    registerStorageNode: good(
      OTHER_NODE,
      new ArgsWriter()
        .u64(1)
        .u64(2)
        .u64(10n * MAS)
        .finish(),
      [8, 16],
    ),
    updateStorageAllocation: good(NODE, new ArgsWriter().u64(6).u64(0).finish(), [8]),
    unregisterStorageNode: good(NODE),
    topUpStake: good(NODE),
    updateNodeMetadata: good(NODE, new ArgsWriter().strings(['a', 'b']).string('c').string('d').string('e').finish()),
    issueChallenge: good(CHALLENGER, issueArgs(asked, HASH), [issueArgs(asked).length]),
    issueChallenges: good(CHALLENGER, batch().byteStrings([HASH, HASH]).finish(), [batch().finish().length]),
    submitProof: good(ANYONE, submitArgs('x', { proof, signature })),
    submitProofs: good(ANYONE, new ArgsWriter().strings(['x']).byteStrings([proof]).byteStrings([signature]).finish()),
    resolveExpiredChallenges: good(ANYONE, stringsArg(['x'])),
    distributeRewards: good(ANYONE, u64Arg(20)),
    claimRewards: good(NODE),
    fundRewards: good(ANYONE),
    anchorEra: good(ANYONE, anchorEra),
    prune: good(ANYONE, new ArgsWriter().u8(0).strings(['x']).finish()),
    updateConfig: good(ADMIN, encodeConfig(), CONFIG_ENDS),
    upgrade: good(ADMIN, new ArgsWriter().bytes(REGISTRY_WASM.subarray(0, 100)).finish()),
    addChallenger: good(ADMIN, stringArg(ANYONE.address)),
    removeChallenger: good(ADMIN, stringArg(CHALLENGER.address)),
    setPaused: good(ADMIN, new ArgsWriter().bool(true).finish()),
    transferAdmin: good(ADMIN, stringArg(ANYONE.address)),
    acceptAdmin: good(ADMIN),
    getNodeInfo: good(ANYONE, node),
    getChallenge: good(ANYONE, stringArg('x')),
    getPeriodStats: good(ANYONE, u64Arg(30)),
    getConfig: good(ANYONE),
    getTotalNodes: good(ANYONE),
    calculatePendingRewards: good(ANYONE, node),
    getNodes: good(ANYONE, new ArgsWriter().u64(0).u32(5).finish()),
    getNodeMetadata: good(ANYONE, node),
    getEra: good(ANYONE, u64Arg(1)),
    getLatestEra: good(ANYONE),
    isChallenger: good(ANYONE, node),
    getRewardPool: good(ANYONE),
    getVersion: good(ANYONE),
  }
}

describe('sc: bad input', () => {
  const world = deployRegistry()
  prepare(world)
  issue(world, 'x')
  const entries = Object.entries(goodCalls(world))
  const snapshot = world.engine.snapshot()
  const before = dumpLedger(world)

  /** Refused with a code, and nothing but the fee is gone. */
  function refuseWithout(name: string, by: User, args: Uint8Array, label: string, code = /^REGISTRY_/): void {
    const result = tryCall(world, by, name, args, MAS)
    assert.equal(result.ok, false, `${label}: accepted`)
    assert.match(result.code ?? `no code: ${result.error}`, code, label)
    const after = dumpLedger(world)
    assert.equal(after.size, before.size, label)
    for (const [key, value] of after) {
      if (key !== by.address) assert.equal(value, before.get(key), `${label}: ${key}`)
      else assert.equal(value, `${BigInt(before.get(key)?.split(' ')[0] ?? '') - FEE} 0`, label)
    }
    world.engine.restore(snapshot)
  }

  afterEach(() => world.engine.restore(snapshot))

  it('every exported function is among them', () => {
    const { Module } = (globalThis as unknown as { WebAssembly: { Module: WasmModule } }).WebAssembly
    const exported = Module.exports(new Module(REGISTRY_WASM)).flatMap(({ kind, name }) =>
      kind === 'function' ? [name] : [],
    )
    const named = exported.filter((name) => !name.startsWith('__') && name !== 'constructor')
    assert.deepEqual(entries.map(([name]) => name).sort(), named.sort())
  })

  for (const [name, { by, args, ends }] of entries) {
    it(`${name}: truncated, trailing or far too long is refused, and nothing changes`, () => {
      // Of a long argument every length near its borders, and some between.
      const cuts = Array.from({ length: args.length }, (_, i) => i).filter(
        (i) => i < 220 || i % 97 === 0 || args.length - i < 130,
      )
      for (const cut of cuts) {
        if (!ends.includes(cut)) refuseWithout(name, by, args.slice(0, cut), `cut ${cut}`, /REGISTRY_ARGS_INVALID/)
      }
      for (const extra of [1, 4, 8, OPERATION_BYTES - args.length]) {
        refuseWithout(name, by, Buffer.concat([args, new Uint8Array(extra).fill(7)]), `${extra} more`)
      }
      for (const byte of [0, 1, 7, 255]) {
        refuseWithout(name, by, new Uint8Array(OPERATION_BYTES).fill(byte), `${OPERATION_BYTES} x ${byte}`)
      }
      if (args.length > 0) refuseWithout(name, by, NO_ARGS, 'empty', /REGISTRY_ARGS_INVALID/)
    })

    it(`${name}: a field of all ones is refused with a code, or is a value like others`, () => {
      for (let at = 0; at < Math.min(args.length, 220); at++) {
        for (const size of [1, 4, 8]) {
          const wrong = Uint8Array.from(args)
          wrong.fill(255, at, at + size)
          const { ok, code, error } = tryCall(world, by, name, wrong, MAS)
          assert.ok(ok || code !== undefined, `${size} at ${at}: ${error}`)
          if (ok)
            checkInvariants(
              world,
              name.startsWith('get') || name === 'calculatePendingRewards' || name === 'isChallenger' ? MAS : 0n,
            )
          world.engine.restore(snapshot)
        }
      }
    })
  }

  it('every function that takes a text is among those whose texts are tried', () => {
    const taking = entries.filter(([name]) => takesText(name)).map(([name]) => name)
    assert.deepEqual(taking.sort(), Object.keys(TEXTS).sort())
  })

  for (const [name, texts] of Object.entries(TEXTS)) {
    it(`${name}: a text that is no ASCII, or no UTF-8 at all, is refused in each place`, () => {
      const [, good] = entries.find(([known]) => known === name) ?? []
      assert.ok(good)
      for (const text of texts) {
        for (const bytes of NO_ASCII.filter(({ length }) => length <= text.length)) {
          const wrong = Uint8Array.from(good.args)
          wrong.set(bytes, findText(wrong, text))
          refuseWithout(name, good.by, wrong, `${text}: ${bytes}`, /REGISTRY_ARGS_INVALID/)
        }
      }
    })
  }

  const bads = ['', 'x', 'AU', `AU${'1'.repeat(51)}`, 'x'.repeat(300), 'x'.repeat(290_000), NODE.address.slice(0, -1)]
  for (const name of [
    'addChallenger',
    'removeChallenger',
    'transferAdmin',
    'getNodeInfo',
    'getNodeMetadata',
    'calculatePendingRewards',
    'isChallenger',
  ]) {
    const wanted = /^get|^calculate/.test(name) ? /ADDRESS_INVALID|NODE_UNKNOWN/ : /ADDRESS_INVALID/
    it(`${name}: an address that is none is refused`, () => {
      for (const text of bads) refuseWithout(name, ADMIN, stringArg(text), text.slice(0, 20), wanted)
    })
  }

  it('isChallenger: an address of nobody is that of no challenger', () => {
    for (const { address } of [CHALLENGER, ANYONE]) {
      const { returned } = readOnly(world, 'isChallenger', stringArg(address))
      assert.deepEqual([...returned], [address === CHALLENGER.address ? 1 : 0])
    }
  })

  it('issueChallenge: a node address that is none is refused', () => {
    for (const text of bads) {
      const args = new ArgsWriter().string('y').string(text).string('ab'.repeat(32)).u64(1).finish()
      refuseWithout('issueChallenge', CHALLENGER, args, text.slice(0, 20), /ADDRESS_INVALID|NODE_UNKNOWN/)
    }
  })

  it('constructor: bad arguments are refused, and there is no contract', () => {
    const good = new ArgsWriter().string(ADMIN.address).raw(encodeConfig()).finish()
    const start = 4 + ADMIN.address.length
    const refuseDeploy = (args: Uint8Array, code: RegExp, label: string) => {
      const engine = makeChain()
      const known = [...engine.ledger.addresses()]
      const balance = engine.ledger.balance(ADMIN.address)
      const { success, error } = tryDeploy(engine, args)
      assert.equal(success, false, label)
      assert.match(error ?? '', code, label)
      assert.deepEqual([...engine.ledger.addresses()], known, label)
      assert.equal(engine.ledger.balance(ADMIN.address), balance - FEE, label)
    }
    for (let cut = 0; cut < good.length; cut += 5) {
      if (!CONFIG_ENDS.includes(cut - start)) refuseDeploy(good.slice(0, cut), /REGISTRY_ARGS_INVALID/, `cut ${cut}`)
    }
    refuseDeploy(Buffer.concat([good, new Uint8Array(1)]), /REGISTRY_ARGS_INVALID/, 'trailing')
    for (const bytes of NO_ASCII) {
      const wrong = Uint8Array.from(good)
      wrong.set(bytes, findText(wrong, ADMIN.address))
      refuseDeploy(wrong, /REGISTRY_ARGS_INVALID/, `${bytes}`)
    }
    refuseDeploy(new Uint8Array(200_000).fill(255), /REGISTRY_ARGS_INVALID/, '200,000 bytes')
    for (const text of bads.slice(0, 5)) {
      const args = new ArgsWriter().string(text).raw(encodeConfig()).finish()
      refuseDeploy(args, /REGISTRY_ADDRESS_INVALID/, text)
    }
    const config = new ArgsWriter()
      .string(ADMIN.address)
      .raw(encodeConfig({ slashPercentage: U64_MAX }))
      .finish()
    refuseDeploy(config, /REGISTRY_CONFIG_INVALID/, 'config')
  })

  it('u64 maximum is refused wherever it is no value', () => {
    const max = u64Arg(U64_MAX)
    refuseWithout('registerStorageNode', OTHER_NODE, max, 'GB', /GB_OUT_OF_RANGE/)
    refuseWithout('updateStorageAllocation', NODE, max, 'GB', /GB_OUT_OF_RANGE/)
    refuseWithout('distributeRewards', ANYONE, max, 'period', /PERIOD_NOT_OVER/)
    refuseWithout('getPeriodStats', ANYONE, max, 'period', /PERIOD_UNKNOWN/)
    refuseWithout('getEra', ANYONE, max, 'era', /ERA_UNKNOWN/)
    refuseWithout(
      'prune',
      ANYONE,
      new ArgsWriter()
        .u8(1)
        .strings([String(U64_MAX)])
        .finish(),
      'prune',
      /NOTHING_PRUNED/,
    )
    refuseWithout(
      'getNodes',
      ANYONE,
      new ArgsWriter()
        .u64(0)
        .u32(2 ** 32 - 1)
        .finish(),
      'limit',
      /LIMIT_INVALID/,
    )
    assert.equal(readOnly(world, 'getNodes', new ArgsWriter().u64(U64_MAX).u32(50).finish()).returned.length, 20)
    for (let field = 0, at = 0; field < 22; field++) {
      const size = [6, 7, 8, 11, 12, 15, 19].includes(field) ? 4 : field === 13 ? 1 : 8
      const config = encodeConfig()
      config.fill(255, at, at + size)
      refuseWithout('updateConfig', ADMIN, config, `field ${field}`, field === 13 ? /ARGS_INVALID/ : /CONFIG_INVALID/)
      at += size
    }
  })

  it('metadata: one item, one byte or one control character too many is refused', () => {
    const metadata = (p2p: string[], endpoint = '', location = '', operator = '') =>
      new ArgsWriter().strings(p2p).string(endpoint).string(location).string(operator).finish()
    const longest = metadata(Array(8).fill('x'.repeat(128)), 'x'.repeat(256), 'x'.repeat(64), 'x'.repeat(64))
    assert.equal(tryCall(world, NODE, 'updateNodeMetadata', longest, MAS).ok, true)
    world.engine.restore(snapshot)
    for (const wrong of [
      metadata(Array(9).fill('a')),
      metadata(['x'.repeat(129)]),
      metadata([], 'x'.repeat(257)),
      metadata([], '', 'x'.repeat(65)),
      metadata([], '', '', 'x'.repeat(65)),
      metadata(['a\n']),
      metadata([], 'a\x7f'),
    ]) {
      refuseWithout('updateNodeMetadata', NODE, wrong, 'metadata', /METADATA_INVALID/)
    }
  })

  it('10 MB by a read-only call end in the memory error of the engine', () => {
    for (const [name] of entries) {
      const { success, error } = readOnly(world, name, new Uint8Array(READ_ONLY_BYTES))
      assert.equal(success, false)
      assert.doesNotMatch(error ?? '', /REGISTRY_/)
      assert.match(error ?? '', /memory|unreachable|out of bounds/i, `${name}: ${error}`)
    }
    refuse(world, ANYONE, 'claimRewards', 'REGISTRY_NODE_UNKNOWN')
  })
})

interface WasmModule {
  new (bytes: Uint8Array): object
  exports(module: object): readonly { readonly kind: string; readonly name: string }[]
}
