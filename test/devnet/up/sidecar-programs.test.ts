import assert from 'node:assert/strict'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isArchiveError } from '../../../core/index.ts'
import { checkSidecarPrograms } from '../../../devnet/up/sidecar-programs.ts'

const FILE = fileURLToPath(import.meta.url)
const NAMES = ['sidecar-1', 'sidecar-2']

describe('devnet/up/sidecar-programs', () => {
  function check(name: string, file: string): void {
    checkSidecarPrograms(new Map([[name, file]]), NAMES)
  }

  it('takes files, of sidecars that there are', () => {
    check('sidecar-2', FILE)
    checkSidecarPrograms(new Map(), NAMES)
  })

  it('error: says which sidecars there are, and what is no file', () => {
    const refused: readonly [string, string, RegExp][] = [
      ['sidecar-3', FILE, /no sidecar-3: the network has sidecar-1, sidecar-2$/],
      ['sidecar-1', `${FILE}.gone`, /program of sidecar-1 is no file: .*\.gone$/],
      ['sidecar-1', dirname(FILE), /program of sidecar-1 is no file/],
    ]
    for (const [name, file, message] of refused) {
      assert.throws(
        () => check(name, file),
        (error) => isArchiveError(error, 'DEVNET_PROGRAM_INVALID') && message.test(error.message),
      )
    }
  })
})
