import assert from 'node:assert/strict'
import { fastify } from 'fastify'
import type { GetRequest } from '../../cli/commands/get.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { isArchiveError } from '../../core/index.ts'
import { call } from '../core/reading/made-history.ts'
import { GatewayPlace } from './gateway-place.ts'

describe('cli/get', () => {
  const place = new GatewayPlace({ 3: { 1: [call(1, 5)] } }, 4)
  const id = place.periods[3]?.blocks[0]?.id ?? ''
  let from: string
  before(async () => {
    await place.open()
    from = await place.listen()
  })
  after(() => place.close())

  const blockRequest = (asked: string): GetRequest => {
    return { path: `/v1/blocks/${asked}`, name: `block ${asked}`, question: () => ({ kind: 'block', id: asked }) }
  }

  it('shows what is proven, and what was checked and what not', async () => {
    const { code, answer } = await place.get(blockRequest(id), { from })
    assert.deepEqual([code, answer.blockId], [0, id])
    const { trust, checks, gaps } = answer.verified as { trust: string; checks: { name: string }[]; gaps: string[] }
    assert.equal(trust, 'none')
    const names = checks.map(({ name }) => name)
    for (const name of ['network', 'period-root', 'block-id', 'position', 'header-signature'])
      assert(names.includes(name))
    assert.deepEqual(gaps, ['era-root', 'trusted-root'])
  })

  it('proves that there was no block', async () => {
    const slot = { period: 4, thread: 9 }
    const question = () => ({ kind: 'slot-empty', slot }) as const
    const { code, answer } = await place.get({ path: '/v1/slots/4/9', name: 'slot', question }, { from })
    assert.deepEqual([code, answer.block], [0, 'none'])
  })

  it('shows what is believed only where that was wanted', async () => {
    const { code, answer } = await place.get(blockRequest(id), { from, verify: false })
    assert.deepEqual([code, (answer.block as { blockId: string }).blockId, answer.verified], [0, id, undefined])
    const { printed } = await place.get(blockRequest(id), { from, verify: false }, false)
    assert.match(printed.stderr, /^Warning: not verified: this is what the archive says\n$/)
  })

  it('error: what the archive has not is told with a code, and ends with 4', async () => {
    const unknown = 'B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu'
    const isUnfound = (error: unknown) => isArchiveError(error, 'CLI_NOT_FOUND') && exitCodeOf(error) === 4
    await assert.rejects(place.get(blockRequest(unknown), { from }), isUnfound)
  })

  it('error: says so when who answers is no archive, or nobody answers', async () => {
    const server = fastify()
    server.get('/*', (_request, reply) => reply.type('text/html').send('<html>'))
    const noArchive = await server.listen({ host: '127.0.0.1', port: 0 })
    const isFailed = (error: unknown) => isArchiveError(error, 'CLI_GATEWAY_FAILED') && exitCodeOf(error) === 3
    await assert.rejects(place.get(blockRequest(id), { from: noArchive }), isFailed)
    await server.close()
    await assert.rejects(place.get(blockRequest(id), { from: noArchive }), isFailed)
  })
})
