import assert from 'node:assert/strict'
import {
  type ArchivedPeriod,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  formatAddress,
  formatEndorsementId,
  formatOperationId,
  parseAddress,
  parseBody,
  parseOperationContent,
  parseSeals,
  type Slot,
  THREAD_COUNT,
  toHex,
} from '../../../core/index.ts'
import { HistoryIndex } from '../../../storage-worker/history/history-index.ts'
import { HistoryReader } from '../../../storage-worker/history/history-reader.ts'
import { HistorySync } from '../../../storage-worker/history/history-sync.ts'
import type { ListCursor, OperationRole } from '../../../storage-worker/history/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { RECORDINGS } from '../../devnet/fixture.ts'
import { readRecordedPeriods } from '../../recorded-periods.ts'
import { hasCode } from '../../suites/chunk-store-suite.ts'
import { openMemoryLevel } from '../temp-store.ts'

/** Small, so that blocks and operations lie across chunks. */
const CHUNK_SIZE_BYTES = 4096
const ALL = { from: 0, to: 1_000_000 }
const ROLES: readonly OperationRole[] = ['creator', 'target']

/** An operation as a scan of all bodies finds it. */
interface Scanned {
  readonly slot: Slot
  readonly index: number
  readonly id: Uint8Array
  readonly content: Uint8Array
  readonly signature: Uint8Array
  readonly blockId: Uint8Array
  readonly creator: string
  readonly target: string | undefined
}

describe('storage-worker/history-reader', function () {
  this.timeout(120_000)
  let periods: readonly ArchivedPeriod[]
  let store: LevelChunkStore
  let reader: HistoryReader
  let index: HistoryIndex

  before(async () => {
    const recorded = await readRecordedPeriods(RECORDINGS.push, CHUNK_SIZE_BYTES)
    periods = recorded.periods
    store = new LevelChunkStore(recorded.identity, {
      bodies: await openMemoryLevel('bodies'),
      index: await openMemoryLevel('index'),
    })
    for (const period of periods) await store.writePeriod(period)
    index = new HistoryIndex(await openMemoryLevel('history'))
    await new HistorySync({ store, index }).compare()
    reader = new HistoryReader({ store, index })
  })

  it('finds every block by its id and by its slot, and says of every other slot that there is none', async () => {
    let blocks = 0
    for (const { manifest, chunks } of periods) {
      const body = parseBody(concatBytes(...chunks))
      for (let thread = 0; thread < THREAD_COUNT; thread++) {
        const slot = { period: manifest.period, thread }
        const found = await reader.findSlot(slot)
        const wanted = body.slots[thread]
        if (wanted?.kind !== 'block') {
          assert.deepEqual(found, { kind: 'miss' })
          continue
        }
        blocks++
        assert(found?.kind === 'block')
        assert.deepEqual(found.block.record, wanted.record)
        assert.deepEqual(await reader.findBlock(wanted.record.id), found.block)
      }
    }
    assert(blocks > 200)
  })

  it('sums up the slots of a period, also of one that is not indexed', async () => {
    const bare = new HistoryReader({ store, index: new HistoryIndex(await openMemoryLevel('history')) })
    for (const { manifest, chunks } of periods.slice(0, 4)) {
      const { period } = manifest
      const wanted = parseBody(concatBytes(...chunks)).slots.map((slot, thread) => ({
        slot: { period, thread },
        ...(slot.kind === 'block'
          ? { kind: slot.kind, blockId: slot.record.id, operations: slot.record.operations.length }
          : { kind: slot.kind, operations: 0 }),
      }))
      assert.deepEqual(await reader.readSlots(period), wanted)
      assert.deepEqual(await bare.readSlots(period), wanted)
    }
    assert.equal(await reader.readSlots(1_000_000), undefined)
  })

  it('finds a slot of a period that is not indexed', async () => {
    const bare = new HistoryReader({ store, index: new HistoryIndex(await openMemoryLevel('history')) })
    for (const { manifest } of periods.slice(0, 2)) {
      for (let thread = 0; thread < THREAD_COUNT; thread++) {
        const slot = { period: manifest.period, thread }
        assert.deepEqual(await bare.findSlot(slot), await reader.findSlot(slot))
      }
    }
  })

  it('finds every operation by its id, with its signature and all blocks that include it', async () => {
    const scanned = scan(periods)
    assert(scanned.length > 200)
    for (const { id } of scanned) {
      const found = await reader.findOperation(id)
      const wanted = scanned.filter((one) => toHex(one.id) === toHex(id))
      assert.deepEqual(found?.operation.content, wanted[0]?.content)
      assert.deepEqual(found?.signature, wanted[0]?.signature)
      assert.deepEqual(
        found?.inclusions,
        wanted.map(({ slot, blockId, index: at }) => ({ slot, blockId, index: at })),
      )
    }
  })

  it('finds endorsements by their ids', async () => {
    const { manifest, chunks } = periods.at(-1) as ArchivedPeriod
    let endorsements = 0
    for (const [thread, slot] of parseBody(concatBytes(...chunks)).slots.entries()) {
      if (slot.kind !== 'block') continue
      const { header } = slot.record
      const endorsedBlock = header.parents[thread]
      assert(endorsedBlock)
      for (const endorsement of header.endorsements) {
        const content = { slot: header.slot, index: endorsement.index, endorsedBlock }
        const id = concatBytes(Uint8Array.of(0), computeEndorsementHash(endorsement.publicKey, content))
        const found = await reader.findEndorsement(id)
        assert.deepEqual(found?.endorsement, endorsement, formatEndorsementId(id))
        assert.deepEqual(found?.inclusions, [{ slot: { period: manifest.period, thread }, blockId: slot.record.id }])
        endorsements++
      }
    }
    assert(endorsements > 20)
  })

  it('lists exactly the operations of each address that a scan finds, newest first, in pages of any size', async () => {
    const scanned = scan(periods)
    const addresses = new Set(scanned.flatMap(({ creator, target }) => (target ? [creator, target] : [creator])))
    assert(addresses.size > 3)
    for (const address of addresses) {
      for (const roles of [ROLES, ['creator'], ['target']] as const) {
        const isOf = ({ creator, target }: Scanned) =>
          (roles.some((role) => role === 'creator') && creator === address) ||
          (roles.some((role) => role === 'target') && target === address)
        const wanted = scanned.filter(isOf).map(describePlace).reverse()
        for (const limit of [7, 1000]) {
          assert.deepEqual(await listAll(address, roles, limit), wanted, `${address} ${roles} ${limit}`)
        }
      }
    }
  })

  it('lists the operations of some periods alone', async () => {
    const scanned = scan(periods)
    const [address] = scanned.map(({ creator }) => creator)
    assert(address)
    const [from, to] = [periods[2]?.manifest.period ?? 0, periods[4]?.manifest.period ?? 0]
    const { operations } = await reader.listOperations(parseAddress(address), {
      roles: ['creator'],
      from,
      to,
      limit: 1000,
    })
    const wanted = scanned.filter(
      ({ creator, slot }) => creator === address && slot.period >= from && slot.period <= to,
    )
    assert.deepEqual(
      operations.map(({ operation }) => formatOperationId(operation.id)),
      wanted.map(({ id }) => formatOperationId(id)).reverse(),
    )
  })

  it('reads what executing a slot did', async () => {
    let outcomes = 0
    for (const { id } of scan(periods).slice(0, 50)) {
      const [inclusion] = (await reader.findOperation(id))?.inclusions ?? []
      assert(inclusion)
      const execution = await reader.readExecution(inclusion.slot)
      outcomes += execution?.outcomes.filter(({ operationId }) => operationId === formatOperationId(id)).length ?? 0
    }
    assert(outcomes > 10)
  })

  it('nothing has an id that only begins like one that there is', async () => {
    const [{ id } = { id: new Uint8Array(33) }] = scan(periods)
    const other = id.slice()
    other[32] = (other[32] ?? 0) ^ 1
    assert.equal(await reader.findOperation(other), undefined)
    assert.equal(await reader.findBlock(other), undefined)
    assert.equal(await reader.findEndorsement(other), undefined)
  })

  it('error: never says that something is not archived, or a list whole, while the index is being made', async () => {
    const [, second] = periods
    const victim = scan([second as ArchivedPeriod])[0] as Scanned
    const made = new HistoryIndex(await openMemoryLevel('history'))
    const early = new HistoryReader({ store, index: made })
    const sync = new HistorySync({ store, index: made })
    const list = () => early.listOperations(parseAddress(victim.creator), { ...ALL, roles: ROLES, limit: 25 })
    const unknown = new Uint8Array(33).fill(7).fill(0, 0, 1)
    const refuseAll = async () => {
      for (const ask of [
        () => early.findOperation(unknown),
        () => early.findBlock(unknown),
        () => early.findEndorsement(unknown),
        list,
      ]) {
        await assert.rejects(ask, hasCode('STORE_HISTORY_INCOMPLETE'))
      }
    }
    await refuseAll()
    await sync.compare()
    const whole = await list()
    assert.equal(await early.findOperation(unknown), undefined)
    let goOn = (): void => undefined
    const gate = new Promise<void>((resolve) => {
      goOn = resolve
    })
    const slow = Object.assign(Object.create(store) as LevelChunkStore, {
      readManifest: async (period: number) => {
        await gate
        return store.readManifest(period)
      },
    })
    const again = new HistorySync({ store: slow, index: made }).rebuild(() => undefined, new AbortController().signal)
    await refuseAll()
    goOn()
    await again
    assert.deepEqual(await list(), whole)
    assert.equal(await early.findOperation(unknown), undefined)
  })

  describe('where chunks were let go of', () => {
    let held: LevelChunkStore
    let victim: Scanned

    before(async () => {
      held = new LevelChunkStore(store.identity, {
        bodies: await openMemoryLevel('bodies'),
        index: await openMemoryLevel('index'),
      })
      const period = periods[1] as ArchivedPeriod
      await held.writePeriod(period)
      await held.dropChunks(
        period.manifest.period,
        period.chunks.map((_, at) => at),
      )
      victim = scan([period])[0] as Scanned
    })

    it('error: says that the chunk is not here', async () => {
      const away = new HistoryReader({ store: held, index })
      await assert.rejects(away.findOperation(victim.id), hasCode('STORE_CHUNK_AWAY'))
    })

    it('finds all the same what somebody gives, asking for a chunk once', async () => {
      const asked: string[] = []
      const fetching = new HistoryReader({
        store: held,
        index,
        holders: {
          fetchChunk: async ({ period }, at) => {
            asked.push(`${period}/${at}`)
            return (await store.readChunk(period, at)) as Uint8Array
          },
          // They went with chunk 0.
          fetchSeals: async ({ period }) => store.readSeals(period),
        },
      })
      for (let i = 0; i < 2; i++) {
        const found = await fetching.findOperation(victim.id)
        assert.deepEqual(found?.operation.content, victim.content)
        assert.deepEqual(found?.signature, victim.signature)
      }
      assert.equal(new Set(asked).size, asked.length)
    })

    it('finds nothing of a period that is deleted', async () => {
      const gone = new HistoryReader({ store: held, index })
      await held.deletePeriods(0, 1_000_000)
      assert.equal(await gone.findOperation(victim.id), undefined)
    })
  })

  async function listAll(address: string, roles: readonly OperationRole[], limit: number): Promise<string[]> {
    const found: string[] = []
    let before: ListCursor | undefined
    for (;;) {
      const page = await reader.listOperations(parseAddress(address), {
        ...ALL,
        roles,
        limit,
        ...(before ? { before } : {}),
      })
      assert(page.operations.length <= limit)
      for (const { operation, inclusions } of page.operations) {
        const [inclusion] = inclusions
        assert(inclusion)
        found.push(describePlace({ ...inclusion, id: operation.id }))
      }
      if (!page.cursor) return found
      before = page.cursor
    }
  }
})

function describePlace({ slot, index, id }: { slot: Slot; index: number; id: Uint8Array }): string {
  return `${slot.period}/${slot.thread}/${index} ${formatOperationId(id)}`
}

/** All operations of whole periods, ascending. */
function scan(periods: readonly ArchivedPeriod[]): Scanned[] {
  return periods.flatMap(({ chunks, seals }) => {
    const body = parseBody(concatBytes(...chunks))
    const signatures = parseSeals(seals, body)
    return body.slots.flatMap((slot, thread) => {
      if (slot.kind !== 'block') return []
      const own = signatures[body.slots.slice(0, thread).filter(({ kind }) => kind === 'block').length]
      return slot.record.operations.map(({ id, content, publicKey }, index): Scanned => {
        const { body: deed } = parseOperationContent(content)
        const target = deed.kind === 'transaction' ? deed.recipient : deed.kind === 'call-sc' ? deed.target : undefined
        return {
          ...{ slot: { period: body.period, thread }, index, id, content, blockId: slot.record.id },
          signature: own?.slice(64 * (index + 1), 64 * (index + 2)) ?? new Uint8Array(0),
          creator: formatAddress(computeAddress(publicKey)),
          target: target && formatAddress(target),
        }
      })
    })
  })
}
