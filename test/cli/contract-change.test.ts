import assert from 'node:assert/strict'
import { contractConfig } from '../../cli/commands/contract-change.ts'
import { isArchiveError } from '../../core/index.ts'
import { makeWallet } from '../devnet/node/face.ts'
import { type CommandOptions, RegistryPlace } from './registry-place.ts'

const ADMIN = makeWallet('admin')

describe('cli/commands/contract-change', function () {
  this.timeout(60_000)
  let place: RegistryPlace

  before(async () => {
    place = await RegistryPlace.open([ADMIN], 'admin_delay_periods = 30')
  })

  after(() => place.close())

  const open = (options: Omit<CommandOptions, 'wallet'> = {}) => place.command({ wallet: ADMIN, ...options })
  const params = (line: string) => place.write('change.toml', `[storage_registry]\n${line}\n`)

  it('who is asked sees price and change, also with --quiet', async () => {
    const { context, signal, stderr } = open({ quiet: true, answer: 'no' })
    const announcing = contractConfig(context, 'announce', params('slash_percentage = 30'), { signal })
    await assert.rejects(announcing, (error) => isArchiveError(error, 'CLI_NOT_CONFIRMED'))
    assert.match(
      stderr.text,
      /^ {2}slash_percentage: 10 -> 30\nCosts at most 0\.\d+ MAS with the fee.*\nAnnounce the change\? \[yes\/no\]: no\n$/,
    )
  })
})
