import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

const { href } = new URL('../../explorer/ask-archive.ts', import.meta.url)
const { openArchive, RefusedByArchive } = (await import(href)) as typeof import('../../explorer/ask-archive.ts')

const MIB = 1024 * 1024

describe('explorer/ask-archive', () => {
  let server: Server
  let base: URL
  const asked: string[] = []
  before(async () => {
    server = createServer(({ url = '' }, response) => {
      asked.push(url)
      if (url === '/below/moved') response.writeHead(302, { location: '/elsewhere' }).end()
      else response.writeHead(url === '/below/none' ? 404 : 200).end('{"code":"C","detail":"D"}')
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/below/`)
  })
  after(() => {
    server.closeAllConnections()
    server.close()
  })

  it('asks below where the page stands', async () => {
    const { json, bytes } = await openArchive(base).ask('v1/archive')
    assert.deepEqual(json, { code: 'C', detail: 'D' })
    assert.equal(bytes, 25)
    assert.equal(asked.at(-1), '/below/v1/archive')
  })

  it('says what an archive has not', async () => {
    await assert.rejects(
      () => openArchive(base).ask('none'),
      (error) => error instanceof RefusedByArchive && error.isAbsent && error.code === 'C' && error.message === 'D',
    )
  })

  it('hostile: is not led elsewhere', async () => {
    await assert.rejects(() => openArchive(base).ask('moved'), RefusedByArchive)
    await assert.rejects(() => openArchive(base).askForBytes('moved'), RefusedByArchive)
    assert(!asked.includes('/elsewhere'))
  })

  describe('answers that are long', () => {
    const { fetch } = globalThis
    afterEach(() => {
      globalThis.fetch = fetch
    })

    /** An archive that answers parts of 1 MiB and then this one, or without end. @returns how many were taken */
    async function read(parts: number, last: Uint8Array | undefined): Promise<{ taken: number; length: number }> {
      const part = new Uint8Array(MIB)
      let taken = 0
      const body = new ReadableStream({
        pull(controller) {
          if (taken++ < parts) return controller.enqueue(part)
          if (last) controller.enqueue(last)
          controller.close()
        },
      })
      globalThis.fetch = async () => new Response(body)
      const length = await openArchive(base)
        .askForBytes('long')
        .then(
          (bytes) => bytes.length,
          (error) => (/longer than any honest one/.test(String(error)) ? -1 : assert.fail(String(error))),
        )
      return { taken, length }
    }

    it('limit: takes 64 MiB, and not one byte more', async () => {
      assert.equal((await read(64, undefined)).length, 64 * MIB)
      assert.equal((await read(64, Uint8Array.of(1))).length, -1)
    })

    it('hostile: leaves off one that does not end', async () => {
      const { taken, length } = await read(1000, undefined)
      assert.equal(length, -1)
      // One or two more were on the way.
      assert(taken <= 67, `${taken} MiB`)
    })
  })
})
