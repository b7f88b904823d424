import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DATA_DIR_HEADER } from '../../api/data-dir-header.ts'
import { findAnswering, findSidecar } from '../../cli/find-sidecar.ts'
import { isArchiveError } from '../../core/index.ts'
import { listDataDirNames } from '../../storage-worker/index.ts'

const NOBODY = 65_534

describe('cli/find-sidecar', () => {
  let dir = ''
  let server: Server
  let bind = ''
  /** What the server has open. */
  let open = ''
  /** Its names, where this process may not look. */
  let names: ReadonlySet<string> | undefined

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-find-'))
    server = createServer(async ({ headers }, response) => {
      const name = String(headers[DATA_DIR_HEADER])
      if ((names ?? (await listDataDirNames(open))).has(name)) response.setHeader(DATA_DIR_HEADER, name)
      response.end('{}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    bind = `127.0.0.1:${(server.address() as { port: number }).port}`
  })
  beforeEach(() => {
    open = dir
    rmSync(join(dir, 'daemon.json'), { force: true })
  })
  after(() => {
    server.close()
    rmSync(dir, { recursive: true })
  })

  const at = (apiBind: string) => ({ dataDir: dir, api: { bind: apiBind } })

  /** As somebody who may not enter the folder: root is another user meanwhile, others lock themselves out. */
  async function locked<T>(act: () => Promise<T>): Promise<T> {
    const isRoot = process.geteuid?.() === 0
    chmodSync(dir, isRoot ? 0o700 : 0o000)
    if (isRoot) process.seteuid?.(NOBODY)
    try {
      return await act()
    } finally {
      if (isRoot) process.seteuid?.(0)
      chmodSync(dir, 0o700)
    }
  }

  it('knows the address from daemon.json alone', async () => {
    await assert.rejects(findSidecar(at(bind)), (error) => isArchiveError(error, 'CLI_SIDECAR_UNREACHABLE'))
    writeFileSync(join(dir, 'daemon.json'), JSON.stringify({ pid: 1, apiUrl: 'http://127.0.0.1:5' }))
    assert.deepEqual(await findSidecar(at(bind)), { url: 'http://127.0.0.1:5', dataDir: dir })
  })

  it('asks at api.bind where the folder, or the one around it, may not be entered', async () => {
    const found = { url: `http://${bind}`, dataDir: dir }
    assert.deepEqual(await locked(() => findSidecar(at(bind))), found)
    const inner = join(dir, 'inner')
    mkdirSync(inner)
    open = inner
    const place = { ...at(bind), dataDir: inner }
    // Whoever asks may not even look at the folder: only its path is known.
    names = await listDataDirNames(inner)
    assert.deepEqual(await locked(() => findSidecar(place)), { ...found, dataDir: inner })
    names = undefined
    rmSync(inner, { recursive: true })
  })

  it('error: says that it may not look when nobody, or somebody else, answers there', async () => {
    const denied = (error: unknown) => isArchiveError(error, 'STORE_ACCESS_DENIED') && error.message.includes(dir)
    await locked(() => assert.rejects(findSidecar(at('127.0.0.1:1')), denied))
    await locked(() => assert.rejects(findSidecar(at('127.0.0.1:0')), denied))
    open = tmpdir()
    await locked(() => assert.rejects(findSidecar(at(bind)), denied))
  })

  it('finds who has a folder open by its other name, too, and not who has another', async () => {
    assert.deepEqual(await findAnswering(at(bind)), { url: `http://${bind}`, dataDir: dir })
    open = `${dir}-link`
    symlinkSync(dir, open)
    assert.deepEqual(await findAnswering(at(bind)), { url: `http://${bind}`, dataDir: dir })
    rmSync(open)
    open = tmpdir()
    assert.equal(await findAnswering(at(bind)), undefined)
    // After a crash.
    open = dir
    writeFileSync(join(dir, 'daemon.json'), JSON.stringify({ pid: 1, apiUrl: 'http://127.0.0.1:1' }))
    assert.equal(await findAnswering(at(bind)), undefined)
  })
})
