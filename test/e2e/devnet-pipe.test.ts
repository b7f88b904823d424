import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCli } from './run-cli.ts'

describe('e2e/devnet-pipe', function () {
  this.timeout(60_000)
  let dir: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-pipe-'))
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  it('`devnet up | head -2` ends as by a signal, and leaves no folder with a password', async () => {
    const network = startCli(['devnet', 'up', '-n', '1', '--auto-ports', '--node-option=--endorsements 1'], {
      cwd: dir,
      env: { TMPDIR: dir },
    })
    await network.waitFor('] node ')
    const [folder = ''] = readdirSync(dir)
    assert.match(folder, /^massa-devnet-/)
    network.child.stdout?.destroy()
    const { code, stderr } = await network.ended
    assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
    assert.deepEqual(readdirSync(dir), [])
  })
})
