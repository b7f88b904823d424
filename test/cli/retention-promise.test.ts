import assert from 'node:assert/strict'
import { checkRetentionPromise } from '../../cli/retention-promise.ts'
import { loadConfig } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'

const load = (kept?: number) =>
  loadConfig({ env: kept === undefined ? {} : { MASSA_STORAGE_RETENTION_PERIODS: `${kept}` }, flags: {}, cwd: '/none' })

function refusal(asked: bigint | undefined, kept?: number): string {
  try {
    checkRetentionPromise(asked, { requireAnchors: true }, load(kept))
  } catch (error) {
    if (isArchiveError(error, 'CONTRACT_NODE_WEIGHTLESS')) return error.message
    throw error
  }
  return 'taken'
}

describe('cli/retention-promise', () => {
  it('refuses the shipped default where anchors are required, and names the line to change', () => {
    assert.match(
      refusal(undefined),
      /keeps 100 periods .* is never paid; set 'retention_periods = 0' below \[distributed_storage\] in config\/config\.toml$/,
    )
    assert.match(refusal(undefined, 1), /; set MASSA_STORAGE_RETENTION_PERIODS=0 in the environment/)
    assert.match(refusal(5_000n, 0), /keeps 5000 periods .*; leave out --retention-periods$/)
    assert.match(refusal(100n), /; leave out --retention-periods and set 'retention_periods = 0' below/)
    for (const asked of [undefined, 0n]) assert.equal(refusal(asked, 0), 'taken')
  })

  it('warns of a promise that is longer than what the archive keeps', () => {
    const warn = (asked: bigint | undefined, kept: number) =>
      checkRetentionPromise(asked, { requireAnchors: false }, load(kept))
    assert.match(
      warn(0n, 100) ?? '',
      /to keep for ever, and the archive keeps 100: set MASSA_STORAGE_RETENTION_PERIODS=0/,
    )
    assert.match(warn(101n, 100) ?? '', /to keep 101 periods, and the archive keeps 100: /)
    for (const [asked, kept] of [
      [undefined, 100],
      [100n, 100],
      [1n, 0],
      [0n, 0],
    ] as const) {
      assert.equal(warn(asked, kept), undefined)
    }
  })
})
