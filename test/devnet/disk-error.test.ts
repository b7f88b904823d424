import assert from 'node:assert/strict'
import { wrapDiskError } from '../../devnet/disk-error.ts'

const KNOWN = {
  code: 'DEVNET_DIRECTORY_INVALID',
  message: 'net cannot be written',
  context: { directory: 'net' },
} as const

describe('devnet/disk-error', () => {
  it('tells a full disk from other causes, however deep it stands', () => {
    for (const [cause, code] of [
      [Object.assign(new Error('write'), { code: 'ENOSPC' }), 'DEVNET_DISK_FULL'],
      [Object.assign(new Error('write'), { code: 'EDQUOT' }), 'DEVNET_DISK_FULL'],
      [new Error('a', { cause: new Error('IO error: 000003.log: No space left on device') }), 'DEVNET_DISK_FULL'],
      [new Error('IO error: 000003.log: Disk quota exceeded'), 'DEVNET_DISK_FULL'],
      [Object.assign(new Error('write'), { code: 'EACCES' }), 'DEVNET_DIRECTORY_INVALID'],
      [undefined, 'DEVNET_DIRECTORY_INVALID'],
    ] as const) {
      const error = wrapDiskError(cause, KNOWN)
      assert.equal(error.code, code)
      assert.equal(error.message, KNOWN.message)
      assert.equal(error.cause, cause)
    }
  })
})
