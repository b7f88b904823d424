import assert from 'node:assert/strict'
import type { AttestedExecutions } from '../../../archiver/attestation.ts'
import type { SlotExecution } from '../../../archiver/execution-results.ts'
import { ArchiveError, computeAddress, formatAddress, type Slot } from '../../../core/index.ts'
import { makeKey } from '../../../devnet/index.ts'
import { AddressSlots, type HistoryHead } from '../../../storage-worker/history/address-slots.ts'
import type { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { hasCode } from '../../suites/chunk-store-suite.ts'

const [own, other] = ['own', 'other'].map((name) => makeKey(name).publicKey) as [Uint8Array, Uint8Array]
const ADDRESS = computeAddress(own)
const ALL = { from: 0, to: 99, limit: 100 }
const MIB = 1024 * 1024

/** An index that names these threads of these periods for everybody in every role, and what is found there. */
class MadeSlots {
  /** Read, in their order. */
  readonly read: string[] = []
  isCompared = true
  readHead = async ({ period, thread }: Slot): Promise<HistoryHead | undefined> => {
    this.read.push(`${period}.${thread}`)
    return makeHead({ period, thread }, own)
  }
  readAttested = async (_period: number): Promise<AttestedExecutions | undefined> => undefined
  private readonly threadsOf: ReadonlyMap<number, readonly number[]>

  constructor(threadsOf: Readonly<Record<number, readonly number[]>>) {
    this.threadsOf = new Map(Object.entries(threadsOf).map(([period, threads]) => [Number(period), threads]))
  }

  open(): AddressSlots {
    const made = this
    const index = {
      readDirectory: async () => new Map(),
      async *listSlots(_address: Uint8Array, _role: string, { from, to }: { from: number; to: number }) {
        for (const [period, threads] of [...made.threadsOf].reverse())
          if (period >= from && period <= to) yield { period, threads }
      },
    } as unknown as HistoryIndex
    const checkCompared = () => {
      if (!made.isCompared) throw new ArchiveError('STORE_HISTORY_INCOMPLETE', 'made')
    }
    const readHead = (slot: Slot) => made.readHead(slot)
    return new AddressSlots({ index, reader: { readHead, readAttested: (at) => made.readAttested(at), checkCompared } })
  }
}

function makeHead(slot: Slot, publicKey: Uint8Array, endorsers: readonly Uint8Array[] = []): HistoryHead {
  const endorsements = endorsers.map((one, index) => ({ index, publicKey: one, signature: new Uint8Array(65) }))
  const parents = Array.from({ length: 32 }, () => new Uint8Array(33))
  const head = { publicKey, header: { slot, endorsements, parents }, id: new Uint8Array(33) }
  return { slot, head, seals: undefined } as unknown as HistoryHead
}

/** Results of a period; events of `ADDRESS` with so many bytes, by thread. */
function makeResults(events: Readonly<Record<number, readonly number[]>>, resultsBytes = 10): AttestedExecutions {
  const executions = Array.from({ length: 32 }, (_, thread): SlotExecution | undefined => {
    const made = (events[thread] ?? []).map((bytes, indexInSlot) => {
      const callStack = [formatAddress(ADDRESS)]
      return { indexInSlot, callStack, operationId: '', failed: false, data: new Uint8Array(bytes) }
    })
    return made.length === 0
      ? undefined
      : { source: 'stream', complete: true, trailHash: '', outcomes: [], events: made }
  })
  const attestation = { publicKey: own, signature: new Uint8Array(65) }
  return { executions, attestation, results: new Uint8Array(resultsBytes), isFromFile: false }
}

const placesOf = (deeds: readonly { readonly slot: Slot }[]) =>
  deeds.map(({ slot }) => `${slot.period}.${slot.thread}`).join(' ')

describe('storage-worker/history/address-slots', () => {
  it('shows of what the index names only what is found there', async () => {
    const made = new MadeSlots({ 3: [1, 5], 4: [2] })
    made.readHead = async (slot) => makeHead(slot, slot.thread === 5 ? other : own, [other, own, other, own])
    const blocks = await made.open().listBlocks(ADDRESS, ALL)
    assert.equal(placesOf(blocks.deeds), '4.2 3.1')
    const { deeds } = await made.open().listEndorsements(ADDRESS, { ...ALL, to: 3 })
    assert.deepEqual(
      deeds.map(({ slot, endorsement }) => `${slot.thread}/${endorsement.index}`),
      ['5/3', '5/1', '1/3', '1/1'],
    )
  })

  it('ends a page in the middle of a slot, and goes on there', async () => {
    const made = new MadeSlots({ 3: [1], 4: [2] })
    made.readHead = async (slot) => makeHead(slot, own, [own, own, own])
    const first = await made.open().listEndorsements(ADDRESS, { ...ALL, limit: 2 })
    assert.deepEqual(first.cursor, { period: 4, thread: 2, index: 1 })
    const second = await made.open().listEndorsements(ADDRESS, { ...ALL, limit: 2, before: first.cursor })
    assert.equal(placesOf(second.deeds), '4.2 3.1')
    const last = await made.open().listEndorsements(ADDRESS, { ...ALL, limit: 2, before: second.cursor })
    assert.deepEqual([placesOf(last.deeds), last.cursor], ['3.1 3.1', undefined])
  })

  it('reads nothing behind a full page, and not again what a cursor is behind', async () => {
    const made = new MadeSlots({ 3: [1], 4: [2], 5: [0] })
    const first = await made.open().listBlocks(ADDRESS, { ...ALL, limit: 1 })
    assert.deepEqual([made.read, first.cursor], [['5.0'], { period: 5, thread: 0, index: 0 }])
    await made.open().listBlocks(ADDRESS, { ...ALL, limit: 1, before: first.cursor })
    assert.deepEqual(made.read, ['5.0', '4.2'])
  })

  it('of a period that is deleted while a list is made there is nothing in it', async () => {
    const made = new MadeSlots({ 3: [1, 5], 4: [2] })
    made.readHead = async (slot) => (slot.period === 3 && slot.thread === 1 ? undefined : makeHead(slot, own))
    const { deeds, cursor } = await made.open().listBlocks(ADDRESS, ALL)
    assert.deepEqual([placesOf(deeds), cursor], ['4.2', undefined])
    assert.deepEqual(await made.open().listEvents(ADDRESS, { ...ALL, isAttested: false }), {
      deeds: [],
      cursor: undefined,
    })
  })

  it('error: no list is whole while the index is being made, nor when it was begun anew meanwhile', async () => {
    const made = new MadeSlots({ 3: [1] })
    made.readHead = async () => {
      made.isCompared = false
      return undefined
    }
    await assert.rejects(made.open().listBlocks(ADDRESS, ALL), hasCode('STORE_HISTORY_INCOMPLETE'))
    await assert.rejects(
      made.open().listEvents(ADDRESS, { ...ALL, isAttested: true }),
      hasCode('STORE_HISTORY_INCOMPLETE'),
    )
  })

  it('limit: 4 MiB of events in a page, one event at least', async () => {
    const made = new MadeSlots({ 3: [1], 4: [2] })
    made.readAttested = async (period) => makeResults(period === 4 ? { 2: [MIB, MIB, MIB] } : { 1: [1, MIB, 5 * MIB] })
    const list = (before?: { period: number; thread: number; index: number }) =>
      made.open().listEvents(ADDRESS, { ...ALL, isAttested: false, before })
    const first = await list()
    assert.deepEqual([first.deeds.length, first.cursor], [3, { period: 4, thread: 2, index: 0 }])
    const second = await list(first.cursor)
    assert.deepEqual([second.deeds.length, second.cursor], [1, { period: 3, thread: 1, index: 2 }])
    const last = await list(second.cursor)
    assert.deepEqual([last.deeds.length, last.cursor], [2, undefined])
    made.readAttested = async (period) => makeResults(period === 4 ? { 2: [2 * MIB, 2 * MIB] } : {})
    assert.equal((await list()).deeds.length, 2)
  })

  it('limit: 4 MiB of results beside attested events, those of a period once, and none that have more alone', async () => {
    const made = new MadeSlots({ 2: [0], 3: [1, 2], 4: [2] })
    const bytesOf = new Map([
      [4, 3 * MIB],
      [3, MIB - 3],
      [2, 4 * MIB + 1],
    ])
    made.readAttested = async (period) => makeResults({ 0: [1], 1: [1], 2: [1] }, bytesOf.get(period))
    const page = await made.open().listEvents(ADDRESS, { ...ALL, isAttested: true })
    assert.deepEqual([placesOf(page.deeds), page.cursor], ['4.2 3.2 3.1', { period: 3, thread: 1, index: 0 }])
    bytesOf.set(3, MIB - 4)
    assert.equal(
      placesOf((await made.open().listEvents(ADDRESS, { ...ALL, isAttested: true })).deeds),
      '4.2 3.2 3.1 2.0',
    )
    bytesOf.set(3, MIB)
    assert.equal(placesOf((await made.open().listEvents(ADDRESS, { ...ALL, isAttested: true })).deeds), '4.2')
    assert.equal(
      placesOf((await made.open().listEvents(ADDRESS, { ...ALL, isAttested: false })).deeds),
      '4.2 3.2 3.1 2.0',
    )
  })
})
