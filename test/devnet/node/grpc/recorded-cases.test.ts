import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { ServiceError } from '@grpc/grpc-js'
import protobuf from 'protobufjs'
import { slotIndex } from '../../../../core/index.ts'
import { endorsementsOf } from '../../../../devnet/node/grpc/endorsement-answers.ts'
import type { ChainBlock, DevnetChain } from '../../../../devnet/node/index.ts'
import { PUBLIC_API_SCHEMA } from '../../../../telemetry/grpc/message-schema.ts'
import { ALICE, MAS, makeSender, reach, send, transfer } from '../chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from './grpc-node.ts'
import { findShapeDifferences, listValues, type RecordedCase, readCases } from './message-shape.ts'

/** Names of the recording that the requests use. */
const RECORDED = {
  producer: 'AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji',
  user: 'AU1VnPpmZ98ySyQLWew9FUMCGJxM9QMoBoZsypvpKYCciXyC2X9u',
  contract: 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p',
  endorsement: 'E1heyZYSizHjQ7yNjc8XaqdA25oTn3EDUFD5seuHxP2mCL6EaGY',
  unknownBlock: 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW',
  unknownOperation: 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1',
  pooled: [
    'O12myUpon5ZjJuMwAKTBuFiiipaLk7FBQ2VnjSJSkgy6eJe98wwm',
    'O12uA3NMAbUhtwYJwXcX7iEoEJWgKvSeRsgJk1yFR6ezzKEFJQzv',
  ],
} as const
/** Where the recorded node stood. */
const CANDIDATE_SLOT = { period: 48, thread: 5 }
const STAKER = makeSender('the only staker')
const CALLER = makeSender('caller')

interface Compared {
  /** Of a later node: what was recorded is MAIN.3.0, our limits are those of MAIN.5.0. */
  readonly later: Readonly<Record<string, { readonly code: number; readonly details: string; readonly reason: string }>>
  /** Numbers that may be zero on one side, by the end of their path. */
  readonly mayBeZero: Readonly<Record<string, string>>
  /** Of the configuration in GetStatus. */
  readonly ofTheNetwork: Readonly<Record<string, string>>
}
/** What is not compared as it was recorded, with the reason. docs/DEVNET_EVIDENCE.md lists it. */
const COMPARED = JSON.parse(
  readFileSync(new URL('../../../fixtures/sandbox-grpc/compared.json', import.meta.url), 'utf8'),
) as Compared
const cases = readCases()

describe('devnet/node/grpc against recorded calls of a real node', () => {
  let node: GrpcNode
  let translate: (text: string) => string

  before(async function () {
    this.timeout(60_000)
    const accounts = [
      [ALICE.address, 100_000n * MAS],
      [CALLER.address, 100n * MAS],
      [STAKER.address, 100n * MAS],
      [RECORDED.user, 99n * MAS],
    ] as const
    // Fewer endorsements, and finality that comes as late with them.
    const endorsements = 2
    const stakers = [{ key: STAKER.key, rolls: 100n }]
    node = await openGrpcNode({ stakers, accounts, endorsements, deltaF0: 64 * (1 + endorsements) })
    translate = await liveLikeTheRecorded(node.chain)
  })

  after(() => node.close())

  for (const recorded of cases) {
    it(`${recorded.case}: ${recorded.rpc} is answered alike`, async () => {
      const request = translateRequest(recorded, translate)
      const answer = await node.caller.call(recorded.rpc, request).catch((error: ServiceError) => error)
      const later = COMPARED.later[recorded.case]
      const expected = later ? { code: later.code, details: later.details } : recorded.error
      if (answer instanceof Error) {
        assert.deepEqual({ code: answer.code, details: answer.details }, expected)
        return
      }
      assert.equal(expected, undefined, `answered, where the node said ${expected?.details}`)
      const bytes = { ours: answer, recorded: Buffer.from(recorded.response ?? '', 'base64') }
      assert.deepEqual(findShapeDifferences(`${recorded.rpc}Response`, bytes, Object.keys(COMPARED.mayBeZero)), [])
    })
  }

  it('GetStatus: each value of the configuration is the recorded one, but for those of another network', async () => {
    const recorded = cases.find(({ rpc, response }) => rpc === 'GetStatus' && response !== undefined)
    const ours = await node.caller.call('GetStatus', new Uint8Array(0))
    const read = (bytes: Uint8Array) => {
      const values = listValues('GetStatusResponse', bytes, 'status.config')
      for (const name of Object.keys(COMPARED.ofTheNetwork)) assert(values.delete(`status.config.${name}`), name)
      return Object.fromEntries(values)
    }
    assert.deepEqual(read(ours), read(Buffer.from(recorded?.response ?? '', 'base64')))
  })
})

/** Lets a chain be where the recorded one was. @returns what a text of the recording is called here */
async function liveLikeTheRecorded(chain: DevnetChain): Promise<(text: string) => string> {
  for (const ledger of [chain.engine.ledger, chain.finalLedger]) {
    ledger.setBalance(RECORDED.contract, 12n * MAS)
    ledger.setBytecode(RECORDED.contract, Uint8Array.of(1, 2, 3))
    for (const key of ['\x00', 'created', 'other'])
      ledger.setValue(RECORDED.contract, Buffer.from(key), Buffer.from('2'))
    ledger.dropJournal()
  }
  const failing = {
    kind: 'execute-sc',
    maxGas: 10_000_000n,
    maxCoinsNanoMas: 0n,
    bytecode: Uint8Array.of(0),
    datastore: [],
  } as const
  await reach(chain, slotIndex({ period: 42, thread: 0 }))
  const executed = [1n, 2n, 3n].map((amount) => send(chain, ALICE, transfer(amount, CALLER)))
  executed[3] = send(chain, STAKER, { kind: 'roll-sell', rollCount: 1n })
  send(chain, CALLER, failing)
  await reach(chain, slotIndex({ period: 45, thread: 31 }))
  send(chain, CALLER, { ...failing, maxGas: 9_000_000n })
  // Seen in candidate state, not in final.
  await reach(chain, slotIndex(CANDIDATE_SLOT) + chain.options.executionLagSlots)
  for (let i = 0; i < 60; i++) send(chain, ALICE, transfer(BigInt(100 + i), CALLER))
  const pooled = [5n, 6n].map((amount) => send(chain, ALICE, transfer(amount, CALLER)))
  const names = new Map<string, string>([[RECORDED.producer, chain.producerOf(0)]])
  const blocks = chain.listBlocks(slotIndex({ period: 43, thread: 0 }), slotIndex({ period: 44, thread: 0 }))
  const [first] = blocks as [ChainBlock]
  names.set(RECORDED.endorsement, endorsementsOf(first)[0]?.id ?? '')
  names.set(RECORDED.unknownBlock, RECORDED.unknownBlock)
  names.set(RECORDED.unknownOperation, RECORDED.unknownOperation)
  for (const [i, id] of RECORDED.pooled.entries()) names.set(id, pooled[i] ?? '')
  const queues = { B: blocks.map(({ id }) => id), O: executed }
  return (text) => {
    const kind = text[0]
    // Ids that are malformed are asked as they are.
    if (names.has(text) || text.length < 45 || (kind !== 'B' && kind !== 'O')) return names.get(text) ?? text
    const own = queues[kind].shift() ?? text
    names.set(text, own)
    return own
  }
}

const schema = protobuf.parse(PUBLIC_API_SCHEMA, { keepCase: true }).root

function translateRequest({ rpc, request }: RecordedCase, translate: (text: string) => string): Uint8Array {
  const bytes = Buffer.from(request, 'base64')
  const type = schema.get(`${rpc}Request`)
  if (!(type instanceof protobuf.Type)) return bytes
  let decoded: protobuf.Message
  try {
    decoded = type.decode(bytes)
  } catch {
    return bytes
  }
  const rename = (value: unknown): unknown => {
    if (typeof value === 'string') return translate(value)
    if (Array.isArray(value)) return value.map(rename)
    // Bytes and 64-bit numbers have no names in them.
    if (typeof value !== 'object' || value === null || value instanceof Uint8Array || 'low' in value) return value
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, rename(inner)]))
  }
  return type.encode(type.fromObject(rename(type.toObject(decoded)) as object)).finish()
}
