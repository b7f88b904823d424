import assert from 'node:assert/strict'
import { chooseGenesis } from '../../cli/commands/devnet-node.ts'
import { isArchiveError } from '../../core/index.ts'

const NOW_MS = 1_800_000_000_321
const YEAR_MS = 365 * 86_400_000

describe('cli/commands/devnet-node: the genesis of a new chain', () => {
  it('is the present at speed 1: periods by the clock are those of the chain', () => {
    assert.equal(chooseGenesis({ speed: 1 }, NOW_MS), 1_800_000_000_000)
  })

  it('lies five years back at any other speed, so that the chain never passes the clock', () => {
    for (const speed of [0.5, 8, 'turbo'] as const) {
      assert.equal(chooseGenesis({ speed }, NOW_MS), 1_800_000_000_000 - 5 * YEAR_MS)
    }
  })

  it('limit: is what is given, up to the present', () => {
    for (const genesis of [0, 1_700_000_000_007, NOW_MS]) {
      assert.equal(chooseGenesis({ speed: 8, genesis }, NOW_MS), genesis)
    }
    assert.throws(
      () => chooseGenesis({ speed: 1, genesis: NOW_MS + 1 }, NOW_MS),
      (error) => isArchiveError(error, 'CLI_USAGE'),
    )
  })
})
