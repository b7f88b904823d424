import assert from 'node:assert/strict'
import { type ArchivedPeriod, ArchiveError, type ChunkStore, toHex } from '../../../core/index.ts'
import { chunkRequestCodec, type Offence } from '../../../protocol-handler/index.ts'
import { LevelChunkStore } from '../../../storage-worker/index.ts'
import { createChunkService } from '../../../storage-worker/peers/chunk-service.ts'
import type { Requester } from '../../../storage-worker/peers/peer-client.ts'
import { joinFrame } from '../../join-frame.ts'
import { TEST_IDENTITY } from '../synthetic-period.ts'
import { openMemoryLevel } from '../temp-store.ts'

/** A store in memory that holds these. */
export async function openMemoryStore(periods: readonly ArchivedPeriod[] = []): Promise<LevelChunkStore> {
  const [bodies, index] = [await openMemoryLevel('bodies'), await openMemoryLevel('index')]
  const store = new LevelChunkStore(TEST_IDENTITY, { bodies, index })
  await store.recover()
  for (const period of periods) await store.writePeriod(period)
  return store
}

export interface AskedFor {
  readonly peer: string
  readonly wanted: 'chunk' | 'seals'
  readonly chunkId: string
}

/** Other sidecars that serve chunks and SEALS of their stores, without a network. */
export class MadePeers implements Requester {
  readonly stores = new Map<string, ChunkStore>()
  readonly asked: AskedFor[] = []
  readonly offences: { readonly peer: string; readonly offence: Offence }[] = []
  /** Requests that wait for their answer at the moment, and most at a time. */
  readonly open = new Map<string, number>()
  readonly mostOpen = new Map<string, number>()
  /** Before an answer goes out; it may wait, throw, or answer something else. */
  beforeAnswer: (asked: AskedFor, answer: Uint8Array) => Promise<Uint8Array> | Uint8Array = (_, answer) => answer

  readonly onOffence = (peer: string, offence: Offence): void => {
    this.offences.push({ peer, offence })
  }

  /** Who was asked, each once, in order. */
  listAsked(): string[] {
    return [...new Set(this.asked.map(({ peer }) => peer))]
  }

  async request(peer: string, name: string, options: { readonly bytes: Uint8Array }): Promise<Uint8Array[]> {
    assert.equal(name, 'chunk')
    const request = chunkRequestCodec.decode(options.bytes)
    const asked: AskedFor = { peer, wanted: request.wanted, chunkId: toHex(request.chunkId) }
    this.asked.push(asked)
    const open = (this.open.get(peer) ?? 0) + 1
    this.open.set(peer, open)
    this.mostOpen.set(peer, Math.max(open, this.mostOpen.get(peer) ?? 0))
    try {
      const store = this.stores.get(peer)
      if (!store) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'injected')
      const [frame = new Uint8Array()] = await createChunkService(store).answer(request, 'asker')
      return [await this.beforeAnswer(asked, joinFrame(frame))]
    } finally {
      this.open.set(peer, (this.open.get(peer) ?? 0) - 1)
    }
  }
}
