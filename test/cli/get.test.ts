import assert from 'node:assert/strict'
import { type FastifyInstance, fastify } from 'fastify'
import { addGatewayRoutes } from '../../api/gateway/gateway.ts'
import type { HistoryGateway } from '../../api/gateway/history-port.ts'
import { type GetRequest, getRecord } from '../../cli/commands/get.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { formatBlockId, isArchiveError, parseBody } from '../../core/index.ts'
import { HistoryIndex } from '../../storage-worker/history/history-index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { type HistoryAnswer, HistoryAnswers, HistoryReader, LevelChunkStore } from '../../storage-worker/index.ts'
import { makePeriod, TEST_IDENTITY } from '../storage-worker/synthetic-period.ts'
import { openMemoryLevel, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const SHAPE = {
  blocks: 2,
  operations: 1,
  operationBytes: 200,
  isSigned: true,
  identity: { ...TEST_IDENTITY, chunkSizeBytes: 1_048_576 },
}
const { chainId, genesisTimestampMs } = TEST_IDENTITY.network
const FLAGS = { 'node.chain_id': Number(chainId), 'node.genesis_timestamp_ms': Number(genesisTimestampMs) }

describe('cli/get, from a gateway that may lie', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  const servers: FastifyInstance[] = []
  let honest: HistoryAnswers
  let dataDir: string
  const idOf = (period: number, thread: number) => {
    const slot = parseBody(makePeriod(period, SHAPE).chunks[0] ?? new Uint8Array(0)).slots[thread]
    assert(slot?.kind === 'block')
    return formatBlockId(slot.record.id)
  }
  const blockRequest = (id: string): GetRequest => {
    return { path: `/v1/blocks/${id}`, name: `block ${id}`, question: () => ({ kind: 'block', id }) }
  }
  const slotRequest = (period: number, thread: number): GetRequest => {
    const slot = { period, thread }
    const question: GetRequest['question'] = ({ kind }) => ({
      kind: kind === 'block' ? 'block-at' : 'slot-empty',
      slot,
    })
    return { path: `/v1/slots/${period}/${thread}`, name: 'slot', question }
  }

  before(async () => {
    dataDir = await folders.make()
    const databases = { bodies: await openMemoryLevel('bodies'), index: await openMemoryLevel('index') }
    const store = new LevelChunkStore(SHAPE.identity, databases)
    for (const period of [3, 4]) await store.writePeriod(makePeriod(period, SHAPE))
    const index = new HistoryIndex(await openMemoryLevel('history'))
    await new HistorySync({ store, index }).compare()
    honest = new HistoryAnswers({ reader: new HistoryReader({ store, index }), store })
  })
  after(async () => {
    for (const server of servers) await server.close()
    await folders.clean()
  })

  /** A gateway that answers as the honest one, but for what it changes. */
  async function listen(lies: Partial<HistoryGateway> = {}): Promise<string> {
    const server = fastify()
    servers.push(server)
    addGatewayRoutes(server, {
      history: new Proxy(honest, {
        get: (target, name) => Reflect.get(lies, name) ?? Reflect.get(target, name).bind(target),
      }),
    })
    return server.listen({ host: '127.0.0.1', port: 0 })
  }

  async function get(request: GetRequest, from: string, verify = true) {
    const { context, printed } = makeCommand(dataDir, FLAGS)
    const code = await getRecord(context, request, { from, verify }, signal)
    return { code, answer: JSON.parse(printed.stdout === '' ? '{}' : printed.stdout) as Record<string, unknown> }
  }

  const refuses = (code: string) => (error: unknown) =>
    isArchiveError(error) && error.code === code && exitCodeOf(error) === 5
  const change = (what: (answer: Record<string, unknown>) => unknown) => async (answer: HistoryAnswer | undefined) =>
    what(structuredClone(answer) as Record<string, unknown>) as HistoryAnswer

  it('shows what is proven, and what was checked and what not', async () => {
    const id = idOf(3, 1)
    const { code, answer } = await get(blockRequest(id), await listen())
    assert.deepEqual([code, answer.blockId], [0, id])
    const { trust, checks, gaps } = answer.verified as { trust: string; checks: { name: string }[]; gaps: string[] }
    assert.equal(trust, 'none')
    const names = checks.map(({ name }) => name)
    for (const name of ['network', 'period-root', 'block-id', 'position', 'header-signature'])
      assert(names.includes(name))
    assert.deepEqual(gaps, ['era-root', 'trusted-root'])
  })

  it('proves that there was no block', async () => {
    const { code, answer } = await get(slotRequest(4, 9), await listen())
    assert.deepEqual([code, answer.block], [0, 'none'])
  })

  it('shows what the proof shows, whatever stands beside it', async () => {
    const id = idOf(3, 1)
    const lie = change((answer) => ({ ...answer, block: { blockId: id, operations: ['O1made-up'] } }))
    const from = await listen({ block: async (asked, hasProof) => lie(await honest.block(asked, hasProof)) })
    const { answer } = await get(blockRequest(id), from)
    assert.equal(JSON.stringify(answer).includes('made-up'), false)
    assert.equal((answer.operations as string[]).length, 1)
  })

  for (const [what, lie, code] of [
    ['another block', () => honest.block(idOf(3, 0), true), 'CORE_READING_ID_OTHER'],
    ['an older one', () => honest.block(idOf(4, 1), true), 'CORE_READING_ID_OTHER'],
    ['no proof', () => honest.block(idOf(3, 1), false), 'CORE_READING_MALFORMED'],
  ] as const) {
    it(`error: refuses ${what} in place of the one that was asked for`, async () => {
      const from = await listen({ block: lie })
      await assert.rejects(get(blockRequest(idOf(3, 1)), from), refuses(code))
    })
  }

  it('error: refuses that a slot with a block is said to be empty, and one without to have one', async () => {
    const empty = await listen({
      slot: async () => ({ ...(await honest.slot({ period: 4, thread: 9 }, true)) }) as HistoryAnswer,
    })
    await assert.rejects(get(slotRequest(4, 1), empty), refuses('CORE_READING_SLOT_TAKEN'))
    const full = await listen({ slot: () => honest.slot({ period: 4, thread: 1 }, true) })
    await assert.rejects(get(slotRequest(4, 9), full), refuses('CORE_READING_SLOT_OTHER'))
  })

  it('error: refuses a proof with one byte changed', async () => {
    const lie = change((answer) => {
      const proof = answer.proof as { chunks: { runs: { bytes: string }[] }[] }
      const run = proof.chunks[0]?.runs[0]
      assert(run)
      const bytes = Buffer.from(run.bytes, 'base64')
      bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1
      run.bytes = bytes.toString('base64')
      return answer
    })
    const from = await listen({ block: async (asked, hasProof) => lie(await honest.block(asked, hasProof)) })
    await assert.rejects(get(blockRequest(idOf(3, 1)), from), refuses('CORE_READING_CHUNK_INVALID'))
  })

  it('exits with 4 where the archive has it not', async () => {
    const id = 'B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu'
    assert.equal((await get(blockRequest(id), await listen())).code, 4)
  })

  it('error: says so when who answers is no archive, or nobody answers', async () => {
    const server = fastify()
    servers.push(server)
    server.get('/*', (_request, reply) => reply.type('text/html').send('<html>'))
    const from = await server.listen({ host: '127.0.0.1', port: 0 })
    const isFailed = (error: unknown) => isArchiveError(error, 'CLI_GATEWAY_FAILED') && exitCodeOf(error) === 3
    await assert.rejects(get(blockRequest(idOf(3, 1)), from), isFailed)
    await server.close()
    await assert.rejects(get(blockRequest(idOf(3, 1)), from), isFailed)
  })
})
