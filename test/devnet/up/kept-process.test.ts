import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeptProcess } from '../../../devnet/up/kept-process.ts'
import { SetClock } from '../set-clock.ts'

describe('devnet/up/kept-process', function () {
  this.timeout(20_000)
  let dir: string
  let kept: KeptProcess

  /** `massa-storage`, with Node told to run something else in its place. */
  function make(script: string, args: () => readonly string[] | Promise<readonly string[]> = () => []): KeptProcess {
    return new KeptProcess(
      { name: 'some', args, cwd: dir, log: join(dir, 'log'), stopLimitMs: 5_000 },
      { program: { nodeArguments: ['--eval', script, '--'], env: process.env }, clock: new SetClock() },
    )
  }

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise((resolve) => setImmediate(resolve))
  }

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-kept-'))
  })

  afterEach(async () => {
    await kept.stop()
    rmSync(dir, { recursive: true, force: true })
  })

  it('starts a process again that ends, and says how it ended', async () => {
    kept = make('process.exit(7)')
    kept.start()
    await until(() => kept.restarts >= 2)
    assert.equal(kept.lastEnd, 'exit code 7')
  })

  it('asks for arguments at each start, again when there are none to be had, and says why', async () => {
    let asked = 0
    kept = make('console.log(process.argv.at(-1)); process.exit(7)', async () => {
      asked++
      if (asked === 1) throw new Error('a port is in use')
      return [`start ${asked}`]
    })
    kept.start()
    await until(() => kept.restarts === 1)
    assert.equal(kept.lastEnd, 'a port is in use')
    await until(() => readLog().includes('start 3'))
    assert.doesNotMatch(readLog(), /start 1/)
  })

  it('starts a process again that is killed', async () => {
    kept = make('setInterval(() => {}, 1000)')
    kept.start()
    await until(() => kept.state === 'running')
    const first = kept.pid
    kept.kill()
    await until(() => kept.restarts === 1 && kept.pid !== undefined && kept.pid !== first)
    assert.equal(kept.lastEnd, 'SIGKILL')
  })

  it('runs the file that it is told in place of `massa-storage`, with the same arguments, at each start', async () => {
    const file = join(dir, 'other.mjs')
    writeFileSync(file, "console.log('other', ...process.argv.slice(2)); process.exit(7)")
    kept = new KeptProcess(
      { name: 'some', args: () => ['start', '--quiet'], cwd: dir, log: join(dir, 'log'), stopLimitMs: 5_000 },
      { program: { nodeArguments: [], env: process.env, file }, clock: new SetClock() },
    )
    kept.start()
    await until(() => readLog().split('other start --quiet\n').length > 2)
  })

  it('leaves a process dead that is killed for now, until it is revived', async () => {
    kept = make('setInterval(() => {}, 1000)')
    kept.start()
    await until(() => kept.state === 'running')
    const first = kept.pid
    assert.equal(kept.revive(), false)
    assert.equal(kept.killForNow(), true)
    await until(() => kept.state === 'dead')
    // Its clock passes time as fast as it can: who waited to be started again would run by now.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual([kept.state, kept.pid, kept.restarts, kept.lastEnd], ['dead', undefined, 1, 'SIGKILL'])
    assert.deepEqual([kept.kill(), kept.killForNow(), kept.pause(), kept.resume()], [false, false, false, false])
    assert.equal(kept.revive(), true)
    await until(() => kept.state === 'running')
    assert.notEqual(kept.pid, first)
    assert.equal(kept.revive(), false)
  })

  it('stops one that is dead', async () => {
    kept = make('setInterval(() => {}, 1000)')
    kept.start()
    await until(() => kept.state === 'running')
    kept.killForNow()
    await until(() => kept.state === 'dead')
    await kept.stop()
    assert.equal(kept.state, 'stopped')
  })

  it('keeps what it prints, and starts nothing any more once it is stopped', async () => {
    kept = make("console.log('hello'); setInterval(() => {}, 1000)")
    kept.start()
    await until(() => kept.pid !== undefined && readLog().includes('hello'))
    await kept.stop()
    assert.equal(kept.state, 'stopped')
    assert.equal(kept.pid, undefined)
    assert.equal(kept.restarts, 0)
  })

  it('says when there is nothing to signal', async () => {
    kept = make('setInterval(() => {}, 1000)')
    assert.deepEqual([kept.kill(), kept.pause(), kept.resume()], [false, false, false])
    kept.start()
    await until(() => kept.state === 'running')
    assert.deepEqual([kept.pause(), kept.resume(), kept.kill()], [true, true, true])
  })

  it('stops one that stands still', async () => {
    kept = make('setInterval(() => {}, 1000)')
    kept.start()
    await until(() => kept.state === 'running')
    kept.pause()
    assert.equal(kept.state, 'paused')
    await kept.stop()
    assert.equal(kept.pid, undefined)
  })

  function readLog(): string {
    try {
      return readFileSync(join(dir, 'log'), 'utf8')
    } catch {
      return ''
    }
  }
})
