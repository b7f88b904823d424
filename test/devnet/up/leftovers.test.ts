import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resumeLeftovers } from '../../../devnet/up/leftovers.ts'

/** Ends when its channel closes, as what `devnet up` starts does. */
const SCRIPT = "process.on('disconnect', () => process.exit(7)); process.send('ready')"

describe('devnet/up/leftovers', function () {
  this.timeout(30_000)
  let dir: string
  let children: ChildProcess[]

  async function start(folder: string, ...args: string[]): Promise<ChildProcess> {
    const cwd = join(dir, folder)
    mkdirSync(cwd, { recursive: true })
    const child = spawn(process.execPath, ['--eval', SCRIPT, '--', ...args], {
      cwd,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true,
    })
    children.push(child)
    await once(child, 'message')
    return child
  }

  before(function () {
    // There is no /proc.
    if (process.platform !== 'linux') this.skip()
  })

  beforeEach(() => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'massa-storage-leftovers-')))
    children = []
  })

  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })

  it('lets a paused process of a killed network go on, and so end', async () => {
    const paused = await start('net/sidecar-1', 'start', '--with-parent')
    paused.kill('SIGSTOP')
    paused.disconnect()
    symlinkSync(join(dir, 'net'), join(dir, 'other-name'))
    assert.deepEqual(resumeLeftovers(join(dir, 'other-name')), [paused.pid])
    const [code] = await once(paused, 'exit')
    assert.equal(code, 7)
    assert.deepEqual(resumeLeftovers(join(dir, 'net')), [])
  })

  it('knows what is of another network, or of nobody', async () => {
    await start('net-2/sidecar-1', 'start', '--with-parent')
    await start('net', 'verify')
    assert.deepEqual(resumeLeftovers(join(dir, 'net')), [])
    assert.deepEqual(resumeLeftovers(join(dir, 'absent')), [])
  })
})
