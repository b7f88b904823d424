import assert from 'node:assert/strict'
import { type StartOptions, start } from '../../cli/commands/start.ts'
import type { Context } from '../../cli/context.ts'
import { isArchiveError } from '../../core/index.ts'

describe('cli/commands/start', () => {
  it('error: options of --auto-deploy are refused without it, before anything is read', async () => {
    const load = (): never => assert.fail('nothing is read')
    const context = { load } as unknown as Context
    const cases: readonly (readonly [string, StartOptions])[] = [
      ['--params', { params: 'registry.toml' }],
      ['--yes', { yes: true }],
    ]
    for (const [option, options] of cases) {
      await assert.rejects(start(context, options, new AbortController().signal), (error) => {
        assert(isArchiveError(error, 'CLI_USAGE'))
        return error.message.startsWith(`${option} goes with --auto-deploy`)
      })
    }
  })
})
