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

  describe('with answers of any kind', () => {
    const { fetch } = globalThis
    afterEach(() => {
      globalThis.fetch = fetch
    })

    /** An archive that answers parts of 1 MiB and then this one, or without end. @returns how many were taken */
    async function read(parts: number, last?: Uint8Array): Promise<{ taken: number; length: number; isLeft: boolean }> {
      const part = new Uint8Array(MIB)
      let taken = 0
      let isLeft = false
      const body = new ReadableStream({
        pull(controller) {
          if (taken++ < parts) return controller.enqueue(part)
          if (last) controller.enqueue(last)
          controller.close()
        },
        cancel() {
          isLeft = true
        },
      })
      globalThis.fetch = async () => new Response(body)
      const length = await openArchive(base)
        .askForBytes('long')
        .then(
          (bytes) => bytes.length,
          (error) => (/longer than any honest one/.test(String(error)) ? -1 : assert.fail(String(error))),
        )
      return { taken, length, isLeft }
    }

    it('limit: takes 64 MiB, and not one byte more', async () => {
      assert.equal((await read(64)).length, 64 * MIB)
      assert.equal((await read(64, Uint8Array.of(1))).length, -1)
    })

    it('hostile: leaves off one that does not end', async () => {
      const { taken, length, isLeft } = await read(1000)
      assert.deepEqual([length, isLeft], [-1, true])
      // One or two more were on the way.
      assert(taken <= 67, `${taken} MiB`)
    })

    it('limit: asks 4 times an archive that is asked too much, and waits 10 s at most', async () => {
      const tries = async (retryAfter: string) => {
        let count = 0
        globalThis.fetch = async () => {
          count++
          return new Response('{"code":"C"}', { status: 503, headers: { 'retry-after': retryAfter } })
        }
        await assert.rejects(() => openArchive(base).ask('busy'), RefusedByArchive)
        return count
      }
      assert.deepEqual([await tries('0'), await tries('11'), await tries('-1'), await tries('soon')], [4, 1, 1, 1])
    })
  })
})
