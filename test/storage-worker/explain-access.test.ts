import assert from 'node:assert/strict'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { explainAccess } from '../../storage-worker/explain-access.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'

const PLACE = "/an archive's place"
const errno = (code: string) => Object.assign(new Error(`${code}: open`), { code })

describe('storage-worker/explain-access', () => {
  const told: [string, unknown, 'STORE_READ_ONLY' | 'STORE_ACCESS_DENIED'][] = [
    ['EROFS of Node', errno('EROFS'), 'STORE_READ_ONLY'],
    ['EACCES of Node', errno('EACCES'), 'STORE_ACCESS_DENIED'],
    ['EPERM of Node', errno('EPERM'), 'STORE_ACCESS_DENIED'],
    ['a lock of LevelDB', new Error('IO error: /x/LOCK: Read-only file system'), 'STORE_READ_ONLY'],
    ['a table of LevelDB', new Error('IO error: /x/000005.ldb: Permission denied'), 'STORE_ACCESS_DENIED'],
  ]
  for (const [what, cause, code] of told) {
    it(`says ${code} for ${what}, also as the cause of another error`, () => {
      const wrapped = new ArchiveError('STORE_OPEN_FAILED', 'bodies', {}, cause)
      for (const error of [cause, wrapped]) {
        const explained = explainAccess(error, PLACE)
        assert.ok(explained instanceof Error)
        hasCode(code)(explained)
        // For a shell, as it stands.
        assert.ok(explained.message.includes(`'/an archive'\\''s place'`), explained.message)
      }
    })
  }

  const nowhere: [string, unknown, string][] = [
    ['ELOOP of Node', errno('ELOOP'), 'ELOOP'],
    ['ENAMETOOLONG of Node', errno('ENAMETOOLONG'), 'ENAMETOOLONG'],
    ['links of LevelDB', new Error('IO error: /x/LOCK: Too many levels of symbolic links'), 'ELOOP'],
    ['a name of LevelDB', new Error('IO error: /x/LOCK: File name too long'), 'ENAMETOOLONG'],
  ]
  for (const [what, cause, reason] of nowhere) {
    it(`takes ${what} for a wrong setting`, () => {
      const explained = explainAccess(cause, 'x'.repeat(5_000))
      assert.ok(isArchiveError(explained, 'CONFIG_VALUE_INVALID'))
      assert.equal(explained.context.reason, reason)
      assert.ok(explained.message.length < 400)
    })
  }

  it('gives other errors back', () => {
    for (const error of [errno('EIO'), new ArchiveError('STORE_LOCKED', 'held'), new Error('bug'), 'text']) {
      assert.equal(explainAccess(error, PLACE), error)
    }
  })
})
