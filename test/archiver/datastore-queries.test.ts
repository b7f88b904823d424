import assert from 'node:assert/strict'
import { KEYS_PER_QUERY, NodeClient } from '../../archiver/index.ts'
import { isArchiveError, QueryStateResponseCodec, type StateAnswerMessage } from '../../core/index.ts'
import { makeSender, pass } from '../devnet/node/chain/made-chain.ts'
import { type GrpcNode, openGrpcNode } from '../devnet/node/grpc/grpc-node.ts'

const CONTRACT = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const NOBODY = makeSender('nobody').address
const bytes = (text: string): Uint8Array => Buffer.from(text)

describe('archiver/datastore-queries, over gRPC', () => {
  let node: GrpcNode
  let client: NodeClient

  before(async () => {
    node = await openGrpcNode()
    client = new NodeClient({ url: node.server.url, timeoutMs: 10_000 })
    await pass(node.chain, 40)
    const { finalLedger, engine } = node.chain
    for (let i = 0; i < 1_100; i++) finalLedger.setValue(CONTRACT, bytes(`node_${i}`), bytes(`value ${i}`))
    finalLedger.setValue(CONTRACT, bytes('empty'), new Uint8Array(0))
    engine.ledger.setValue(CONTRACT, bytes('candidate'), bytes('not yet'))
  })

  after(async () => {
    client.close()
    await node.close()
  })

  afterEach(() => node.server.intercept())

  it('answers several queries of final state at one slot: values, empty ones, and what is not there', async () => {
    const { slot, answers } = await client.queryDatastore(CONTRACT, [
      { kind: 'value', key: bytes('node_7') },
      { kind: 'value', key: bytes('empty') },
      { kind: 'value', key: bytes('candidate') },
      { kind: 'keys', prefix: bytes('emp'), limit: 5 },
      { kind: 'keys', prefix: bytes('other'), limit: 5 },
    ])
    const shown = answers.map((answer) => answer?.map((value) => Buffer.from(value).toString()))
    assert.deepEqual(shown, [['value 7'], [''], undefined, ['empty'], []])
    assert.deepEqual(slot, node.chain.finalSlot)
  })

  it('an address that does not exist has no keys and no values', async () => {
    const queries = [
      { kind: 'keys', prefix: bytes('node_'), limit: 5 },
      { kind: 'value', key: bytes('state') },
    ] as const
    assert.deepEqual((await client.queryDatastore(NOBODY, queries)).answers, [undefined, undefined])
  })

  it('turns page by page through more keys than one query gives', async () => {
    const found: string[] = []
    const pages: number[] = []
    for (let after: Uint8Array | undefined; pages.at(-1) !== 100; ) {
      const { answers } = await client.queryDatastore(CONTRACT, [
        { kind: 'keys', prefix: bytes('node_'), after, limit: KEYS_PER_QUERY },
      ])
      const page = answers[0] ?? []
      pages.push(page.length)
      after = page.at(-1)
      found.push(...page.map((key) => Buffer.from(key).toString()))
    }
    assert.deepEqual(pages, [500, 500, 100])
    assert.equal(new Set(found).size, 1_100)
  })

  it('error: answers to other questions, too few, without a slot, of another error, or not protobuf are refused', async () => {
    const encode = (answers: StateAnswerMessage[], finalCursor?: object) =>
      QueryStateResponseCodec.encode({ responses: answers, ...(finalCursor && { finalCursor }) })
    const slot = { thread: 3 }
    const keys: StateAnswerMessage = { result: { vecBytes: { items: [bytes('a')] } } }
    const value: StateAnswerMessage = { result: { bytes: bytes('a') } }
    // 100,001 keys of no length, in a result, in an answer.
    const keyList = Buffer.alloc(2 * 100_001).fill(Buffer.of(0x0a, 0))
    const wrap = (tag: number, part: Uint8Array): Uint8Array => {
      const size = [part.length & 0x7f, (part.length >>> 7) & 0x7f, part.length >>> 14]
      return Buffer.concat([Buffer.of(tag, (size[0] ?? 0) | 0x80, (size[1] ?? 0) | 0x80, size[2] ?? 0), part])
    }
    const many = wrap(0x22, wrap(0x0a, wrap(0x2a, keyList)))
    const ask = () => client.queryDatastore(CONTRACT, [{ kind: 'value', key: bytes('a') }])
    node.server.intercept(() => encode([value], slot))
    assert.deepEqual((await ask()).slot, { period: 0, thread: 3 })
    for (const answer of [
      encode([keys], slot),
      encode([{}], slot),
      encode([{ error: { code: 500, message: 'no' } }], slot),
      encode([], slot),
      encode([value, value], slot),
      encode([value]),
      Buffer.concat([encode([], slot), many]),
      Buffer.from('rubbish'),
    ]) {
      node.server.intercept(() => answer)
      await assert.rejects(ask(), (error) => isArchiveError(error, 'ARCHIVER_NODE_REFUSED'))
    }
  })

  it('error: a node that is gone', async () => {
    const gone = new NodeClient({ url: '127.0.0.1:1', timeoutMs: 10_000 })
    await assert.rejects(gone.queryDatastore(CONTRACT, []), (error) =>
      isArchiveError(error, 'ARCHIVER_NODE_UNREACHABLE'),
    )
    gone.close()
  })
})
