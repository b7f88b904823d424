import assert from 'node:assert/strict'
import fc from 'fast-check'
import type { Claim } from '../../archiver/agreement.ts'
import { ConflictMark, type KeptConflict } from '../../archiver/conflict-mark.ts'
import { ArchiveError, type Spool } from '../../core/index.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'
import { chainOf } from './made-chain.ts'

const UNREADABLE = hasCode('ARCHIVER_CONFLICT_UNREADABLE')

function memorySpool() {
  const seen = { mark: undefined as Uint8Array | undefined, writes: 0, syncs: 0, isFailing: false }
  const spool = {
    async putMark(_name: string, bytes: Uint8Array) {
      await Promise.resolve()
      if (seen.isFailing) throw new ArchiveError('STORE_DISK_FULL', 'injected')
      seen.writes++
      seen.mark = bytes
    },
    readMark: async () => seen.mark,
    sync: async () => void seen.syncs++,
  } as unknown as Spool
  return { spool, seen }
}

describe('archiver/conflict-mark', () => {
  const ids = [...chainOf('mark', 2).blocks.values()].map(({ id }) => id)
  const conflict: KeptConflict = {
    slot: { period: 7, thread: 31 },
    claims: new Map<string, Claim>([
      ['[::1]:33037', ids[0] ?? 'none'],
      ['node.example:33037', 'none'],
    ]),
  }

  async function keep(kept: KeptConflict | undefined) {
    const { spool, seen } = memorySpool()
    await new ConflictMark(spool).keep(kept)
    return { spool, seen }
  }

  it('is read as it was kept, by another process', async () => {
    const plain = { noNullPrototype: true }
    const slot = fc.record({ period: fc.maxSafeNat(), thread: fc.nat(31) }, plain)
    const kept = fc.record(
      {
        slot,
        claims: fc
          .uniqueArray(fc.tuple(fc.webAuthority(), fc.constantFrom<Claim>('none', ...ids)), {
            minLength: 2,
            maxLength: 16,
            selector: ([url]) => url,
          })
          .filter((claims) => new Set(claims.map(([, claim]) => claim)).size > 1)
          .map((claims) => new Map(claims)),
      },
      plain,
    )
    await fc.assert(
      fc.asyncProperty(kept, async (some) => {
        const { spool } = await keep(some)
        assert.deepEqual(await new ConflictMark(spool).read(), some)
      }),
      { numRuns: 100 },
    )
  })

  it('is written and synced once for one conflict, and gone after none; nothing is written where there never was one', async () => {
    const { spool, seen } = await keep(undefined)
    assert.equal(seen.writes, 0)
    const mark = new ConflictMark(spool)
    for (let i = 0; i < 3; i++) await mark.keep(conflict)
    assert.deepEqual([seen.writes, seen.syncs], [1, 1])
    await new ConflictMark(spool).read()
    await mark.keep(undefined)
    assert.equal(await new ConflictMark(spool).read(), undefined)
  })

  it('the last of several that are kept at once stands; one that could not be written is written later', async () => {
    const { spool, seen } = memorySpool()
    const mark = new ConflictMark(spool)
    await Promise.all([
      mark.keep(conflict),
      mark.keep(undefined),
      mark.keep({ ...conflict, slot: { period: 6, thread: 0 } }),
    ])
    assert.deepEqual((await new ConflictMark(spool).read())?.slot, { period: 6, thread: 0 })
    seen.isFailing = true
    await assert.rejects(mark.keep(conflict), hasCode('STORE_DISK_FULL'))
    seen.isFailing = false
    await mark.keep(conflict)
    assert.deepEqual(await new ConflictMark(spool).read(), conflict)
  })

  it('fault: cut off, longer, of another version, with another count, thread, id or address: refused (ARCHIVER_CONFLICT_UNREADABLE)', async () => {
    const { seen } = await keep(conflict)
    const good = seen.mark
    assert.ok(good)
    const changed = (at: number, value: number): Uint8Array => {
      const bytes = good.slice()
      bytes[at] = value
      return bytes
    }
    const bad = [
      ...Array.from(good, (_, length) => good.subarray(0, length)),
      new Uint8Array([...good, 0]),
      changed(0, 0),
      changed(0, 2),
      ...[0, 1, 3, 65, 255].map((count) => changed(1, count)),
      changed(2, 255),
      changed(10, 32),
      // The length of the first address, and a letter of its id.
      changed(11, 1),
      changed(14, 200),
      changed(11 + 4 + '[::1]:33037'.length + 4 + 9, 33),
      // A letter that is no UTF-8.
      changed(15, 255),
    ]
    for (const bytes of bad) {
      const { spool, seen: stored } = memorySpool()
      stored.mark = bytes
      await assert.rejects(new ConflictMark(spool).read(), UNREADABLE, Buffer.from(bytes).toString('hex'))
      const any = new ConflictMark(spool)
      assert.equal(await any.readAny(), 'unread')
      await any.keep(undefined)
      assert.equal(await new ConflictMark(spool).read(), undefined)
    }
  })

  it('fault: one that the store calls corrupt is refused as well; other failures of the store pass', async () => {
    for (const [code, isUnreadable] of [
      ['STORE_VALUE_CORRUPT', true],
      ['STORE_READ_FAILED', false],
    ] as const) {
      const spool = { readMark: () => Promise.reject(new ArchiveError(code, 'injected')) } as unknown as Spool
      await assert.rejects(new ConflictMark(spool).read(), isUnreadable ? UNREADABLE : hasCode(code))
    }
  })

  it('limit: of 64 nodes with addresses of 512 bytes it is read; of one more, or a longer one, not', async () => {
    const urlOf = (node: number, sizeBytes: number) => `${node}`.padStart(sizeBytes, 'x')
    const read = async (nodes: number, sizeBytes: number) => {
      const claims = new Map<string, Claim>()
      for (let node = 0; node < nodes; node++)
        claims.set(urlOf(node, sizeBytes), node === 0 ? 'none' : (ids[0] ?? 'none'))
      const kept = { slot: { period: 7, thread: 31 }, claims }
      const { spool } = await keep(kept)
      return new ConflictMark(spool).read()
    }
    assert.equal((await read(64, 512))?.claims.size, 64)
    await assert.rejects(read(65, 512), UNREADABLE)
    await assert.rejects(read(64, 513), UNREADABLE)
  })
})
