import assert from 'node:assert/strict'
import { status } from '@grpc/grpc-js'
import { Args } from '@massalabs/massa-web3'
import protobuf from 'protobufjs'
import { encodeBase58Check } from '../../../../core/base58check.ts'
import { concatBytes, type OperationBody, THREAD_COUNT } from '../../../../core/index.ts'
import type { SentOperation } from '../../../../devnet/node/index.ts'
import { PUBLIC_API_SCHEMA } from '../../../../telemetry/grpc/message-schema.ts'
import { EXECUTION_QUERY_STATUS } from '../../../../telemetry/grpc/status-codes.ts'
import { COUNTER, makeDeployment } from '../../engine/engine-fixture.ts'
import { ALICE, BOB, MAS, makeSender, pass, send, sign, transfer } from '../chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from './grpc-node.ts'

const QUICK = { endorsements: 0, deltaF0: 40, stakers: [{ key: BOB.key, rolls: 100n }] }
const schema = protobuf.parse(PUBLIC_API_SCHEMA, { keepCase: true }).root
const FORM = { longs: String, bytes: String } as const
const NO_ADDRESS = 'AU1'

describe('devnet/node/grpc: calls', () => {
  let node: GrpcNode
  let counter: string

  before(async () => {
    node = await openGrpcNode(QUICK)
    const { chain } = node
    send(chain, ALICE, makeDeployment(COUNTER, new Args().addU64(7n), { coins: MAS / 10n }))
    send(chain, BOB, { kind: 'roll-sell', rollCount: 1n })
    await pass(chain, 4 * THREAD_COUNT)
    counter = [...chain.engine.ledger.addresses()].find((address) => address.startsWith('AS')) ?? ''
    assert.notEqual(counter, '')
  })

  after(() => node.close())

  function encode(type: string, message: object): Uint8Array {
    const found = schema.lookupType(type)
    return found.encode(found.fromObject(message)).finish()
  }

  async function ask(rpc: string, request: object): Promise<Record<string, unknown>> {
    const answer = await node.caller.call(rpc, encode(`${rpc}Request`, request))
    const type = schema.lookupType(`${rpc}Response`)
    return type.toObject(type.decode(answer), FORM)
  }

  async function query(...queries: object[]): Promise<unknown[]> {
    return (await ask('QueryState', { queries })).responses as unknown[]
  }

  const refusal = (rpc: string, request: object) => node.caller.refusal(rpc, encode(`${rpc}Request`, request))

  describe('QueryState', () => {
    it('what does not exist is an error of its own query, 404', async () => {
      const address = makeSender('nobody').address
      const missing = { code: 404, message: `Account ${address}` }
      assert.deepEqual(
        await query(
          { address_balance_final: { address } },
          { address_bytecode_candidate: { address } },
          { address_datastore_keys_final: { address } },
          { address_datastore_value_final: { address, key: Buffer.from([1, 2]).toString('base64') } },
          { address_exists_final: { address } },
          { cycle_infos: { cycle: 99 } },
        ),
        [
          { error: missing },
          { error: missing },
          { error: missing },
          { error: { code: 404, message: `Account ${address} datastore entry [1, 2]` } },
          { result: { boolean: false } },
          { error: { code: 404, message: 'Cycle 99' } },
        ],
      )
    })

    it('candidate state is ahead of final state', async () => {
      const address = makeSender('fresh').address
      send(node.chain, ALICE, transfer(3n * MAS, makeSender('fresh')))
      await pass(node.chain, THREAD_COUNT + 5)
      const [isFinal, isCandidate] = await query(
        { address_exists_final: { address } },
        { address_exists_candidate: { address } },
      )
      assert.deepEqual([isFinal, isCandidate], [{ result: { boolean: false } }, { result: { boolean: true } }])
      await pass(node.chain, 2 * THREAD_COUNT)
      assert.deepEqual(await query({ address_exists_final: { address } }), [{ result: { boolean: true } }])
    })

    it('keys are cut out by prefix, bounds and limit', async () => {
      const { chain } = node
      const { address } = makeSender('holder of keys')
      const keys = ['a', 'ab', 'abc', 'b', 'ba', 'c']
      for (const ledger of [chain.engine.ledger, chain.finalLedger]) {
        for (const key of keys) ledger.setValue(address, Buffer.from(key), new Uint8Array(0))
        ledger.dropJournal()
      }
      const base64 = (text: string) => ({ value: Buffer.from(text).toString('base64') })
      const no = { value: false }
      for (const [bounds, expected] of [
        [{}, keys],
        [{ prefix: Buffer.from('a').toString('base64') }, ['a', 'ab', 'abc']],
        [{ start_key: base64('ab'), end_key: base64('ba') }, ['ab', 'abc', 'b', 'ba']],
        [
          { start_key: base64('ab'), inclusive_start_key: no, end_key: base64('ba'), inclusive_end_key: no },
          ['abc', 'b'],
        ],
        [{ limit: { value: 2 } }, ['a', 'ab']],
        [{ start_key: base64('c'.repeat(256)) }, []],
        [{ prefix: Buffer.alloc(256, 'a').toString('base64') }, []],
      ] as const) {
        for (const state of ['candidate', 'final']) {
          const [answer] = (await query({ [`address_datastore_keys_${state}`]: { address, ...bounds } })) as [
            { result: { vec_bytes: { items?: string[] } } },
          ]
          const found = (answer.result.vec_bytes.items ?? []).map((item) => Buffer.from(item, 'base64').toString())
          assert.deepEqual(found, expected, JSON.stringify(bounds))
        }
      }
    })

    it('rolls sold are owed, in final state too', async () => {
      const address = BOB.address
      const answers = await query(
        { address_rolls_final: { address } },
        { address_rolls_candidate: { address } },
        { address_deferred_credits_final: { address } },
        { address_deferred_credits_candidate: { address } },
      )
      const [credits] = answers.slice(2) as [{ result: { deferred_credits: { entries: { amount: object }[] } } }]
      assert.deepEqual(answers.slice(0, 2), Array(2).fill({ result: { roll_count: '99' } }))
      assert.deepEqual(credits.result.deferred_credits.entries[0]?.amount, { mantissa: '100000000000', scale: 9 })
      assert.deepEqual(answers[3], credits)
    })

    it('a cycle tells blocks made and rolls of the addresses named, and of none otherwise', async () => {
      const [named, all] = (await query(
        { cycle_infos: { cycle: 0, restrict_to_addresses: [BOB.address, ALICE.address] } },
        { cycle_infos: { cycle: 0 } },
      )) as { result: { cycle_infos: { staker_infos?: { address: string; info: { active_rolls?: string } }[] } } }[]
      const infos = named?.result.cycle_infos.staker_infos ?? []
      assert.deepEqual(
        new Map(infos.map(({ address, info }) => [address, info.active_rolls])),
        new Map([
          [BOB.address, '100'],
          [ALICE.address, undefined],
        ]),
      )
      assert.equal(all?.result.cycle_infos.staker_infos, undefined)
    })

    it('deferred calls: a quote, none in a slot, none of an id', async () => {
      const target = { period: node.chain.executedSlot.period + 20, thread: 5 }
      const id = `D${encodeBase58Check(new Uint8Array(43))}`
      const answers = await query(
        { deferred_call_quote: { target_slot: target, max_gas: 20_000_000, params_size: 0 } },
        { deferred_call_quote: { target_slot: { period: 0, thread: 0 }, max_gas: 1 } },
        { deferred_calls_by_slot: { slot: target } },
        { deferred_call_info: { call_id: id } },
      )
      const [quote, past] = answers as {
        result: { deferred_call_quote: { available: boolean; max_gas_request: string } }
      }[]
      assert.deepEqual(
        [quote?.result.deferred_call_quote.available, quote?.result.deferred_call_quote.max_gas_request],
        [true, '20750000'],
      )
      assert.equal(past?.result.deferred_call_quote.available, undefined)
      assert.deepEqual(answers[3], { error: { code: 404, message: `Deferred call id ${id}` } })
    })

    for (const [what, item, details] of [
      ['a query of nothing', {}, 'Error raised no filter provided'],
      [
        'a text that is no address',
        { address_balance_final: { address: NO_ADDRESS } },
        'address parsing error: in UserAddress from_str_without_prefixed_type: provided string is too small to contain a checksum',
      ],
      ['another kind of text', { address_balance_final: { address: 'hello' } }, 'address parsing error: hello'],
      [
        'a text that is no operation',
        { op_execution_status_final: { operation_id: 'O1' } },
        'operation id parsing error',
      ],
      [
        '501 keys',
        { address_datastore_keys_final: { address: ALICE.address, limit: { value: 501 } } },
        'Error raised max item count in datastore key query is 500 but 501 items were queried',
      ],
      ['a quote of no slot', { deferred_call_quote: {} }, 'Error raised target slot is required'],
      ['no denunciation', { denunciation_execution_status_final: {} }, 'Error raised no denounciation index found'],
      [
        'a denunciation of no slot',
        { denunciation_execution_status_final: { denunciation_index: { block_header: {} } } },
        'Error raised no slot found',
      ],
      [
        'no call id',
        { deferred_call_info: { call_id: 'x' } },
        'Deserialization error: Invalid prefix for DeferredCallId: x',
      ],
      [
        'a call id that is none',
        { deferred_call_info: { call_id: 'D1' } },
        'Deserialization error: Invalid base58 string for DeferredCallId: 1',
      ],
    ] as const) {
      it(`error: ${what} spoils all`, async () => {
        const good = { address_rolls_final: { address: ALICE.address } }
        assert.deepEqual(await refusal('QueryState', { queries: [good, item] }), { code: status.INTERNAL, details })
      })
    }
  })

  describe('ExecuteReadOnlyCall', () => {
    const callOf = (target: string, fields: object = {}) => ({
      call: { max_gas: 100_000_000, function_call: { target_address: target, target_function: 'count' }, ...fields },
    })

    it('returns what the function returns, and the gas', async () => {
      const { output } = (await ask('ExecuteReadOnlyCall', callOf(counter))) as {
        output: { call_result: string; used_gas: string; out: { slot: object } }
      }
      assert.equal(Buffer.from(output.call_result, 'base64').readBigUInt64LE(), 7n)
      assert.equal(output.used_gas, '2100000')
    })

    it('shows the events and changes of a call that would write', async () => {
      const balance = node.chain.engine.ledger.balance(counter)
      const parameter = Buffer.from(new Args().addU64(5n).serialize()).toString('base64')
      const call = {
        target_address: counter,
        target_function: 'increment',
        parameter,
        coins: { mantissa: 1, scale: 9 },
      }
      const caller = { value: ALICE.address }
      const { output } = (await ask(
        'ExecuteReadOnlyCall',
        callOf(counter, { function_call: call, caller_address: caller }),
      )) as {
        output: {
          out: {
            events: { context: { status: number; call_stack: string[] } }[]
            state_changes: { ledger_changes: { address: string }[] }
          }
        }
      }
      assert.deepEqual(
        output.out.events.map(({ context }) => [context.status, context.call_stack]),
        [[2, [ALICE.address, counter]]],
      )
      assert(output.out.state_changes.ledger_changes.some(({ address }) => address === counter))
      assert.equal(node.chain.engine.ledger.balance(counter), balance)
    })

    for (const [what, request, code, details] of [
      ['no target', { call: {} }, status.INVALID_ARGUMENT, /^no call target provided$/],
      [
        'a fee that is too low',
        callOf(ALICE.address, { fee: { mantissa: 1, scale: 9 } }),
        status.INVALID_ARGUMENT,
        /^fee is too low provided: 0.000000001 , minimal_fees required: 0.01$/,
      ],
      [
        'a caller that is no address',
        callOf(ALICE.address, { caller_address: { value: 'x' } }),
        status.INTERNAL,
        /^address parsing error: x$/,
      ],
      [
        'an amount too large',
        callOf(makeSender('x').address, { fee: { mantissa: '18446744073709551615', scale: 0 } }),
        status.INVALID_ARGUMENT,
        /^invalid amount$/,
      ],
      ['a contract that is none', callOf(ALICE.address), status.INTERNAL, /VM Error|not a smart contract|Runtime/i],
    ] as const) {
      it(`error: ${what}`, async () => {
        const answer = await refusal('ExecuteReadOnlyCall', request)
        assert.equal(answer.code, code)
        assert.match(answer.details, details)
      })
    }
  })

  describe('SendOperations', () => {
    const bytesOf = ({ signature, publicKey, content }: SentOperation) => concatBytes(signature, publicKey, content)
    const made = (body: OperationBody, options?: Parameters<typeof sign>[3]) =>
      bytesOf(sign(node.chain, ALICE, body, options))
    const call: OperationBody = {
      kind: 'call-sc',
      target: ALICE.key.address,
      functionName: 'f',
      parameter: new Uint8Array(0),
      maxGas: 4_294_167_296n,
      coinsNanoMas: 0n,
    }

    /** Answers to messages sent one after another in one conversation. */
    async function converse(messages: readonly Uint8Array[][]): Promise<object[]> {
      const stream = node.caller.converse('SendOperations')
      const type = schema.lookupType('SendOperationsResponse')
      const answers: object[] = []
      stream.on('data', (answer: Buffer) => answers.push(type.toObject(type.decode(answer), FORM)))
      const ended = new Promise((resolve, reject) => {
        stream.once('end', resolve)
        stream.once('error', reject)
      })
      const request = schema.lookupType('SendOperationsRequest')
      for (const operations of messages) stream.write(Buffer.from(request.encode({ operations }).finish()))
      stream.end()
      await ended
      return answers
    }

    it('answers every message: ids of what was taken, or why nothing of it was', async () => {
      const good = made(transfer(11n))
      const forged = Uint8Array.from(good)
      forged[3] = (forged[3] ?? 0) ^ 1
      const prefix = 'invalid operation(s): '
      const late = 'Your operation will never be included in a block.'
      const answers = await converse([
        [good],
        [],
        [made(transfer(12n)), made(transfer(13n), { feeNanoMas: 1n })],
        [made(transfer(14n), { expirePeriod: 0 })],
        [made(call)],
        [concatBytes(made(transfer(15n)), Uint8Array.of(0))],
        [forged],
        Array.from({ length: 1025 }, () => good),
        [made(transfer(16n)), made(transfer(17n))],
      ])
      const messages = answers.map((answer) => (answer as { error?: { code: number; message: string } }).error)
      assert.deepEqual(messages, [
        undefined,
        { code: 3, message: 'the request payload is empty' },
        { code: 3, message: `${prefix}Invalid argument error: Operation fee is lower than the minimal fee. ${late}` },
        {
          code: 3,
          message: `${prefix}Invalid argument error: Operation expire_period is lower than the current period of this node. ${late}`,
        },
        {
          code: 3,
          message: `${prefix}Invalid argument error: Upper gas limit for CallSC operation is 4294167295. ${late}`,
        },
        { code: 3, message: `${prefix}Internal server error: there is data left after operation deserialization` },
        {
          code: 3,
          message: `${prefix}Models error: \`massa_signature\` error: Signature error : Signature verification failed: signature error: Verification equation was not satisfied`,
        },
        { code: 3, message: 'too many operations per message' },
        undefined,
      ])
      const ids = answers.flatMap(
        (answer) => (answer as { operation_ids?: { operation_ids: string[] } }).operation_ids?.operation_ids ?? [],
      )
      assert.equal(ids.length, 3)
      for (const id of ids) assert(node.chain.operations.has(id))
      await pass(node.chain, 2 * THREAD_COUNT)
      const statuses = await query(...ids.map((operation_id) => ({ op_execution_status_candidate: { operation_id } })))
      assert.deepEqual(
        statuses,
        ids.map(() => ({ result: { execution_status: EXECUTION_QUERY_STATUS.success } })),
      )
    })
  })

  it('endorsements are found by creator and id, in rivals too', async () => {
    const rich = await openGrpcNode({ endorsements: 2, orphanRate: 1 })
    try {
      await pass(rich.chain, 3)
      const type = schema.lookupType('SearchEndorsementsResponse')
      const creators = rich.chain.drawOf(33).endorsers.slice(0, 1)
      const request = encode('SearchEndorsementsRequest', { filters: [{ addresses: { addresses: creators } }] })
      const infos = (
        type.toObject(type.decode(await rich.caller.call('SearchEndorsements', request))) as {
          endorsement_infos: { endorsement_id: string; in_blocks: string[] }[]
        }
      ).endorsement_infos
      assert(infos.some(({ in_blocks }) => in_blocks.length === 2))
      assert(infos.every(({ endorsement_id }) => endorsement_id.startsWith('E1')))
    } finally {
      await rich.close()
    }
  })

  it('an interceptor may refuse, change and delay answers, until it is taken away', async () => {
    node.server.intercept(async (rpc, _request, honest) => (rpc === 'GetStatus' ? Uint8Array.of(1, 2) : honest()))
    assert.deepEqual(await node.caller.call('GetStatus'), Buffer.of(1, 2))
    assert((await node.caller.call('GetStakers')).length > 2)
    node.server.intercept()
    assert((await node.caller.call('GetStatus')).length > 100)
  })

  it('error: a port that is taken is named', async () => {
    await assert.rejects(openGrpcNode(QUICK, { port: node.server.port }), { code: 'DEVNET_LISTEN_FAILED' })
  })
})
