import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAccounts } from '../../cli/read-accounts.ts'
import { isArchiveError } from '../../core/index.ts'

const ADDRESS = 'AU12dG5xP1RDEB5ocdHkymNVvvSJmUL9BgHwCksDowqmGWxfpm93x'

describe('cli/read-accounts', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-accounts-'))
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('reads nanoMAS up to the largest u64', () => {
    writeFileSync(join(dir, 'a.json'), JSON.stringify({ [ADDRESS]: '18446744073709551615' }))
    assert.deepEqual(readAccounts('a.json', dir), [[ADDRESS, 18_446_744_073_709_551_615n]])
    writeFileSync(join(dir, 'a.json'), '{}')
    assert.deepEqual(readAccounts('a.json', dir), [])
  })

  for (const [what, text, said] of [
    ['a text that is no address', '{"somebody":"1"}', /'somebody' is no address/],
    ['an address with a wrong checksum', JSON.stringify({ [`${ADDRESS}y`]: '1' }), /is no address/],
    ['a list', '[]', /not an object/],
    ['a number', JSON.stringify({ [ADDRESS]: 1 }), /no text of digits/],
    ['a negative balance', JSON.stringify({ [ADDRESS]: '-1' }), /no text of digits/],
    ['more than a u64', JSON.stringify({ [ADDRESS]: '18446744073709551616' }), /too large/],
    ['half a file', '{"', /not JSON/],
    ['no file', undefined, /ENOENT/],
  ] as const) {
    it(`error: refuses ${what}`, () => {
      if (text !== undefined) writeFileSync(join(dir, 'a.json'), text)
      assert.throws(
        () => readAccounts('a.json', dir),
        (error) => isArchiveError(error, 'DEVNET_ACCOUNTS_INVALID') && said.test(error.message),
      )
    })
  }
})
