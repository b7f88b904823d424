import assert from 'node:assert/strict'
import type { GetAddressOptions } from '../../cli/commands/get-address.ts'
import { computeAddress, formatAddress, formatOperationId } from '../../core/index.ts'
import type { RangeRequest } from '../../storage-worker/index.ts'
import { call, NETWORK, PUBLIC_KEY, recordOperation } from '../core/reading/made-history.ts'
import { GatewayPlace, makeAddress, pay } from './gateway-place.ts'

const CREATOR = formatAddress(computeAddress(PUBLIC_KEY))
const PAYEE = makeAddress(7)
const name = (operation: ReturnType<typeof pay>) => formatOperationId(recordOperation(operation).id)

describe('cli/get-address', () => {
  const place = new GatewayPlace(
    {
      2: { 0: [pay(1, PAYEE), call(1, 5)], 4: [pay(2, PAYEE)] },
      50: { 9: [pay(3, PAYEE)] },
      129: { 1: [pay(4, PAYEE), pay(5, makeAddress(8))] },
    },
    130,
  )
  let from: string
  before(async () => {
    await place.open()
    from = await place.listen()
  })
  after(() => place.close())

  const anchored: Partial<GetAddressOptions> = { findAnchors: async () => new Map([[0, place.history.eraRoot]]) }
  const payee = formatAddress(PAYEE)
  const listIds = (answer: Record<string, unknown>) =>
    (answer.operations as { operationId: string }[]).map(({ operationId }) => operationId)

  it('shows exactly what an address did, and what that was read from', async () => {
    const { code, answer } = await place.getAddress(payee, { from, ...anchored })
    assert.deepEqual([code, answer.from, answer.to], [0, 0, 130])
    assert.deepEqual(
      listIds(answer),
      [1, 2, 3, 4].map((number) => name(pay(number, PAYEE))),
    )
    const [first] = answer.operations as Record<string, unknown>[]
    assert.deepEqual([first?.slot, first?.roles, first?.outcome], [{ period: 2, thread: 0 }, ['target'], 'unknown'])
    const { eras, vouched, ...counts } = answer.verified as Record<string, unknown>
    assert.deepEqual(counts, { scannedBodies: 3, emptyPeriods: 128, blocks: 4 })
    assert.deepEqual(eras, [{ era: 0, root: Buffer.from(place.history.eraRoot).toString('hex') }])
    assert.deepEqual(vouched, [
      { voucher: 'contract', from: 0, to: 127 },
      { voucher: 'nobody', from: 128, to: 130 },
    ])
    assert.equal(listIds((await place.getAddress(CREATOR, { from })).answer).length, 6)
    assert.deepEqual(listIds((await place.getAddress(formatAddress(makeAddress(9)), { from })).answer), [])
  })

  it('says so in words', async () => {
    const { printed } = await place.getAddress(payee, { from, fromPeriod: 3, toPeriod: 60, ...anchored }, false)
    const lines = printed.stdout.trimEnd().split('\n')
    assert.match(lines[0] ?? '', /^slot +operation +as +kind +outcome \(said\)$/)
    assert.match(lines[1] ?? '', /^\(50, 9\) +O1\w+ +target +transaction +unknown$/)
    assert.deepEqual(lines.slice(3), [
      'checked periods              3 to 60: each once, 58 periods',
      'checked bodies               1 scanned, 1 block; 57 periods have no block',
      'checked list                 1 operation in periods 3 to 60: none left out, none of others',
      `checked era-root             era 0: ${Buffer.from(place.history.eraRoot).toString('hex')}`,
      'trust periods 3 to 60: anchored in the contract (era 0)',
    ])
  })

  it('calls an era root checked only where it was compared', async () => {
    const { printed } = await place.getAddress(payee, { from, fromPeriod: 3, toPeriod: 60 }, false)
    assert.deepEqual(printed.stdout.trimEnd().split('\n').slice(-2), [
      `not checked era 0: leads to the root ${Buffer.from(place.history.eraRoot).toString('hex')}, which was compared with nothing`,
      'trust periods 3 to 60: nobody vouches: only internally consistent, where it stands and that this is the real chain is what the archive says',
    ])
    assert.deepEqual(((await place.getAddress(payee, { from })).answer.verified as Record<string, unknown>).eras, [])
  })

  const at = (period: number) => ({
    clock: { nowMs: () => Number(NETWORK.genesisTimestampMs) + 16_000 * period + 5 },
  })
  /** A gateway that says that it has nothing but these. */
  const listenShort = (short: Partial<{ from: number; to: number }>) =>
    place.listen({
      range: async (request) => {
        const answer = (await place.answers.range(request)) ?? assert.fail('no answer')
        return request.hasBodies ? answer : { ...answer, ...short }
      },
    })

  it('takes the last periods of an archive for all that there is where they are the last of the chain', async () => {
    for (const options of [
      { from, ...at(130) },
      { from, ...at(130 + 128) },
    ]) {
      const { answer } = await place.getAddress(payee, options)
      assert.deepEqual([answer.from, answer.to, answer.shortOf], [0, 130, null])
    }
    const { printed } = await place.getAddress(payee, { from, ...at(140) }, false)
    assert.match(printed.stdout, /^checked list +4 operations in periods 0 to 130: none left out, none of others$/m)
  })

  it('says that an archive has only a part of what there is, in the line of the list', async () => {
    for (const [short, wanted, now] of [
      [{ from: 3, to: 3 }, 'periods 3 to 3', 200],
      [{ from: 3 }, 'periods 3 to 130', 140],
      [{}, 'periods 0 to 130', 130 + 129],
    ] as const) {
      const options = { from: await listenShort(short), ...at(now) }
      const { code, answer } = await place.getAddress(payee, options)
      assert.deepEqual([code, answer.shortOf], [0, now])
      const { stdout } = (await place.getAddress(payee, options, false)).printed
      const alone = `${wanted} alone: the archive says that it has no others, and the chain is at about period ${now}`
      assert.match(stdout, new RegExp(`^checked list .* in ${alone}$`, 'm'))
      assert.doesNotMatch(stdout, /none left out, none of others$/m)
    }
  })

  it('asks for no more than the periods that were named', async () => {
    const short = await listenShort({ from: 3, to: 3 })
    const named = await place.getAddress(payee, { from: short, fromPeriod: 0, toPeriod: 130, ...at(9999) })
    assert.deepEqual([named.answer.to, named.answer.shortOf, listIds(named.answer).length], [130, null, 4])
    const begun = await place.getAddress(payee, { from: short, fromPeriod: 3, ...at(9999) })
    assert.deepEqual([begun.answer.to, begun.answer.shortOf], [3, 9999])
    const ended = await place.getAddress(payee, { from: short, toPeriod: 130, ...at(9999) })
    assert.deepEqual([ended.answer.from, ended.answer.shortOf], [3, 9999])
  })

  it('goes through pages, with the own sidecar, too', async () => {
    const asked: RangeRequest[] = []
    const range = async (request: RangeRequest) => {
      asked.push(request)
      const to = Math.min(request.to ?? 130, (request.from ?? 0) + 39)
      return place.answers.range(request.hasBodies ? { ...request, to } : request)
    }
    const stop = await place.startSidecar(
      new Proxy(place.answers, { get: (of, key) => (key === 'range' ? range : Reflect.get(of, key).bind(of)) }),
    )
    const { answer } = await place.getAddress(payee, at(9999))
    await stop()
    assert.deepEqual([listIds(answer).length, answer.shortOf], [4, null])
    const pages = asked.filter(({ hasBodies }) => hasBodies).map((one) => [one.from, one.to])
    assert.deepEqual(pages, [
      [0, 130],
      [40, 130],
      [80, 130],
      [120, 130],
    ])
    assert.deepEqual((answer.verified as { vouched: unknown }).vouched, [{ voucher: 'own-archive', from: 0, to: 130 }])
  })

  it('shows what is believed only where that was wanted', async () => {
    const { answer, printed } = await place.getAddress(payee, { from, verify: false, fromPeriod: 2, toPeriod: 50 })
    assert.deepEqual(
      listIds(answer),
      [3, 2, 1].map((number) => name(pay(number, PAYEE))),
    )
    assert.equal(answer.verified, undefined)
    const words = await place.getAddress(payee, { from, verify: false }, false)
    assert.match(words.printed.stderr, /^Warning: not verified/)
    assert.equal(printed.stderr, '')
  })

  it('error: says so where the archive has not all periods', async () => {
    await assert.rejects(place.getAddress(payee, { from, toPeriod: 131, fromPeriod: 5 }), { code: 'CLI_NOT_FOUND' })
    await assert.rejects(place.getAddress(payee, { from, toPeriod: 131 }), { code: 'CLI_NOT_FOUND' })
  })

  it('error: refuses ranges that are none, or of too many periods', async () => {
    const isUsage = { code: 'CLI_USAGE' }
    await assert.rejects(place.getAddress(payee, { from, fromPeriod: 9, toPeriod: 8 }), isUsage)
    await assert.rejects(place.getAddress(payee, { from, fromPeriod: 131 }), isUsage)
    await assert.rejects(place.getAddress(payee, { from, fromPeriod: 0, toPeriod: 65_536 }), isUsage)
    const most = place.getAddress(payee, { from, fromPeriod: 1, toPeriod: 65_536 })
    await assert.rejects(most, { code: 'CLI_NOT_FOUND' })
  })
})
