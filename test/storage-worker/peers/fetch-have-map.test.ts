import assert from 'node:assert/strict'
import { HASH_SLOTS } from '../../../core/index.ts'
import {
  type HavePage,
  haveRequestCodec,
  haveResponseCodec,
  MAX_HAVE_PAGES,
  type Offence,
  signHavePage,
} from '../../../protocol-handler/index.ts'
import { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { StillClock } from '../../clocks.ts'
import { NETWORK } from '../replication/made-archive.ts'
import { addressOf, seedOf } from '../replication/made-nodes.ts'

const SEED = seedOf('holder')
const ADDRESS = addressOf(SEED)
/** Head 700 lies in era 5. */
const PAGE: HavePage = {
  network: NETWORK,
  headPeriod: 700,
  firstEra: 0,
  fromHashSlot: 0,
  endHashSlot: HASH_SLOTS,
  held: [],
  exceptions: [],
  missingPeriods: [],
}

type Answer = (fromHashSlot: number, asked: number) => Partial<HavePage> | Uint8Array

describe('storage-worker/peers/peer-client: have-maps', () => {
  /** A peer that answers with these changes to a page that is right. */
  function open(answer: Answer, seed = SEED) {
    const offences: Offence[] = []
    const asked: number[] = []
    const network = {
      request: async (_: string, name: string, { bytes }: { bytes: Uint8Array }) => {
        assert.equal(name, 'have')
        const { fromHashSlot } = haveRequestCodec.decode(bytes)
        asked.push(fromHashSlot)
        const changes = answer(fromHashSlot, asked.length)
        if (changes instanceof Uint8Array) return [changes]
        const page = signHavePage(seed, { ...PAGE, fromHashSlot, ...changes })
        return [haveResponseCodec.encode({ status: 'ok', page })]
      },
    }
    const client = new PeerClient(network, (_, offence) => offences.push(offence), { clock: new StillClock() })
    const fetch = (signal?: AbortSignal) => client.fetchHaveMap('peer', ADDRESS, NETWORK, signal)
    return { fetch, offences, asked }
  }

  /** As many pages of equal length as are wanted. */
  const inPages =
    (count: number, changes: Answer = () => ({})): Answer =>
    (fromHashSlot, asked) => ({
      endHashSlot: asked === count ? HASH_SLOTS : fromHashSlot + 1,
      ...changes(fromHashSlot, asked),
    })

  async function refuses(answer: Answer, seed = SEED): Promise<void> {
    const { fetch, offences } = open(answer, seed)
    await assert.rejects(fetch(), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual(offences, ['reject'])
  }

  it('come page by page until all hash slots are told of', async () => {
    const held = [{ hashSlot: 2, endEra: 6 }]
    const { fetch, offences, asked } = open((fromHashSlot) =>
      fromHashSlot === 0 ? { endHashSlot: 900 } : { held: held.map((slot) => ({ ...slot, hashSlot: 900 })) },
    )
    const answer = await fetch()
    assert.ok(answer.status === 'ok')
    assert.deepEqual(
      answer.value.map((page) => [page.fromHashSlot, page.endHashSlot, page.held.length]),
      [
        [0, 900, 0],
        [900, HASH_SLOTS, 1],
      ],
    )
    assert.deepEqual([asked, offences], [[0, 900], []])
  })

  it('what is not there, or not now, is no offence', async () => {
    for (const status of ['notHeld', 'busy', 'refused'] as const) {
      const { fetch, offences } = open(() => haveResponseCodec.encode({ status }))
      assert.deepEqual(await fetch(), { status })
      assert.deepEqual(offences, [])
    }
  })

  it('lying have-map: one that another node has signed is refused', () => refuses(() => ({}), seedOf('another')))

  it('lying have-map: one that was changed after it was signed is refused', async () => {
    const page = { ...signHavePage(SEED, PAGE), held: [{ hashSlot: 1, endEra: 5 }] }
    await refuses(() => haveResponseCodec.encode({ status: 'ok', page }))
  })

  it('foreign network: another chain id or genesis is refused', async () => {
    await refuses(() => ({ network: { ...NETWORK, chainId: 78n } }))
    await refuses(() => ({ network: { ...NETWORK, genesisTimestampMs: 0n } }))
  })

  it('page gaps: a page that begins elsewhere than asked is refused', async () => {
    await refuses(inPages(3, (_, asked) => (asked === 2 ? { fromHashSlot: 2, endHashSlot: 5 } : {})))
    await refuses(inPages(3, (_, asked) => (asked === 2 ? { fromHashSlot: 0 } : {})))
  })

  it('replayed page: one of an earlier head than the page before it is refused, one of a later head is not', async () => {
    await refuses(inPages(2, (_, asked) => ({ headPeriod: asked === 1 ? 700 : 699 })))
    const later = open(inPages(2, (_, asked) => ({ headPeriod: 700 + asked })))
    assert.equal((await later.fetch()).status, 'ok')
  })

  it('limit: an era that ends in that of the head is taken, one behind it refused', async () => {
    const atLimit = open(() => ({ held: [{ hashSlot: 1, endEra: 6 }] }))
    assert.equal((await atLimit.fetch()).status, 'ok')
    await refuses(() => ({ held: [{ hashSlot: 1, endEra: 7 }] }))
  })

  it('limit: pages without end: 32 pages are read, not one more', async () => {
    const atLimit = open(inPages(MAX_HAVE_PAGES))
    assert.equal((await atLimit.fetch()).status, 'ok')
    const endless = open(inPages(MAX_HAVE_PAGES + 1))
    await assert.rejects(endless.fetch(), { code: 'PROTOCOL_ANSWER_WRONG' })
    assert.deepEqual([endless.asked.length, endless.offences], [MAX_HAVE_PAGES, ['reject']])
  })

  it('what is no message costs the peer', async () => {
    const { fetch, offences } = open(() => Uint8Array.of(1, 0, 9))
    await assert.rejects(fetch(), { code: 'PROTOCOL_MESSAGE_INVALID' })
    assert.deepEqual(offences, ['reject'])
  })

  it('ends between two pages when whoever asks has no more time', async () => {
    const end = new AbortController()
    const { fetch, asked, offences } = open(
      inPages(9, (_, count) => {
        if (count === 2) end.abort(new Error('late'))
        return {}
      }),
    )
    await assert.rejects(fetch(end.signal), { message: 'late' })
    assert.deepEqual([asked.length, offences], [2, []])
  })
})
