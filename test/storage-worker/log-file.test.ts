import assert from 'node:assert/strict'
import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { findLogDamage } from '../../storage-worker/log-file.ts'
import { makePeriod } from './synthetic-period.ts'
import { openTestStore, TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/log-file', () => {
  let folder: string
  let files: string[]

  before(async () => {
    const dataDir = await folders.make()
    folder = await folders.make()
    const store = await openTestStore(dataDir)
    for (let number = 0; number < 12; number++) await store.chunks.writePeriod(makePeriod(number))
    // While it is open: closing keeps the logs, opening turns them into tables.
    for (const name of ['bodies', 'index']) cpSync(join(dataDir, name), join(folder, name), { recursive: true })
    await store.close()
    files = ['bodies', 'index'].flatMap((name) =>
      readdirSync(join(folder, name))
        .filter((file) => file.endsWith('.log') || file.startsWith('MANIFEST-'))
        .map((file) => join(folder, name, file)),
    )
    assert.equal(files.length, 4)
  })
  after(() => folders.clean())

  it('finds nothing in logs and manifests as LevelDB writes them, wherever a crash cut them off', () => {
    for (const path of files) {
      const bytes = readFileSync(path)
      assert.ok(bytes.length > 0, path)
      const cut = join(folder, 'cut')
      const step = Math.max(1, Math.floor(bytes.length / 200))
      for (let end = bytes.length; end >= 0; end -= step) {
        writeFileSync(cut, bytes.subarray(0, end))
        assert.equal(findLogDamage(cut), undefined, `${path} cut at ${end}`)
      }
      writeFileSync(cut, Buffer.concat([bytes, Buffer.alloc(5000)]))
      assert.equal(findLogDamage(cut), undefined, `${path} with zeros`)
    }
  })

  it('finds a flipped byte anywhere in them, in lengths of the last records too', () => {
    const flips = fc.record({
      file: fc.nat(files.length - 1),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fromEnd: fc.boolean(),
      bits: fc.integer({ min: 1, max: 255 }),
    })
    fc.assert(
      fc.property(flips, ({ file, at, fromEnd, bits }) => {
        const bytes = readFileSync(files[file] ?? '')
        const place = fromEnd
          ? bytes.length - 1 - Math.floor(at * Math.min(bytes.length, 120))
          : Math.floor(at * bytes.length)
        bytes[place] = (bytes[place] ?? 0) ^ bits
        const path = join(folder, 'flipped')
        writeFileSync(path, bytes)
        assert.notEqual(findLogDamage(path), undefined, `${files[file]} at ${place} of ${bytes.length}`)
      }),
      { numRuns: 400 },
    )
  })
})
