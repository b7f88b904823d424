import assert from 'node:assert/strict'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isHolderRunning, readDaemonInfo, writeDaemonInfo } from '../../storage-worker/daemon-info.ts'
import { TempFolders } from './temp-store.ts'

/** No system has so many. */
const NO_PID = 2 ** 22 + 1
const NOBODY = 65_534

describe('storage-worker/daemon-info', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it('a process of another user runs, one that ended does not', () => {
    assert.equal(isHolderRunning({ pid: process.pid }), true)
    assert.equal(isHolderRunning({ pid: NO_PID }), false)
    const isRoot = process.geteuid?.() === 0
    if (isRoot) process.seteuid?.(NOBODY)
    try {
      assert.equal(isHolderRunning({ pid: 1 }), true)
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  it('a process that has the number of one that ended is another', async function () {
    if (!existsSync('/proc/self/stat')) this.skip()
    const dataDir = await folders.make()
    await writeDaemonInfo(dataDir)
    const own = await readDaemonInfo(dataDir)
    assert(own?.startTicks)
    assert.equal(isHolderRunning(own), true)
    assert.equal(isHolderRunning({ ...own, startTicks: `${Number(own.startTicks) - 1}` }), false)
  })

  it('on a full disk the note of another process makes room for ours', async function () {
    if (!existsSync('/dev/full')) this.skip()
    const dataDir = await folders.make()
    writeFileSync(join(dataDir, 'daemon.json'), JSON.stringify({ pid: NO_PID }))
    // What is written first goes there, and the link with it.
    symlinkSync('/dev/full', join(dataDir, 'daemon.json.tmp'))
    await writeDaemonInfo(dataDir, 'http://127.0.0.1:1')
    const { pid, apiUrl } = (await readDaemonInfo(dataDir)) ?? {}
    assert.deepEqual({ pid, apiUrl }, { pid: process.pid, apiUrl: 'http://127.0.0.1:1' })
  })

  it('error: takes nothing for a note that is none', async () => {
    const dataDir = await folders.make()
    for (const text of ['', '{', 'null', '[]', '5', '{}', '{"pid":"1"}', '{"pid":0}', '{"pid":-1}', '{"pid":1.5}']) {
      writeFileSync(join(dataDir, 'daemon.json'), text)
      assert.equal(await readDaemonInfo(dataDir), undefined, text)
    }
    writeFileSync(join(dataDir, 'daemon.json'), '{"pid":1,"apiUrl":5}')
    assert.deepEqual(await readDaemonInfo(dataDir), { pid: 1 })
  })
})
