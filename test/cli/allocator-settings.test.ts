import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALLOCATOR_SETTINGS, HEAP_SETTINGS } from '../../cli/allocator-settings.ts'
import { findPackageRoot } from '../../config/index.ts'

const read = (path: string): string => readFileSync(join(findPackageRoot(), path), 'utf8')

describe('cli/allocator-settings', () => {
  it('are those of the first line of the command, by either name', () => {
    const settings = Object.entries(ALLOCATOR_SETTINGS).map(([name, value]) => `${name}=${value}`)
    for (const file of ['bin/massa-storage.js', 'bin/massa-cli.js']) {
      const [first] = read(file).split('\n')
      assert.equal(first, `#!/usr/bin/env -S ${settings.join(' ')} node ${HEAP_SETTINGS.join(' ')}`)
    }
  })

  it('reach the service through that line: systemd starts the command and not node', () => {
    const [, start] = /^ExecStart=(\S+) /m.exec(read('ops/systemd/massa-storage.service')) ?? []
    assert.match(start ?? '', /\/massa-storage$/)
  })
})
