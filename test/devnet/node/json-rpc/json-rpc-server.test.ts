import assert from 'node:assert/strict'
import fc from 'fast-check'
import { RPC_METHODS } from '../../../../devnet/node/json-rpc/rpc-methods.ts'
import { MESSENGER, TAKES_I64 } from '../../engine/wasm-builder.ts'
import { type Face, makeWallet, SteppedClock, startFace } from '../face.ts'

const ALICE = makeWallet('alice')
/** Has nothing, and is nowhere on the ledger. */
const NOBODY = makeWallet('nobody')
const JSON_TYPE = { 'content-type': 'application/json' }

/** What a massa-node (MAIN.3.0) answered to the same requests; ids and texts are its own. */
const REFUSALS: readonly (readonly [string, unknown, unknown])[] = [
  [
    'an operation id that is none',
    { method: 'get_operations', params: [['O1']] },
    { code: -32602, message: 'Invalid params', data: 'operation id parsing error at line 1 column 5' },
  ],
  [
    'an address that is none',
    { method: 'get_addresses', params: [['AU1']] },
    {
      code: -32602,
      message: 'Invalid params',
      data: 'address parsing error: in UserAddress from_str_without_prefixed_type: provided string is too small to contain a checksum at line 1 column 6',
    },
  ],
  [
    'a public key that is none',
    { method: 'send_operations', params: [[{ creator_public_key: 'P1', signature: '1', serialized_content: [] }]] },
    { code: -32602, message: 'Invalid params', data: 'Parsing error: Bad public key bs58 at line 1 column 27' },
  ],
  [
    'a parameter of another type',
    { method: 'get_operations', params: [5] },
    {
      code: -32602,
      message: 'Invalid params',
      data: 'invalid type: integer `5`, expected a sequence at line 1 column 1',
    },
  ],
  [
    'no parameter',
    { method: 'get_operations', params: [] },
    { code: -32602, message: 'Invalid params', data: 'No more params' },
  ],
  ['a method that is none', { method: 'get_nothing', params: [] }, { code: -32601, message: 'Method not found' }],
  [
    'transfers of slots',
    { method: 'get_slots_transfers', params: [[{ period: 40, thread: 0 }]] },
    { code: -32000, message: 'Bad request: feature execution-trace is not enabled' },
  ],
  [
    'bytecode of an account that is not there',
    { method: 'get_addresses_bytecode', params: [[{ address: NOBODY.address, is_final: true }]] },
    { code: -32001, message: `Internal server error: Not found: Account ${NOBODY.address}` },
  ],
  [
    'keys of an account that is not there',
    { method: 'get_addresses_datastore_keys', params: [[{ address: NOBODY.address, prefix: [], is_final: false }]] },
    { code: -32010, message: `execution error: Not found: Account ${NOBODY.address}` },
  ],
  [
    'more keys than a page has, of the second account',
    {
      method: 'get_addresses_datastore_keys',
      params: [
        [
          { address: NOBODY.address, prefix: [], is_final: true },
          { address: ALICE.address, prefix: [], is_final: true, count: 501 },
        ],
      ],
    },
    {
      code: -32000,
      message: `Bad request: error querying datastore keys for address ${ALICE.address}: Error raised max item count in datastore key query is 500 but 501 items were queried`,
    },
  ],
  [
    'more keys than a page has',
    {
      method: 'get_addresses_datastore_keys',
      params: [[{ address: ALICE.address, prefix: [], is_final: true, count: 501 }]],
    },
    {
      code: -32000,
      message: `Bad request: error querying datastore keys for address ${ALICE.address}: Error raised max item count in datastore key query is 500 but 501 items were queried`,
    },
  ],
]

describe('devnet/node/json-rpc/json-rpc-server', () => {
  let face: Face

  before(async () => {
    face = await startFace(new SteppedClock(), [ALICE])
  })

  after(() => face.close())

  const post = (body: string, headers: Record<string, string> = JSON_TYPE) =>
    fetch(face.url, { method: 'POST', headers, body })
  const ask = async (request: object) => (await post(JSON.stringify({ jsonrpc: '2.0', id: 1, ...request }))).json()

  for (const [name, request, error] of REFUSALS) {
    it(`error: answers ${name} as a massa-node`, async () => {
      assert.deepEqual(await ask(request as object), { jsonrpc: '2.0', id: 1, error })
    })
  }

  for (const [what, bytecode, expected] of [
    ['takes an i64', TAKES_I64, /Parameters of type \[I32\] did not match signature \[I64\] -> \[\]$/],
    ['sends a message', MESSENGER, /assembly_script_send_message \(DEVNET_HOST_FUNCTION_MISSING\)$/],
  ] as const) {
    it(`error: answers a read-only call of a function that ${what} with how it fails`, async () => {
      const call = { max_gas: 50_000_000, target_function: 'run', parameter: [], caller_address: ALICE.address }
      const request = { ...call, target_address: face.chain.engine.placeContract(bytecode) }
      const answer = await ask({ method: 'execute_read_only_call', params: [[request]] })
      const { result } = answer as { result: [{ result: { Error: string } }] }
      assert.match(result[0].result.Error, expected)
    })
  }

  it('answers a status in the fields and order of a massa-node', async () => {
    const { result } = (await ask({ method: 'get_status', params: [{}] })) as { result: object }
    const fields =
      'node_id node_ip version current_time current_cycle current_cycle_time next_cycle_time connected_nodes last_slot next_slot ' +
      'consensus_stats pool_stats network_stats execution_stats config chain_id minimal_fees current_mip_version'
    assert.equal(Object.keys(result).join(' '), fields)
  })

  it('answers an address in the fields and order of a massa-node', async () => {
    const { result } = (await ask({ method: 'get_addresses', params: [[ALICE.address]] })) as { result: [object] }
    const fields =
      'address thread final_balance final_roll_count final_datastore_keys candidate_balance candidate_roll_count ' +
      'candidate_datastore_keys deferred_credits next_block_draws next_endorsement_draws created_blocks created_operations ' +
      'created_endorsements cycle_infos'
    assert.equal(Object.keys(result[0]).join(' '), fields)
  })

  it('limit: 128 operations are looked up, 129 are too many arguments', async () => {
    const id = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
    assert.deepEqual(await ask({ method: 'get_operations', params: [Array(128).fill(id)] }), {
      jsonrpc: '2.0',
      id: 1,
      result: [],
    })
    assert.deepEqual(await ask({ method: 'get_operations', params: [Array(129).fill(id)] }), {
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32000, message: 'Bad request: too many arguments' },
    })
  })

  it('limit: a batch holds 16 requests', async () => {
    const batch = (size: number) =>
      JSON.stringify(
        Array.from({ length: size }, (_, id) => ({ jsonrpc: '2.0', id, method: 'get_operations', params: [[]] })),
      )
    assert.equal(((await (await post(batch(16))).json()) as unknown[]).length, 16)
    assert.deepEqual(await (await post(batch(17))).json(), {
      jsonrpc: '2.0',
      id: null,
      error: { code: -32010, message: 'The batch request was too large', data: 'Exceeded max limit of 16' },
    })
  })

  it('error: what is no request is answered as a massa-node does', async () => {
    const parse = { jsonrpc: '2.0', id: null, error: { code: -32700, message: 'Parse error' } }
    const invalid = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Invalid request' } }
    assert.deepEqual(await (await post('{"jsonrpc":')).json(), parse)
    assert.deepEqual(await (await post('[]')).json(), invalid)
    assert.deepEqual(await (await post('[5]')).json(), [invalid])
    assert.deepEqual(await (await post('{}')).json(), parse)
    assert.equal((await post('5')).status, 400)
    assert.deepEqual(await (await post('{"id":1,"method":"get_status","params":[]}')).json(), { ...invalid, id: 1 })
    const empty = await post('')
    assert.equal(empty.status, 400)
    assert.deepEqual(await empty.json(), parse)
    const notification = await post('{"jsonrpc":"2.0","method":"get_status","params":[]}')
    assert.equal(await notification.text(), '')
    // An id that is none makes a notification.
    const negative = await post('{"jsonrpc":"2.0","id":-1,"method":"get_status","params":[]}')
    assert.equal(await negative.text(), '')
    assert.equal(
      ((await (await post('{"jsonrpc":"2.0","id":null,"method":"get_stakers"}')).json()) as { id: unknown }).id,
      null,
    )
  })

  it('an id comes back with all its digits, and one that is there twice is none', async () => {
    const ask = async (id: string) => (await post(`{"jsonrpc":"2.0",${id},"method":"get_nothing"}`)).text()
    const error = '"error":{"code":-32601,"message":"Method not found"}'
    assert.equal(await ask('"id":18446744073709551615'), `{"jsonrpc":"2.0","id":18446744073709551615,${error}}`)
    assert.equal(await ask('"id":"\\u0061"'), `{"jsonrpc":"2.0","id":"a",${error}}`)
    assert.equal(await ask('"id":18446744073709551616'), '')
    assert.equal(await ask('"id":1,"id":2'), '')
  })

  it('parameters come by place or by name', async () => {
    const [byPlace, byName] = [[[ALICE.address]], { arg: [ALICE.address], other: 5 }]
    const answers = [byPlace, byName].map((params) => ask({ method: 'get_addresses', params }))
    assert.deepEqual(...((await Promise.all(answers)) as [unknown, unknown]))
    assert.deepEqual(await ask({ method: 'get_addresses', params: {} }), {
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32602, message: 'Invalid params', data: 'missing field `arg` at line 1 column 2' },
    })
    assert.deepEqual(await ask({ method: 'get_addresses', params: 5 }), {
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32602,
        message: 'Invalid params',
        data: "Invalid params. Expected one of '[', ']' or ',' but found \"5\"",
      },
    })
  })

  it('error: what a node has on its private port alone is refused by name', async () => {
    const error = { code: -32019, message: 'The wrong API (either Public or Private) was called' }
    for (const [method, params] of [
      ['stop_node', []],
      ['get_staking_addresses', []],
      ['node_ban_by_ip', [['127.0.0.1']]],
      ['add_staking_secret_keys', [['S1']]],
    ]) {
      assert.deepEqual(await ask({ method, params }), { jsonrpc: '2.0', id: 1, error })
    }
  })

  it('rpc.discover lists every method', async () => {
    const { result } = (await ask({ method: 'rpc.discover', params: [] })) as {
      result: { methods: { name: string }[] }
    }
    assert.deepEqual(
      result.methods.map(({ name }) => name),
      [...RPC_METHODS.keys()],
    )
  })

  it('a browser of any origin may ask', async () => {
    const asked = await fetch(face.url, { method: 'OPTIONS', headers: { 'access-control-request-method': 'POST' } })
    assert.equal(asked.status, 200)
    assert.equal(asked.headers.get('access-control-allow-methods'), 'POST,OPTIONS')
    assert.equal((await post('[]')).headers.get('access-control-allow-origin'), '*')
  })

  it('a read-only call may name a function of any length', async () => {
    const call = { max_gas: 100_000_000, target_address: ALICE.address, parameter: [] }
    const params = [[{ ...call, target_function: 'x'.repeat(300) }]]
    const answer = (await ask({ method: 'execute_read_only_call', params })) as { result?: { result: object }[] }
    assert.deepEqual(Object.keys(answer.result?.[0]?.result ?? {}), ['Error'])
  })

  it('error: HTTP is refused as a massa-node does', async () => {
    const got = await fetch(face.url)
    assert.equal(got.status, 405)
    assert.equal(await got.text(), 'Used HTTP Method is not allowed. POST is required\n')
    for (const type of ['text/plain', '']) {
      const typed = await post('{}', { 'content-type': type })
      assert.equal(typed.status, 415)
      assert.equal(
        await typed.text(),
        'Supplied content type is not allowed. Content-Type: application/json is required\n',
      )
    }
  })

  it('error: whatever the parameters are, the answer is a result or an error of a massa-node', async () => {
    const methods = [...RPC_METHODS.keys()]
    const field = fc.constantFrom(
      ...[
        'address',
        'is_final',
        'prefix',
        'key',
        'count',
        'start',
        'end',
        'emitter_address',
        'max_gas',
        'fee',
        'coins',
      ],
      ...[
        'target_address',
        'target_function',
        'parameter',
        'caller_address',
        'bytecode',
        'operation_datastore',
        'is_error',
      ],
      ...[
        'creator_public_key',
        'signature',
        'serialized_content',
        'original_operation_id',
        'period',
        'thread',
        'arg',
        'limit',
        'offset',
        'target_slot',
        'max_gas_request',
        'params_size',
      ],
    )
    const leaf = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom(ALICE.address, '1', '1.5', 1e300, [0, 1, 255], { period: 1, thread: 0 }),
    )
    const record = fc.dictionary(field, leaf, { noNullPrototype: true })
    const params = fc.oneof(
      fc.jsonValue(),
      fc.array(fc.oneof(leaf, record, fc.array(record, { maxLength: 3 })), { maxLength: 2 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...methods), params, async (method, given) => {
        const answer = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: given }))
        assert.equal(answer.status, 200)
        const { result, error } = (await answer.json()) as { result?: unknown; error?: { code: number } }
        if (error)
          assert([-32602, -32000, -32001, -32010, -32013, -32016, -32019].includes(error.code), JSON.stringify(error))
        else assert.notStrictEqual(result, undefined)
      }),
      { numRuns: 500 },
    )
  })

  it('error: refuses an operation of another chain or signer, and one with a byte too many', async () => {
    const sent = await makeTransfer(78n)
    const refusal = {
      code: -32013,
      message:
        'Models error: `massa_signature` error: Signature error : Signature verification failed: signature error: Verification equation was not satisfied',
    }
    assert.deepEqual(await ask({ method: 'send_operations', params: [[sent]] }), {
      jsonrpc: '2.0',
      id: 1,
      error: refusal,
    })
    const good = await makeTransfer(77n)
    const longer = { ...good, serialized_content: [...good.serialized_content, 0] }
    assert.deepEqual(await ask({ method: 'send_operations', params: [[longer]] }), {
      jsonrpc: '2.0',
      id: 1,
      error: {
        code: -32013,
        message: 'Models error: Deserialization error: There is data left after operation deserialization',
      },
    })
    const both = await ask({ method: 'send_operations', params: [[good, sent]] })
    assert.deepEqual(both, { jsonrpc: '2.0', id: 1, error: refusal })
    assert.equal(face.chain.poolSize, 0)
    const { result } = (await ask({ method: 'send_operations', params: [[good]] })) as { result: string[] }
    assert.deepEqual(await ask({ method: 'send_operations', params: [[good]] }), { jsonrpc: '2.0', id: 1, result })
    assert.equal(face.chain.poolSize, 1)
  })
})

async function makeTransfer(chainId: bigint) {
  const { Address, OperationManager, OperationType, PrivateKey } = await import('@massalabs/massa-web3')
  const key = PrivateKey.fromString(ALICE.secret)
  const details = {
    fee: 10_000_000n,
    expirePeriod: 9,
    type: OperationType.Transaction,
    amount: 1n,
    recipientAddress: Address.fromString(ALICE.address),
  } as Parameters<typeof OperationManager.serialize>[0]
  return {
    creator_public_key: (await key.getPublicKey()).toString(),
    signature: (await new OperationManager(key).sign(chainId, details)).toString(),
    serialized_content: [...OperationManager.serialize(details)],
  }
}
