import assert from 'node:assert/strict'
import { isArchiveError, parseAddress, parseBlockId, parseOperationId } from '../../../core/index.ts'

describe('core/massa/atoms', () => {
  for (const [parse, text, shown = text] of [
    [parseBlockId, 'B1xxx'],
    [parseOperationId, 'O1'],
    [parseOperationId, 'O0l'],
    [parseAddress, 'AU1'],
    [parseBlockId, `B${'1'.repeat(200)}`, `B${'1'.repeat(16)}`],
  ] as const) {
    it(`error: what is no id is named with its prefix: ${shown}`, () => {
      assert.throws(
        () => parse(text),
        (error) => {
          assert.ok(isArchiveError(error, 'CORE_BASE58_INVALID'))
          assert.ok(error.message.startsWith(`'${shown}' is not base58check`), error.message)
          return true
        },
      )
    })
  }
})
