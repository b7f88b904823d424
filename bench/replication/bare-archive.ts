import { randomBytes } from 'node:crypto'
import { computeChunkId } from '../../core/index.ts'
import type { Level } from '../../storage-worker/guarded-level.ts'
import { BODIES_OPTIONS, createClassicLevel } from '../../storage-worker/level-options.ts'
import { BareAsker, serveBare } from '../protocol-handler/bare-peers.ts'

/** Values that it has, one after the other. */
const VALUES = 64
/** Two for each of four streams, as a sidecar asks one peer. */
const REQUESTS = 8

/** Bare libp2p over bare classic-level: what moving chunks from disk to disk takes without us. */
export class BareArchive {
  readonly address: string
  private readonly level: Level
  private readonly server: { stop(): Promise<void> }
  private askers: readonly BareAsker[] = []
  private pulls = 0

  private constructor(level: Level, server: { readonly address: string; stop(): Promise<void> }) {
    this.address = server.address
    this.level = level
    this.server = server
  }

  static async open(folder: string): Promise<BareArchive> {
    const level = createClassicLevel(folder, BODIES_OPTIONS)
    await level.open()
    const read = async (i: number) => (await level.get(Uint8Array.of(0, i % VALUES))) ?? new Uint8Array()
    return new BareArchive(level, await serveBare(read))
  }

  /** What it serves: values of this length. */
  async prepare(chunkBytes: number): Promise<void> {
    for (let i = 0; i < VALUES; i++) await this.level.put(Uint8Array.of(0, i), randomBytes(chunkBytes))
  }

  async connect(addresses: readonly string[]): Promise<void> {
    this.askers = await Promise.all(addresses.map((address) => BareAsker.connect(address)))
  }

  /** Pull, leaf tree and synced put of so many values. */
  async pull(chunks: number, chunkBytes: number): Promise<void> {
    let next = 0
    this.pulls++
    const work = async (asker: BareAsker): Promise<void> => {
      while (next < chunks) {
        const key = Buffer.from(`\x01${this.pulls} ${next++}`)
        const chunk = await asker.ask()
        if (chunk.length !== chunkBytes) throw new Error(`${chunk.length} bytes came`)
        computeChunkId(chunk)
        await this.level.put(key, chunk, { sync: true } as object)
      }
    }
    await Promise.all(this.askers.flatMap((asker) => Array.from({ length: REQUESTS }, () => work(asker))))
  }

  async stop(): Promise<void> {
    await Promise.all([this.server.stop(), ...this.askers.map((asker) => asker.stop())])
    await this.level.close()
  }
}
