import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { type FastifyInstance, fastify } from 'fastify'
import { addExplorerPage } from '../../api/explorer.ts'

const PAGE = '<!doctype html><title>page</title>'

describe('api/explorer', () => {
  let folder: string
  let server: FastifyInstance

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-explorer-'))
    mkdirSync(join(folder, 'dist'))
    writeFileSync(join(folder, 'secret.txt'), 'secret')
    for (const name of ['app.js', 'style.css', 'icon.svg']) writeFileSync(join(folder, 'dist', name), name)
    writeFileSync(join(folder, 'dist', 'index.html'), PAGE)
    server = fastify()
    addExplorerPage(server, join(folder, 'dist'))
    await server.listen({ host: '127.0.0.1', port: 0 })
  })
  after(async () => {
    await server.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('gives the page, which may ask nobody else', async () => {
    const { statusCode, headers, body } = await server.inject('/')
    assert.deepEqual([statusCode, body], [200, PAGE])
    assert.equal(headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(headers['content-security-policy']), /^default-src 'self';/)
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal((await server.inject('/explorer/app.js')).headers['content-type'], 'text/javascript; charset=utf-8')
  })

  it('gives it compressed to who takes that', async () => {
    const zipped = await server.inject({ url: '/', headers: { 'accept-encoding': 'br, gzip' } })
    assert.equal(zipped.headers['content-encoding'], 'gzip')
    assert.equal(gunzipSync(zipped.rawPayload).toString(), PAGE)
    for (const encoding of ['br', 'gzip;q=0', 'identity']) {
      const plain = await server.inject({ url: '/', headers: { 'accept-encoding': encoding } })
      assert.equal(plain.headers['content-encoding'], undefined, encoding)
    }
  })

  it('says that nothing changed to who has it', async () => {
    for (const encoding of ['gzip', 'identity']) {
      const { headers } = await server.inject({ url: '/', headers: { 'accept-encoding': encoding } })
      const again = { 'accept-encoding': encoding, 'if-none-match': String(headers.etag) }
      const second = await server.inject({ url: '/', headers: again })
      assert.deepEqual([second.statusCode, second.body], [304, ''])
      assert.equal((await server.inject({ url: '/', headers: { ...again, 'if-none-match': '"x"' } })).statusCode, 200)
    }
    assert.equal((await server.inject({ method: 'HEAD', url: '/' })).statusCode, 200)
  })

  for (const path of [
    '/explorer/',
    '/explorer/../secret.txt',
    '/explorer/%2e%2e/secret.txt',
    '/explorer/..%2fsecret.txt',
    '/explorer/..\\secret.txt',
    '//explorer/app.js',
    '/explorer/app.js/',
    '/explorer/app.js%00.css',
    '/index.html',
    '/secret.txt',
  ]) {
    it(`error: has nothing at ${path}`, async () => {
      assert.equal(await askAsIs(path), 404)
    })
  }

  it('error: says what makes the page where it was not built', async () => {
    const { statusCode, body } = await server.inject('/explorer/verify-worker.js')
    assert.equal(statusCode, 404)
    assert.match(body, /npm run build/)
    writeFileSync(join(folder, 'dist', 'verify-worker.js'), 'worker')
    assert.equal((await server.inject('/explorer/verify-worker.js')).body, 'worker')
  })

  /** No client tidies the path. */
  function askAsIs(path: string): Promise<number | undefined> {
    const { port } = server.server.address() as { port: number }
    return new Promise((resolve, reject) => {
      const asked = request({ host: '127.0.0.1', port, path }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
      asked.once('error', reject).end()
    })
  }
})
