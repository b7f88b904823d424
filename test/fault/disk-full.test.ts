import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { TempFolders } from '../storage-worker/temp-store.ts'
import { programPath } from './program-path.ts'

const WRITER = programPath('disk-full-writer')
const CHECKER = programPath('disk-full-checker')

describe('fault: the disk is full', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it('keeps everything acknowledged when the disk fills up, is freed, and the process is killed', async function () {
    this.timeout(200_000)
    const folder = await folders.make()
    // Without root a namespace of our own may mount; with neither there is no small file system to be had.
    const asRoot = process.getuid?.() === 0
    const shell = asRoot ? ['unshare', '-m', 'sh', '-c'] : ['unshare', '-rm', 'sh', '-c']
    if (run([...shell, `mount -t tmpfs -o size=1m none ${folder}`]).status !== 0) {
      console.log('      skipped: this machine lets nobody mount a tmpfs')
      this.skip()
    }
    const node = `'${process.execPath}'`
    const script = [
      `mount -t tmpfs -o size=96m none '${folder}'`,
      `${node} '${WRITER}' '${folder}/data' '${folder}/freeable'`,
      `${node} '${CHECKER}' '${folder}/data'`,
    ].join('\n')
    const { stdout, stderr } = run([...shell, script])
    const lines = stdout.split('\n')
    const all = (kind: string) => lines.filter((line) => line.startsWith(`${kind} `)).map((line) => line.slice(2))
    const failures = all('F')
    assert.ok(failures.length >= 2, stderr)
    assert.deepEqual([...new Set(failures)], ['STORE_DISK_FULL'])
    const written = all('W').map(Number)
    // Once there is room the very next write succeeds: without a reopening LevelDB keeps refusing.
    const afterRoom = lines.slice(lines.indexOf('R') + 1).filter((line) => /^[WF] /.test(line))
    assert.deepEqual([...new Set(afterRoom.map((line) => line[0]))], ['W'], stdout + stderr)
    assert.equal(afterRoom.length, 12)
    assert.deepEqual(all('X'), ['0 damages'], stderr)
    const kept = new Set(all('K').map(Number))
    assert.deepEqual(
      written.filter((period) => !kept.has(period)),
      [],
    )
  })
})

function run([command = '', ...args]: string[]) {
  return spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1e8, timeout: 150_000, killSignal: 'SIGKILL' })
}
