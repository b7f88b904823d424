import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type GetChunkOptions, getChunk } from '../../cli/commands/get-chunk.ts'
import { exitCodeOf } from '../../cli/exit-codes.ts'
import { resolveChunk } from '../../cli/find-chunks.ts'
import { ArchiveError, CHUNK_SIZE_BYTES, type ErrorCode, isArchiveError, toHex } from '../../core/index.ts'
import { call, NETWORK } from '../core/reading/made-history.ts'
import { toArchived } from '../storage-worker/history/archived-period.ts'
import { openTestStore } from '../storage-worker/temp-store.ts'
import { GatewayPlace } from './gateway-place.ts'

describe('cli/get-chunk', () => {
  const place = new GatewayPlace({ 3: { 1: [call(1, 5)] } }, 4)
  const { manifest, chunks } = place.periods[3] ?? assert.fail('no period')
  const chunk = chunks[0] ?? assert.fail('no chunk')
  const id = toHex(manifest.chunks[0]?.chunkId ?? new Uint8Array())
  const servers: Server[] = []
  let from: string
  before(async () => {
    await place.open()
    from = await place.listen()
  })
  after(async () => {
    await place.close()
    for (const server of servers) server.close()
  })

  async function get(options: GetChunkOptions, asked = id) {
    const { context, printed } = place.command()
    const code = await getChunk(context, asked, options, new AbortController().signal)
    return { code, answer: JSON.parse(printed.stdout === '' ? '{}' : printed.stdout) as Record<string, unknown> }
  }
  const refuses =
    (code: ErrorCode, exitCode: number) =>
    (error: unknown): boolean =>
      isArchiveError(error, code) && exitCodeOf(error) === exitCode

  it('writes the bytes of a chunk that its id binds, and says how it was verified', async () => {
    const { code, answer } = await get({ from, out: 'some.chunk' })
    assert.deepEqual([code, answer.chunkId, answer.bytes], [0, id, chunk.length])
    assert.deepEqual((answer.verified as { checks: { name: string }[] }).checks[0]?.name, 'chunk-id')
    const path = join(place.dataDir, 'some.chunk')
    assert.equal(answer.file, path)
    assert.deepEqual(new Uint8Array(await readFile(path)), chunk)
    // Nothing is written over.
    await assert.rejects(get({ from, out: 'some.chunk' }), refuses('STORE_FILE_EXISTS', 2))
  })

  it('takes the beginning of an id of the own archive', async () => {
    const store = await openTestStore(place.dataDir, { identity: { network: NETWORK, chunkSizeBytes: 4096 } })
    for (const period of place.periods.slice(3)) await store.chunks.writePeriod(toArchived(period))
    await store.close()
    const { code, answer } = await get({ from }, id.slice(0, 6))
    assert.deepEqual([code, answer.chunkId, answer.bytes], [0, id, chunk.length])
    const unknown = id.startsWith('000000') ? '111111' : '000000'
    await assert.rejects(get({ from }, unknown), (error) => {
      return refuses('CLI_NOT_FOUND', 4)(error) && /in this archive no chunk begins with/.test((error as Error).message)
    })
    const { context } = place.command()
    const { signal } = new AbortController()
    await assert.rejects(resolveChunk(context, '', signal), refuses('CLI_USAGE', 2))
  })

  for (const [what, lie, code] of [
    ['another chunk', place.periods[4]?.chunks[0], 'CORE_READING_CHUNK_INVALID'],
    ['one with a byte changed', chunk.map((byte, i) => (i === 7 ? byte ^ 1 : byte)), 'CORE_READING_CHUNK_INVALID'],
    ['one cut short', chunk.subarray(1), 'CORE_READING_CHUNK_INVALID'],
    ['no bytes at all', new Uint8Array(), 'CORE_READING_CHUNK_INVALID'],
    ['more than a chunk ever has', new Uint8Array(CHUNK_SIZE_BYTES + 1), 'CORE_READING_TOO_LARGE'],
  ] as const) {
    it(`lying gateway: ${what} is refused, and not written`, async () => {
      const lying = await place.listen({ chunk: async () => lie })
      await assert.rejects(get({ from: lying, out: 'lie.chunk' }), refuses(code, 5))
      await assert.rejects(readFile(join(place.dataDir, 'lie.chunk')))
    })
  }

  it('lying gateway: of an answer without end no more is read than of a chunk', async () => {
    let sent = 0
    const server = createServer((_, response) => {
      const piece = Buffer.alloc(65_536)
      const send = (): void => {
        while (!response.destroyed && sent < 1e9) {
          sent += piece.length
          if (!response.write(piece)) return
        }
      }
      response.on('drain', send)
      send()
    })
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    await assert.rejects(get({ from: `http://127.0.0.1:${port}` }), refuses('CORE_READING_TOO_LARGE', 5))
    // What is on its way in sockets is of the system.
    assert(sent < 64 * CHUNK_SIZE_BYTES, `${sent} bytes`)
  })

  it('error: the archive has it not, or knows it and cannot give it', async () => {
    await assert.rejects(get({ from }, '0'.repeat(64)), refuses('CLI_NOT_FOUND', 4))
    const away = await place.listen({
      chunk: async () => {
        throw new ArchiveError('STORE_CHUNK_AWAY', 'asked 2: a lacks it, b did not answer')
      },
    })
    await assert.rejects(get({ from: away }), (error) => {
      return refuses('STORE_CHUNK_AWAY', 4)(error) && /a lacks it, b did not answer/.test((error as Error).message)
    })
  })

  it('has the own sidecar fetch what it does not hold, when asked to', async () => {
    const stop = await place.startSidecar({
      ...{ version: () => 0, fetching: place.answers, chunk: async () => undefined },
    } as unknown as typeof place.answers)
    await assert.rejects(get({}), refuses('CLI_NOT_FOUND', 4))
    const { code, answer } = await get({ fetch: true })
    assert.deepEqual([code, answer.bytes], [0, chunk.length])
    await stop()
  })
})
