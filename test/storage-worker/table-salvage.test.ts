import assert from 'node:assert/strict'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createClassicLevel } from '../../storage-worker/level-options.ts'
import { findTableDamage, openTable } from '../../storage-worker/table-file.ts'
import { salvageTable } from '../../storage-worker/table-salvage.ts'
import { makeBlock, makePeriod, noise } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const SEED = process.env.MASSA_STORAGE_TEST_SEED ?? '1'
const TRAILER_BYTES = 5
const FOOTER_BYTES = 48

interface Sample {
  readonly name: string
  readonly sealed: boolean
  readonly bytes: Buffer
  /** Places of blocks of entries. */
  readonly blocks: readonly { readonly offset: number; readonly size: number }[]
}

describe('storage-worker/table-salvage', function () {
  this.timeout(60_000)
  const folders = new TempFolders()
  const samples: Sample[] = []
  let scratch = ''

  before(async () => {
    const dataDir = await folders.make()
    scratch = join(await folders.make(), 'table.ldb')
    const createLevel = (location: string, options: object) =>
      createClassicLevel(location, { ...options, writeBufferSize: 64 * 1024 })
    const store = await openTestStore(dataDir, { createLevel })
    for (let period = 1; period <= 24; period++) {
      await store.chunks.writePeriod(makePeriod(period, period === 4 ? { operationBytes: 40_000, blocks: 1 } : {}))
      await store.spool.putBlock(makeBlock({ period: period + 100, thread: 0 }))
      if (period === 20) await store.chunks.deleteValues(3, [0, 1])
    }
    await store.close()
    await (await openTestStore(dataDir, { createLevel })).close()
    for (const database of ['bodies', 'index']) {
      for (const file of readdirSync(join(dataDir, database)).filter((name) => name.endsWith('.ldb'))) {
        const path = join(dataDir, database, file)
        const descriptor = openSync(path, 'r')
        const blocks = openTable(descriptor)
          .listBlocks()
          .map(({ handle }) => handle)
        closeSync(descriptor)
        samples.push({ name: `${database}/${file}`, sealed: database === 'bodies', bytes: readFileSync(path), blocks })
      }
    }
    assert.ok(samples.filter(({ sealed }) => sealed).length > 1)
    assert.ok(samples.some(({ sealed }) => !sealed))
  })
  after(() => folders.clean())

  it('makes of a sound table the same one', () => {
    for (const sample of samples) assertSame(sample, sample.bytes, 'as it is')
  })

  it('makes it byte for byte again, whichever byte is flipped of filter, metaindex, index and footer', () => {
    for (const sample of samples) {
      const { bytes } = sample
      const from = dataEndOf(sample)
      // The filter is long and all alike.
      for (let at = from; at < bytes.length; at += at < bytes.length - 400 ? 37 : 1) {
        assertSame(sample, flip(bytes, at, 1 + ((noise(`${SEED} ${at}`, 1)[0] ?? 0) % 255)), `byte ${at}`)
      }
    }
  })

  it(`makes it byte for byte again when a byte of a block is flipped: trailer, restarts, keys, values (seed ${SEED})`, () => {
    for (const sample of samples) {
      for (const [i, { offset, size }] of sample.blocks.entries()) {
        if (i % 5 !== 0 && i !== sample.blocks.length - 1) continue
        const end = offset + size + TRAILER_BYTES
        const random = noise(`${SEED} ${sample.name} ${i}`, 6)
        const inside = [...random.subarray(0, 3)].map((byte) => offset + Math.floor((byte * size) / 256))
        const tail = Array.from({ length: TRAILER_BYTES + 8 }, (_, k) => end - 1 - k)
        for (const at of [offset, offset + 1, offset + 2, offset + 4, offset + 12, offset + 20, ...inside, ...tail]) {
          assertSame(
            sample,
            flip(sample.bytes, at, 1 + ((random[5] ?? 0) % 255)),
            `byte ${at} of block ${i} at ${offset}`,
          )
        }
      }
    }
  })

  it('finds all blocks of a table whose index and footer are zeros', () => {
    for (const sample of samples) {
      const bytes = Buffer.from(sample.bytes)
      bytes.fill(0, indexOf(sample).offset)
      assertSame(sample, bytes, 'zeros')
    }
  })

  it('keeps the blocks before a cut, and says that it lacks others', () => {
    for (const sample of samples) {
      if (sample.blocks.length < 4) continue
      const kept = sample.blocks.length >> 1
      const cut = sample.blocks[kept]
      assert.ok(cut)
      const salvaged = salvageTable(sample.bytes.subarray(0, cut.offset + 10), {
        sizeBytes: sample.bytes.length,
        sealed: sample.sealed,
      })
      assert.ok(salvaged, sample.name)
      assert.equal(salvaged.isWhole, false)
      assert.equal(salvaged.bytes.length, sample.bytes.length)
      assertSound(salvaged.bytes, kept)
      assert.deepEqual(salvaged.bytes.subarray(0, cut.offset), sample.bytes.subarray(0, cut.offset))
    }
  })

  it('leaves out a block that is lost, with the index or without, and keeps the others', () => {
    for (const sample of samples) {
      const lost = sample.blocks[1]
      if (!lost || sample.blocks.length < 4 || lost.size > 64 * 1024) continue
      const bytes = Buffer.from(sample.bytes)
      bytes.fill(0xa5, lost.offset + 40, lost.offset + 60)
      for (const hasIndex of [true, false]) {
        if (!hasIndex) bytes.fill(0, indexOf(sample).offset)
        const salvaged = salvageTable(bytes, { sizeBytes: bytes.length, sealed: sample.sealed })
        assert.ok(salvaged && !salvaged.isWhole)
        assert.equal(salvaged.bytes.length, bytes.length)
        assertSound(salvaged.bytes, sample.blocks.length - 1)
      }
    }
  })

  it('gives nothing of what never was a table', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(5000), Buffer.from(noise(SEED, 20_000))]) {
      assert.equal(salvageTable(bytes, { sizeBytes: undefined, sealed: true }), undefined)
    }
  })

  function assertSame({ name, sealed, bytes }: Sample, damaged: Buffer, what: string): void {
    const salvaged = salvageTable(damaged, { sizeBytes: bytes.length, sealed })
    assert.ok(salvaged?.isWhole, `${name}, ${what}: not whole`)
    assert.ok(salvaged.bytes.equals(bytes), `${name}, ${what}: differs`)
  }

  function assertSound(bytes: Buffer, blocks: number): void {
    writeFileSync(scratch, bytes)
    assert.equal(findTableDamage(scratch, true), undefined)
    const descriptor = openSync(scratch, 'r')
    try {
      assert.equal(openTable(descriptor).listBlocks().length, blocks)
    } finally {
      closeSync(descriptor)
    }
  }
})

function dataEndOf({ blocks }: Sample): number {
  const last = blocks.at(-1)
  return last ? last.offset + last.size + TRAILER_BYTES : 0
}

/** Second handle of the footer. */
function indexOf({ bytes }: Sample): { offset: number } {
  const footer = bytes.subarray(-FOOTER_BYTES)
  let at = 0
  const next = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = footer[at++] ?? 0
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
  }
  next()
  next()
  return { offset: next() }
}

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  const flipped = Buffer.from(bytes)
  flipped[at] = (flipped[at] ?? 0) ^ bits
  return flipped
}
