import assert from 'node:assert/strict'
import { ArchiveError } from '../../core/index.ts'
import { AnswerRoom } from '../../protocol-handler/answer-room.ts'
import type { FramedStream } from '../../protocol-handler/framed-stream.ts'
import { auditRequestCodec, auditResponseCodec } from '../../protocol-handler/index.ts'
import { PeerLimits } from '../../protocol-handler/peer-limits.ts'
import { type ServeModules, serveStream, USUAL_PATIENCE } from '../../protocol-handler/serve-stream.ts'
import type { Priority, WorkQueue } from '../../protocol-handler/work-queue.ts'
import { SetClock } from '../devnet/set-clock.ts'
import { CHUNK_ID, echoAudits } from './open-peer.ts'

describe('protocol-handler/serve-stream', () => {
  let asked: [string, Priority][]
  beforeEach(() => {
    asked = []
  })

  /** One request of a peer, on a stream that takes all answers. */
  async function serveOne(
    peer: string,
    priority: Priority,
    options: Partial<ServeModules> = {},
    service = echoAudits(),
  ): Promise<Uint8Array[]> {
    const requests = [auditRequestCodec.encode({ chunkId: CHUNK_ID, leafIndex: 7 })]
    const written: Uint8Array[] = []
    const frames = {
      read: async () => requests.shift(),
      write: async (bytes: Uint8Array) => void written.push(bytes),
      close: async () => {},
      abort: (error: unknown) => assert.fail(String(error)),
    } as unknown as FramedStream
    const queue = {
      add: async <T>(as: Priority, work: () => Promise<T>, of: string): Promise<T> => {
        asked.push([of, as])
        return await work()
      },
    } as unknown as WorkQueue
    await serveStream({ ...service, priorityOf: () => priority }, frames, peer, {
      limits: new PeerLimits({ requestsPerSecond: 10, bytesPerSecond: 1e6, openStreams: 32 }, new SetClock()),
      queue,
      patience: USUAL_PATIENCE,
      room: new AnswerRoom({ totalBytes: 4_000_000, peerBytes: 2_000_000 }),
      onOffence: () => assert.fail('an offence'),
      onFailure: (error) => assert.fail(String(error)),
      ...options,
    })
    return written
  }

  it('what strangers ask for is read for them behind all others, and what is not urgent for anybody stays so', async () => {
    const isStranger = (peer: string): boolean => peer === 'stranger'
    for (const peer of ['node', 'stranger']) {
      for (const priority of ['challenge', 'repair', 'read', 'backfill'] as const) {
        assert.equal((await serveOne(peer, priority, { isStranger })).length, 1)
      }
    }
    assert.deepEqual(asked, [
      ['node', 'challenge'],
      ['node', 'repair'],
      ['node', 'read'],
      ['node', 'backfill'],
      ['stranger', 'read'],
      ['stranger', 'read'],
      ['stranger', 'read'],
      ['stranger', 'backfill'],
    ])
  })

  it('what is sent costs the peer: it waits until that is paid, and others do not', async () => {
    // Five seconds of it at once; an answer has some 1,400 bytes.
    const limits = new PeerLimits({ requestsPerSecond: 10, bytesPerSecond: 200, openStreams: 32 }, new SetClock())
    const statusOf = async (peer: string) => {
      const [frame = new Uint8Array()] = await serveOne(peer, 'repair', { limits })
      return auditResponseCodec.decode(frame).status
    }
    assert.deepEqual([await statusOf('asker'), await statusOf('asker'), await statusOf('other')], ['ok', 'busy', 'ok'])
  })

  it('what is read for an answer costs the peer as what is sent: it waits until that is paid', async () => {
    const clock = new SetClock()
    const share = { requestsPerSecond: 10, bytesPerSecond: 1_000_000, openStreams: 32 }
    const limits = new PeerLimits(share, clock)
    const service = echoAudits()
    const answer: typeof service.answer = async (request, peer, onRead) => {
      onRead?.(6_000_000)
      return await service.answer(request, peer)
    }
    const statusOf = async (peer: string) => {
      const [frame = new Uint8Array()] = await serveOne(peer, 'repair', { limits }, { ...service, answer })
      return auditResponseCodec.decode(frame).status
    }
    assert.deepEqual(
      [await statusOf('reader'), await statusOf('reader'), await statusOf('other')],
      ['ok', 'busy', 'ok'],
    )
    clock.timeMs += 1_100
    assert.equal(await statusOf('reader'), 'ok')
  })

  it('hostile peer: an answer for which something damaged was read costs the peer a chunk, however often it asks', async () => {
    const limits = new PeerLimits({ requestsPerSecond: 10, bytesPerSecond: 200_000, openStreams: 32 }, new SetClock())
    const damaged = new ArchiveError('STORE_VALUE_CORRUPT', 'injected', { period: 1, index: 0 })
    const failures: unknown[] = []
    const onFailure = (error: unknown): void => void failures.push(error)
    const service = { ...echoAudits(), answer: () => Promise.reject(damaged) }
    for (let i = 0; i < 3; i++) await serveOne('reader', 'repair', { limits, onFailure }, service)
    assert.deepEqual(failures, [damaged])
  })

  it('what cannot wait for its turn any more costs nothing', async () => {
    const limits = new PeerLimits({ requestsPerSecond: 10, bytesPerSecond: 200_000, openStreams: 32 }, new SetClock())
    const full = new ArchiveError('PROTOCOL_QUEUE_FULL', 'injected')
    const queue = { add: () => Promise.reject(full) } as unknown as WorkQueue
    for (let i = 0; i < 3; i++) await serveOne('asker', 'repair', { limits, queue })
    const [frame = new Uint8Array()] = await serveOne('asker', 'repair', { limits })
    assert.equal(auditResponseCodec.decode(frame).status, 'ok')
  })

  it('without a registry nobody is a stranger', async () => {
    await serveOne('anybody', 'challenge')
    assert.deepEqual(asked, [['anybody', 'challenge']])
  })
})
