import assert from 'node:assert/strict'
import { Args, ArrayTypes } from '@massalabs/massa-web3'
import fc from 'fast-check'
import { loadRegistryParams } from '../../../config/index.ts'
import {
  checkRegistryConfig,
  computeConfigBounds,
  computeDeployPrice,
  decodeAnnouncement,
  decodeRegistryCall,
  decodeRegistryResult,
  type ErrorCode,
  encodeRegistryCall,
  encodeRegistryResult,
  formatRegistryEvent,
  isArchiveError,
  parseRegistryEvent,
  parseRegistryRefusal,
  REGISTRY_CALLS,
  REGISTRY_CONFIG_FIELDS,
  REGISTRY_ERROR_CODES,
  REGISTRY_EVENT_NAMES,
  REGISTRY_VIEWS,
  type RegistryCallArgs,
  type RegistryCallName,
  type RegistryConfig,
  type RegistryViewName,
  toHex,
} from '../../../core/index.ts'
import { makeWallet } from '../../devnet/node/face.ts'
import { CALL_ARGS, VIEW_RESULTS } from './arbitraries.ts'

const ALICE = makeWallet('alice').address
const CHUNK = 'ab'.repeat(32)
const CONFIG = loadRegistryParams(undefined)

function refuses(code: ErrorCode, run: () => unknown): void {
  assert.throws(run, (error) => isArchiveError(error, code))
}

function blob(items: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(items.map((item) => new Args().addUint8Array(item).serialize()))
}

/** One case of each call as somebody would write it with massa-web3. */
const BY_HAND: { readonly [N in RegistryCallName]: readonly [RegistryCallArgs<N>, Args] } = {
  constructor: [{ admin: ALICE, config: CONFIG }, addConfig(new Args().addString(ALICE), CONFIG)],
  registerStorageNode: [
    { allocatedGb: 5n, retentionPeriods: 0n, stake: 7n },
    new Args().addU64(5n).addU64(0n).addU64(7n),
  ],
  updateStorageAllocation: [{ newAllocatedGb: 5n }, new Args().addU64(5n)],
  unregisterStorageNode: [{}, new Args()],
  topUpStake: [{}, new Args()],
  fundRewards: [{}, new Args()],
  updateNodeMetadata: [
    { p2pAddrs: ['/ip4/1', '/ip4/2'], endpoint: 'e', location: 'l', operator: 'o' },
    new Args().addArray(['/ip4/1', '/ip4/2'], ArrayTypes.STRING).addString('e').addString('l').addString('o'),
  ],
  issueChallenge: [
    { challengeId: 'c', nodeAddress: ALICE, chunkId: CHUNK, nonce: 9n },
    new Args().addString('c').addString(ALICE).addString(CHUNK).addU64(9n),
  ],
  issueChallenges: [
    { challengeIds: ['c', 'd'], nodeAddress: ALICE, chunkIds: [CHUNK, CHUNK], nonces: [1n, 2n], evidences: [] },
    new Args()
      .addArray(['c', 'd'], ArrayTypes.STRING)
      .addString(ALICE)
      .addArray([CHUNK, CHUNK], ArrayTypes.STRING)
      .addArray([1n, 2n], ArrayTypes.U64)
      .addUint8Array(new Uint8Array()),
  ],
  submitProof: [
    { challengeId: 'c', merkleProof: Uint8Array.of(1), signature: Uint8Array.of(2) },
    new Args().addString('c').addUint8Array(Uint8Array.of(1)).addUint8Array(Uint8Array.of(2)),
  ],
  submitProofs: [
    {
      challengeIds: ['c', 'd'],
      merkleProofs: [Uint8Array.of(1), Uint8Array.of(2, 3)],
      signatures: [Uint8Array.of(4), new Uint8Array()],
    },
    new Args()
      .addArray(['c', 'd'], ArrayTypes.STRING)
      .addUint8Array(blob([Uint8Array.of(1), Uint8Array.of(2, 3)]))
      .addUint8Array(blob([Uint8Array.of(4), new Uint8Array()])),
  ],
  resolveExpiredChallenges: [{ challengeIds: ['c'] }, new Args().addArray(['c'], ArrayTypes.STRING)],
  distributeRewards: [{ period: 3n }, new Args().addU64(3n)],
  claimRewards: [{}, new Args()],
  anchorEra: [
    {
      era: 1n,
      root: new Uint8Array(32).fill(1),
      totalBytes: 2n,
      totalChunks: 3n,
      placementRoot: new Uint8Array(32).fill(4),
      signatures: [Uint8Array.of(5)],
    },
    new Args()
      .addU64(1n)
      .addUint8Array(new Uint8Array(32).fill(1))
      .addU64(2n)
      .addU64(3n)
      .addUint8Array(new Uint8Array(32).fill(4))
      .addUint8Array(blob([Uint8Array.of(5)])),
  ],
  prune: [{ kind: 'period', ids: ['7'] }, new Args().addU8(1n).addArray(['7'], ArrayTypes.STRING)],
  updateConfig: [CONFIG, addConfig(new Args(), CONFIG)],
  upgrade: [
    { bytecode: Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 9) },
    new Args().addUint8Array(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 9)),
  ],
  addChallenger: [{ address: ALICE }, new Args().addString(ALICE)],
  removeChallenger: [{ address: ALICE }, new Args().addString(ALICE)],
  setPaused: [{ paused: true }, new Args().addBool(true)],
  transferAdmin: [{ address: ALICE }, new Args().addString(ALICE)],
  acceptAdmin: [{}, new Args()],
}

function addConfig(args: Args, config: RegistryConfig): Args {
  for (const field of REGISTRY_CONFIG_FIELDS) {
    const value = config[field]
    if (typeof value === 'bigint') args.addU64(value)
    else if (typeof value === 'number') args.addU32(BigInt(value))
    else args.addBool(value)
  }
  return args
}

describe('core/registry', () => {
  for (const name of Object.keys(REGISTRY_CALLS) as RegistryCallName[]) {
    it(`${name}: arguments read back as they were given`, () => {
      fc.assert(
        fc.property(CALL_ARGS[name] as fc.Arbitrary<never>, (args) => {
          assert.deepEqual(decodeRegistryCall(name, encodeRegistryCall(name, args)), structuredClone(args))
        }),
        { numRuns: 50 },
      )
    })

    it(`${name}: arguments are those of massa-web3's Args`, () => {
      const [args, theirs] = BY_HAND[name]
      assert.equal(toHex(encodeRegistryCall(name, args as never)), toHex(theirs.serialize()))
    })
  }

  for (const name of Object.keys(REGISTRY_VIEWS) as RegistryViewName[]) {
    it(`${name}: results read back as they were given`, () => {
      fc.assert(
        fc.property(VIEW_RESULTS[name] as fc.Arbitrary<never>, (value) => {
          assert.deepEqual(decodeRegistryResult(name, encodeRegistryResult(name, value)), structuredClone(value))
        }),
        { numRuns: 50 },
      )
    })

    it(`error: ${name} refuses a result with a byte too many`, () => {
      fc.assert(
        fc.property(VIEW_RESULTS[name] as fc.Arbitrary<never>, (value) => {
          const longer = Uint8Array.from([...encodeRegistryResult(name, value), 0])
          refuses('CORE_BYTES_INVALID', () => decodeRegistryResult(name, longer))
        }),
        { numRuns: 20 },
      )
    })
  }
})

describe('core/registry/calls', () => {
  const challenge = { challengeId: 'c', nodeAddress: ALICE, chunkId: CHUNK, nonce: 0n }
  const batch = { challengeIds: ['c'], nodeAddress: ALICE, chunkIds: [CHUNK], nonces: [0n] }

  it('limit: an id of a challenge has 1 to 64 characters of its alphabet', () => {
    encodeRegistryCall('issueChallenge', { ...challenge, challengeId: 'a'.repeat(64) })
    for (const challengeId of ['', 'a'.repeat(65), 'a,b', 'a b']) {
      refuses('REGISTRY_CHALLENGE_ID_INVALID', () =>
        encodeRegistryCall('issueChallenge', { ...challenge, challengeId }),
      )
    }
  })

  it('limit: a chunk id is 64 lower-case hex digits', () => {
    for (const chunkId of [CHUNK.slice(1), `${CHUNK}a`, CHUNK.toUpperCase()]) {
      refuses('REGISTRY_CHUNK_ID_INVALID', () => encodeRegistryCall('issueChallenge', { ...challenge, chunkId }))
    }
  })

  it('error: refuses what is no address', () => {
    for (const address of ['', 'AU1', `${ALICE}a`, ALICE.slice(0, -1)]) {
      refuses('REGISTRY_ADDRESS_INVALID', () => encodeRegistryCall('addChallenger', { address }))
    }
  })

  it('limit: 1 to 8 challenges in a batch, of equal numbers', () => {
    const many = (n: number) => ({
      challengeIds: Array.from({ length: n }, (_, i) => `c${i}`),
      nodeAddress: ALICE,
      chunkIds: Array<string>(n).fill(CHUNK),
      nonces: Array<bigint>(n).fill(0n),
    })
    encodeRegistryCall('issueChallenges', many(8))
    refuses('REGISTRY_BATCH_INVALID', () => encodeRegistryCall('issueChallenges', many(9)))
    refuses('REGISTRY_BATCH_INVALID', () => encodeRegistryCall('issueChallenges', many(0)))
    refuses('REGISTRY_BATCH_INVALID', () => encodeRegistryCall('issueChallenges', { ...batch, nonces: [0n, 1n] }))
    const evidences = [new Uint8Array(), new Uint8Array()]
    refuses('REGISTRY_BATCH_INVALID', () => encodeRegistryCall('issueChallenges', { ...batch, evidences }))
    const proofs = { challengeIds: ['c'], merkleProofs: [], signatures: [new Uint8Array()] }
    refuses('REGISTRY_BATCH_INVALID', () => encodeRegistryCall('submitProofs', proofs))
  })

  it('limit: metadata of a node', () => {
    const fine = {
      p2pAddrs: Array<string>(8).fill('a'.repeat(128)),
      endpoint: 'e'.repeat(256),
      location: 'l'.repeat(64),
      operator: 'o'.repeat(64),
    }
    encodeRegistryCall('updateNodeMetadata', fine)
    const worse = [
      { p2pAddrs: [...fine.p2pAddrs, 'a'] },
      { p2pAddrs: ['a'.repeat(129)] },
      { endpoint: `${fine.endpoint}e` },
      { location: 'a\n' },
      { operator: 'ä' },
    ]
    for (const change of worse) {
      refuses('REGISTRY_METADATA_INVALID', () => encodeRegistryCall('updateNodeMetadata', { ...fine, ...change }))
    }
  })

  it('error: refuses code that is no WebAssembly', () => {
    for (const bytecode of [new Uint8Array(), Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0), new Uint8Array(40)]) {
      refuses('REGISTRY_CODE_INVALID', () => encodeRegistryCall('upgrade', { bytecode }))
    }
  })
})

describe('core/registry/registry-config', () => {
  it('the shipped settings are within the bounds', () => checkRegistryConfig(CONFIG))

  for (const field of REGISTRY_CONFIG_FIELDS) {
    if (field === 'requireAnchors') continue
    it(`limit: ${field} at and one past its bounds`, () => {
      for (const requireAnchors of [false, true]) {
        const base = { ...CONFIG, requireAnchors, adminDelayPeriods: 20_000n }
        const { min, max } = computeConfigBounds(base, field)
        const wide = {
          ...base,
          minAllocatedGb: 1n,
          maxAllocatedGb: 1_000_000n,
          adminDelayPeriods: 54_000n,
          unbondingPeriods: 5_400n,
        }
        const bounds = computeConfigBounds(wide, field)
        const set = (value: bigint) => ({ ...wide, [field]: typeof base[field] === 'bigint' ? value : Number(value) })
        // Some bounds stand against those of other fields: these are set apart above.
        if (field !== 'unbondingPeriods') checkRegistryConfig(set(bounds.max))
        checkRegistryConfig(set(bounds.min))
        refuses('REGISTRY_CONFIG_INVALID', () => checkRegistryConfig(set(bounds.max + 1n)))
        if (bounds.min > 0n) refuses('REGISTRY_CONFIG_INVALID', () => checkRegistryConfig(set(bounds.min - 1n)))
        assert(min <= max)
      }
    })
  }
})

describe('core/registry/events', () => {
  it('every event reads back as it was written', () => {
    const value = { text: 'AU12', u64: (1n << 64n) - 1n, bool: false }
    for (const name of REGISTRY_EVENT_NAMES) {
      const data = sampleEvent(name, value)
      const event = parseRegistryEvent(data)
      assert.equal(event?.name, name, data)
      assert.equal(event && formatRegistryEvent(event), data)
    }
  })

  it('what is no event of a registry is undefined', () => {
    const others = ['', 'hello', 'toString:', 'POOL_SHORT:', 'POOL_SHORT:1,2', 'POOL_SHORT:-1', 'POOL_SHORT:01']
    for (const data of [...others, 'POOL_SHORT:18446744073709551616', 'PAUSED_SET:yes', 'CHALLENGE_PASSED:a']) {
      assert.equal(parseRegistryEvent(data), undefined, data)
    }
  })
})

/** A text that some number of fields of some kinds makes an event: the kinds are found by trying. */
function sampleEvent(name: string, value: { text: string; u64: bigint; bool: boolean }): string {
  const kinds = [`${value.u64}`, `${value.bool}`, value.text]
  for (let count = 1; count <= 5; count++) {
    for (let choice = 0; choice < kinds.length ** count; choice++) {
      const fields = Array.from(
        { length: count },
        (_, i) => kinds[Math.floor(choice / kinds.length ** i) % kinds.length],
      )
      const data = `${name}:${fields.join(',')}`
      if (parseRegistryEvent(data)) return data
    }
  }
  throw new Error(`no sample of ${name}`)
}

describe('core/registry/refusal', () => {
  it('finds the code in what a node says of a failed call', () => {
    const words = 'error: REGISTRY_PAUSED: the registry is paused at assembly/internals/call.ts:20 col: 101'
    const texts = [
      `readonly call failed: VM Error in ReadOnlyExecutionTarget::FunctionCall context: Depth error: Runtime error: ${words}`,
      `{"massa_execution_error":"Runtime error: runtime error when executing operation O12: VM Error in CallSC context: Depth error: Runtime error: ${words}"}`,
    ]
    for (const text of texts) {
      const refusal = parseRegistryRefusal(text)
      assert.equal(refusal?.code, 'REGISTRY_PAUSED')
      assert.equal(refusal?.message, 'the registry refused: the registry is paused')
      assert.equal(refusal?.kind, 'transient')
    }
  })

  it('finds none where there is none, and none that it does not know', () => {
    for (const text of ['', 'out of gas', 'error: REGISTRY_NO_SUCH_THING: x at a.ts:1 col: 1', 'REGISTRY_PAUSED']) {
      assert.equal(parseRegistryRefusal(text), undefined)
    }
  })

  it('knows every code of the contract', async () => {
    const { readFileSync } = await import('node:fs')
    const source = readFileSync(new URL('../../../massa-storage-sc/assembly/errors.ts', import.meta.url), 'utf8')
    const codes = [...source.matchAll(/'(REGISTRY_[A-Z_]+):/g)].map((match) => match[1] ?? '')
    assert(codes.length > 50)
    // Those of the deploy command are ours alone.
    assert.deepEqual(
      Object.keys(REGISTRY_ERROR_CODES)
        .filter((code) => code !== 'REGISTRY_MAINNET_REFUSED')
        .sort(),
      codes.sort(),
    )
  })
})

describe('core/registry/records', () => {
  it('error: refuses an announcement of another length or version', () => {
    refuses('CORE_BYTES_INVALID', () => decodeAnnouncement(new Uint8Array(41)))
    refuses('CORE_BYTES_INVALID', () => decodeAnnouncement(new Uint8Array(40).fill(1)))
    assert.equal(decodeAnnouncement(new Uint8Array(41).fill(1)).announcedPeriod, 0x0101_0101_0101_0101n)
  })

  it('a deployment costs its bytes, an address and four records', () => {
    assert.deepEqual(computeDeployPrice(1_000, 53), { codeNanoMas: 101_000_000n, recordsNanoMas: 61_600_000n })
  })
})
