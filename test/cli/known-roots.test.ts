import assert from 'node:assert/strict'
import type { GetOptions, GetRequest } from '../../cli/commands/get.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { ArchiveError, isArchiveError, toHex } from '../../core/index.ts'
import type { HistoryAnswer } from '../../storage-worker/index.ts'
import { call } from '../core/reading/made-history.ts'
import { GatewayPlace } from './gateway-place.ts'

/** Of the era that has begun. */
const YOUNG = { period: 129, thread: 1 }

describe('cli/known-roots: who vouches for what get shows', () => {
  const place = new GatewayPlace({ 3: { 1: [call(1, 5)] }, 129: { 1: [call(2, 5)] } }, 130)
  const root = place.history.eraRoot
  let from: string
  before(async () => {
    await place.open()
    from = await place.listen()
  })
  after(() => place.close())

  const request = ({ period, thread } = { period: 3, thread: 1 }): GetRequest => {
    const slot = { period, thread }
    return { path: `/v1/slots/${period}/${thread}`, name: 'slot', question: () => ({ kind: 'block-at', slot }) }
  }
  const anchored = (era = 0, other = root): Pick<GetOptions, 'findAnchors'> => ({
    findAnchors: async (eras) => new Map(eras.includes(era) ? [[era, other]] : []),
  })
  const vouches = async (options: Partial<GetOptions>, asked = request()) => {
    const { answer } = await place.get(asked, options)
    return (answer.verified as { voucher: string }).voucher
  }
  const lastLine = async (options: Partial<GetOptions>) =>
    (await place.get(request(), options, false)).printed.stdout.trimEnd().split('\n').at(-1)
  const isRefused = (error: unknown) => isArchiveError(error, 'CORE_READING_ROOT_UNTRUSTED') && exitCodeOf(error) === 5

  it('the contract, where the era is anchored and the proof leads to that root', async () => {
    assert.equal(await vouches({ from, ...anchored() }), 'contract')
    assert.equal(await lastLine({ from, ...anchored() }), 'trust anchored in the contract (era 0)')
  })

  it('nobody, of what is only consistent in itself, and says so', async () => {
    assert.equal(await vouches({ from }), 'nobody')
    assert.equal(await vouches({ from, ...anchored(1) }), 'nobody')
    assert.match(String(await lastLine({ from })), /^trust nobody vouches: only internally consistent/)
  })

  it('the own archive, whose word is no anchor although it has the whole era', async () => {
    const stop = await place.startSidecar()
    assert.equal(await vouches({}), 'own-archive')
    assert.equal(await vouches({ from }), 'own-archive')
    assert.equal(await lastLine({}), 'trust own archive')
    assert.equal(await vouches({ ...anchored() }), 'contract')
    assert.equal(await vouches({ ...anchored() }, request(YOUNG)), 'own-archive')
    await stop()
    assert.equal(await vouches({ from }), 'nobody')
  })

  it('a root that the user gave, and then nothing else is accepted but an anchor', async () => {
    const trustRoot = new Map([[0, root]])
    assert.equal(await vouches({ from, trustRoot }), 'given-root')
    assert.equal(await lastLine({ from, trustRoot }), 'trust the root of era 0 that you gave')
    const stop = await place.startSidecar()
    await assert.rejects(vouches({ from, trustRoot }, request(YOUNG)), isRefused)
    await stop()
    await assert.rejects(vouches({ from, trustRoot: new Map([[1, root]]) }), isRefused)
    assert.equal(await vouches({ from, trustRoot: new Map([[1, root]]), ...anchored() }), 'contract')
  })

  it('error: says which root was given, and to which the answer leads', async () => {
    const other = '5e'.repeat(32)
    const why = async (options: Partial<GetOptions>, asked = request()): Promise<string> => {
      const error = await place.get(asked, options).then(
        () => assert.fail('not refused'),
        (error: Error) => error,
      )
      assert.ok(isRefused(error), String(error))
      return error.message
    }
    const trust = (era: number) => ({ from, trustRoot: new Map([[era, new Uint8Array(32).fill(0x5e)]]) })
    assert.match(await why(trust(0)), new RegExp(`for era 0 you trust the root ${other}, .* leads to ${toHex(root)}$`))
    assert.match(await why(trust(1), request()), /period 3 is of era 0, of which no root was given \(given: era 1\)/)
    // Era 1 has begun.
    const lacks = new RegExp(`does not lead to the root that you trust for era 1, ${other}: it ends at .* period 129`)
    assert.match(await why(trust(1), request(YOUNG)), lacks)
    const stop = await place.startSidecar()
    assert.match(await why(trust(1), request(YOUNG)), lacks)
    assert.match(
      await why(trust(0), request(YOUNG)),
      /period 129 is of era 1, of which no root was given \(given: era 0\)/,
    )
    await stop()
  })

  it('error: refuses another history than the one that is anchored, given or archived', async () => {
    const other = new Uint8Array(32)
    await assert.rejects(vouches({ from, ...anchored(0, other) }), isRefused)
    await assert.rejects(vouches({ from, trustRoot: new Map([[0, other]]) }), isRefused)
    const forked = new GatewayPlace({ 3: { 1: [call(9, 9)] } })
    await forked.open()
    const stop = await place.startSidecar(forked.answers)
    await assert.rejects(vouches({ from }), isRefused)
    await stop()
    await forked.close()
  })

  it('error: refuses a proof that leaves out what leads to the root that is known', async () => {
    const slot = async (asked: { period: number; thread: number }) => {
      const answer = (await place.answers.slot(asked, true)) as HistoryAnswer
      return { ...answer, proof: { ...answer.proof, era: null } } as HistoryAnswer
    }
    const liar = await place.listen({ slot })
    await assert.rejects(vouches({ from: liar, ...anchored() }), isRefused)
  })

  it('calls no era root checked that only the period under it was compared with', async () => {
    const slot = async (asked: { period: number; thread: number }) => {
      const { proof, ...answer } = (await place.answers.slot(asked, true)) as HistoryAnswer
      return { ...answer, proof: { ...proof, era: { ...proof?.era, totalBytes: '7' } } } as HistoryAnswer
    }
    const liar = await place.listen({ slot })
    const stop = await place.startSidecar()
    const { stdout } = (await place.get(request(), { from: liar }, false)).printed
    assert.doesNotMatch(stdout, /^checked era-root/m)
    assert.match(stdout, /^not checked era 0: leads to the root [0-9a-f]{64}, which was compared with nothing$/m)
    assert.match(stdout, /^trust own archive$/m)
    await assert.rejects(vouches({ from: liar, ...anchored() }), isRefused)
    await stop()
    assert.doesNotMatch((await place.get(request(), { from: liar }, false)).printed.stdout, /^checked era-root/m)
  })

  it('warns of a node that does not tell, and fails where it was named', async () => {
    const failing = {
      from,
      findAnchors: () => Promise.reject(new ArchiveError('ARCHIVER_NODE_UNREACHABLE', 'it is down')),
    }
    const { code, printed } = await place.get(request(), failing, false)
    assert.equal(code, 0)
    assert.match(printed.stderr, /^Warning: no massa-node says which eras are anchored: it is down/)
    assert.match(printed.stdout, /nobody vouches/)
    await assert.rejects(place.get(request(), { ...failing, node: '127.0.0.1:1' }), {
      code: 'ARCHIVER_NODE_UNREACHABLE',
    })
    await assert.rejects(place.get(request(), { from, node: '127.0.0.1:1' }), { code: 'CLI_NO_REGISTRY' })
  })
})
