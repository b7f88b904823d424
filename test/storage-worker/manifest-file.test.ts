import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GuardedLevel } from '../../storage-worker/guarded-level.ts'
import { createClassicLevel } from '../../storage-worker/level-options.ts'
import { readVersion } from '../../storage-worker/manifest-file.ts'
import { TempFolders } from './temp-store.ts'

const folders = new TempFolders()

describe('storage-worker/manifest-file', () => {
  after(() => folders.clean())

  it('gives the tables and the log that LevelDB has, after any flush, deletion and compaction', async () => {
    const location = await folders.make()
    const options = { writeBufferSize: 64 * 1024, maxFileSize: 1024 * 1024, compression: false }
    const create = () => createClassicLevel(location, options)
    const seen = new Set<number>()
    let level = await GuardedLevel.open({ name: 'test', location, create })
    for (let round = 0; round < 6; round++) {
      for (let i = 0; i < 20; i++) {
        const key = Uint8Array.of((i * 7) % 20, round)
        await level.write([{ type: 'put', key, value: new Uint8Array(20_000).fill(i) }], { sync: false })
        if (round > 2) await level.write([{ type: 'del', key: Uint8Array.of(i, round - 3) }], { sync: false })
      }
      if (round % 2 === 1) await level.compact(Uint8Array.of(0), Uint8Array.of(255))
      await level.close()
      level = await GuardedLevel.open({ name: 'test', location, create })
      // No write since: nothing is compacted behind its back but what opening began.
      await level.compact(Uint8Array.of(0xff), Uint8Array.of(0xff))
      const version = readVersion(join(location, readFileSync(join(location, 'CURRENT'), 'utf8').trim()))
      assert.ok(version)
      assert.deepEqual(
        [...version.tables.keys()].sort(compare),
        [...(level.listTables() ?? [])].map(([n]) => n).sort(compare),
      )
      assert.ok(existsSync(join(location, `${String(version.log).padStart(6, '0')}.log`)))
      for (const table of version.tables.keys()) seen.add(table)
    }
    assert.ok(seen.size > 6)
    await level.close()
  })

  it('gives no version for what no LevelDB writes', async () => {
    const path = join(await folders.make(), 'MANIFEST-000001')
    // A record of one byte that is no tag; its checksum is not looked at here.
    writeFileSync(path, Buffer.from([0, 0, 0, 0, 1, 0, 1, 0x63]))
    assert.equal(readVersion(path), undefined)
    // A length that runs past the end of its record.
    writeFileSync(path, Buffer.from([0, 0, 0, 0, 2, 0, 1, 1, 9]))
    assert.equal(readVersion(path), undefined)
    writeFileSync(path, Buffer.from([0, 0, 0, 0, 3, 0, 1, 2, 0x85, 0x01]))
    assert.deepEqual(readVersion(path), { log: 133, tables: new Map() })
  })
})

function compare(a: number, b: number): number {
  return a - b
}
