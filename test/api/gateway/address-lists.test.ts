import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { parseAttestedExecutions } from '../../../archiver/attestation.ts'
import {
  type ArchivedPeriod,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  parseBody,
  toHex,
  verifyEvents,
} from '../../../core/index.ts'
import { openRecordedArchive, openRecordedGateway } from './recorded-gateway.ts'

type List = 'blocks' | 'endorsements' | 'events'
type Entry = Readonly<Record<string, unknown>>

/** What every address did, the newest first. */
type Deeds = ReadonlyMap<string, readonly string[]>

const nameOf: Record<List, (entry: Entry) => string> = {
  blocks: ({ blockId }) => String(blockId),
  endorsements: ({ endorsementId }) => String(endorsementId),
  events: ({ slot, indexInSlot, data }) => JSON.stringify([slot, indexInSlot, data]),
}

describe('api/gateway: lists of an address', function () {
  this.timeout(120_000)
  let server: FastifyInstance
  let periods: readonly ArchivedPeriod[]
  let wanted: Record<List, Deeds>

  before(async () => {
    periods = (await openRecordedArchive()).periods
    server = await openRecordedGateway()
    wanted = {
      blocks: listDeeds(periods, 'blocks'),
      endorsements: listDeeds(periods, 'endorsements'),
      events: listDeeds(periods, 'events'),
    }
  })
  after(() => server.close())

  async function ask(address: string, list: List, query: string): Promise<Entry & { readonly cursor: string | null }> {
    const answer = await server.inject(`/v1/addresses/${address}/${list}?${query}`)
    assert.equal(answer.statusCode, 200, answer.body)
    assert.equal(answer.headers['cache-control'], 'no-cache')
    assert.equal(answer.json().address, address)
    return answer.json()
  }

  /** All pages. */
  async function readAll(address: string, list: List, query: string): Promise<Entry[]> {
    const found: Entry[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page = await ask(address, list, `${query}${cursor === undefined ? '' : `&cursor=${cursor}`}`)
      found.push(...(page[list] as Entry[]))
      ;({ cursor } = page)
    }
    return found
  }

  for (const list of ['blocks', 'endorsements', 'events'] as const) {
    it(`gives all ${list} page by page, the newest first and each once, as all bodies and results have them`, async () => {
      const [busiest, ...others] = [...wanted[list]].sort(([, a], [, b]) => b.length - a.length)
      assert(busiest && busiest[1].length > 6, `${busiest?.[1].length} ${list}`)
      for (const [address, deeds] of [busiest, ...others.slice(0, 3), ...others.slice(-1)]) {
        const found = await readAll(address, list, `limit=${Math.min(100, Math.max(3, Math.ceil(deeds.length / 4)))}`)
        assert.deepEqual(found.map(nameOf[list]), deeds, address)
      }
    })

    it(`gives ${list} of some periods, and of none where there are none`, async () => {
      const [[address] = assert.fail('nothing')] = [...wanted[list]].sort(([, a], [, b]) => b.length - a.length)
      const [from, to] = [periods[2]?.manifest.period ?? 0, periods[5]?.manifest.period ?? 0]
      const within = listDeeds(periods.slice(2, 6), list).get(address) ?? []
      assert(within.length > 0)
      const found = await readAll(address, list, `from=${from}&to=${to}&limit=100`)
      assert.deepEqual(found.map(nameOf[list]), within)
      const unknown = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
      assert.deepEqual(await readAll(unknown, list, 'limit=1'), [])
    })

    it(`error: refuses pages of ${list} that there are not`, async () => {
      const [[address] = assert.fail('nothing')] = wanted[list]
      for (const query of [
        'limit=101',
        'limit=0',
        'cursor=5-5',
        'cursor=x',
        'from=2&to=1',
        'role=creator',
        'from=-1',
      ]) {
        const answer = await server.inject(`/v1/addresses/${address}/${list}?${query}`)
        assert.deepEqual([answer.statusCode, answer.json().code], [400, 'API_QUERY_INVALID'], query)
      }
      const nonsense = await server.inject(`/v1/addresses/AU1/${list}`)
      assert.deepEqual([nonsense.statusCode, nonsense.json().code], [400, 'CORE_BASE58_INVALID'])
    })
  }

  it('shows blocks and endorsements as their own routes do, where they are proven', async () => {
    for (const [list, kind, id] of [
      ['blocks', 'block', 'blockId'],
      ['endorsements', 'endorsement', 'endorsementId'],
    ] as const) {
      const [[address] = assert.fail('nothing')] = wanted[list]
      for (const entry of (await ask(address, list, 'limit=5'))[list] as Entry[]) {
        const own = await server.inject(`/v1/${list}/${entry[id]}?proof=true`)
        assert.deepEqual(own.json()[kind], entry)
      }
    }
  })

  it('proves no event, and gives with proof=true what who archived its period signed, in which it stands', async () => {
    const { network } = periods[0]?.manifest ?? assert.fail('nothing archived')
    for (const [address, deeds] of [...wanted.events].slice(0, 5)) {
      assert(!('attestations' in (await ask(address, 'events', 'limit=100'))))
      const { events, attestations } = await ask(address, 'events', 'limit=100&proof=true')
      assert.deepEqual((events as Entry[]).map(nameOf.events), deeds.slice(0, 100))
      const signed = verifyEvents(attestations, network, address)
      assert.deepEqual(signed.map(({ signer: _, ...event }) => event).slice(0, 100), events)
    }
  })
})

function listDeeds(periods: readonly ArchivedPeriod[], list: List): Deeds {
  const deeds = new Map<string, string[]>()
  for (const archived of periods) {
    for (const [address, name] of list === 'events' ? listEvents(archived) : listOfBlocks(archived, list)) {
      deeds.set(address, [name, ...(deeds.get(address) ?? [])])
    }
  }
  return deeds
}

function* listOfBlocks({ chunks }: ArchivedPeriod, list: List): Generator<readonly [string, string]> {
  for (const slot of parseBody(concatBytes(...chunks)).slots) {
    if (slot.kind !== 'block') continue
    const { publicKey, header, id } = slot.record
    if (list === 'blocks') yield [formatAddress(computeAddress(publicKey)), formatBlockId(id)]
    const endorsedBlock = header.parents[header.slot.thread]
    for (const { publicKey: endorser, index } of list === 'endorsements' && endorsedBlock ? header.endorsements : []) {
      const hash = computeEndorsementHash(endorser, {
        ...{ slot: header.slot, index, endorsedBlock: endorsedBlock ?? new Uint8Array() },
      })
      yield [formatAddress(computeAddress(endorser)), formatEndorsementId(concatBytes(Uint8Array.of(0), hash))]
    }
  }
}

function* listEvents({ manifest, executionResults }: ArchivedPeriod): Generator<readonly [string, string]> {
  const { executions } = parseAttestedExecutions(executionResults, manifest)
  for (const [thread, execution] of executions.entries()) {
    for (const { callStack, indexInSlot, data } of execution?.events ?? []) {
      const slot = { period: manifest.period, thread }
      for (const address of new Set(callStack)) yield [address, nameOf.events({ slot, indexInSlot, data: toHex(data) })]
    }
  }
}
