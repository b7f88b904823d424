import {
  ArchiveError,
  type BlockIdText,
  ByteReader,
  ByteWriter,
  isArchiveError,
  type Slot,
  type Spool,
  THREAD_COUNT,
} from '../core/index.ts'
import type { Claim } from './agreement.ts'
import { isBlockId, MAX_ID_LENGTH } from './block-id-text.ts'

/** What a mark says: nodes by the addresses they are configured by, since their order may change. */
export interface KeptConflict {
  readonly slot: Slot
  readonly claims: ReadonlyMap<string, Claim>
}

const CONFLICT_MARK = 'conflict'
const VERSION = 1
/** More nodes than the configuration takes, and longer addresses than a name of 253 letters with a port. */
const MAX_CLAIMS = 64
const MAX_URL_BYTES = 512

/**
 * The conflict of nodes that stands, on disk: a restart must not forget it, or the first node to answer would decide.
 *
 * Bytes: version u8 = 1, count u8; with a count of 0 nothing follows, else period u64, thread u8, and for each claim the
 * address and the block id, or `none`, as texts.
 */
export class ConflictMark {
  private readonly spool: Spool
  private written: Uint8Array = encodeConflict(undefined)
  private wanted = this.written
  private writing: Promise<void> | undefined

  constructor(spool: Spool) {
    this.spool = spool
  }

  /** @throws ArchiveError ARCHIVER_CONFLICT_UNREADABLE */
  async read(): Promise<KeptConflict | undefined> {
    try {
      const bytes = await this.spool.readMark(CONFLICT_MARK)
      if (!bytes) return undefined
      const conflict = decodeConflict(bytes)
      this.written = bytes
      this.wanted = bytes
      return conflict
    } catch (cause) {
      if (!isArchiveError(cause, 'ARCHIVER_CONFLICT_UNREADABLE') && !isArchiveError(cause, 'STORE_VALUE_CORRUPT')) {
        throw cause
      }
      throw new ArchiveError(
        'ARCHIVER_CONFLICT_UNREADABLE',
        `the conflict of nodes that was kept cannot be read (${cause.message}): ` +
          'start once with only the node that you trust in grpc_urls, which drops it',
        {},
        cause,
      )
    }
  }

  /** Also what cannot be read. */
  async readAny(): Promise<KeptConflict | 'unread' | undefined> {
    try {
      return await this.read()
    } catch (error) {
      if (!isArchiveError(error, 'ARCHIVER_CONFLICT_UNREADABLE')) throw error
      // Whatever it holds is replaced, also by nothing.
      this.written = new Uint8Array(0)
      return 'unread'
    }
  }

  /** Written and synced when it is not what stands on disk already; the last word wins. */
  async keep(conflict: KeptConflict | undefined): Promise<void> {
    this.wanted = encodeConflict(conflict)
    while (!isSame(this.written, this.wanted)) {
      this.writing ??= this.write().finally(() => {
        this.writing = undefined
      })
      await this.writing
    }
  }

  private async write(): Promise<void> {
    const bytes = this.wanted
    await this.spool.putMark(CONFLICT_MARK, bytes)
    await this.spool.sync()
    this.written = bytes
  }
}

function encodeConflict(conflict: KeptConflict | undefined): Uint8Array {
  const writer = new ByteWriter().u8(VERSION).u8(conflict?.claims.size ?? 0)
  if (!conflict) return writer.finish()
  writer.u64(BigInt(conflict.slot.period)).u8(conflict.slot.thread)
  // In one order: the same conflict is not written again and again.
  for (const [url, claim] of [...conflict.claims].sort(([a], [b]) => (a < b ? -1 : 1))) writer.string(url).string(claim)
  return writer.finish()
}

/** @throws ArchiveError ARCHIVER_CONFLICT_UNREADABLE */
function decodeConflict(bytes: Uint8Array): KeptConflict | undefined {
  const reader = new ByteReader(bytes, 'ARCHIVER_CONFLICT_UNREADABLE')
  const version = reader.u8()
  if (version !== VERSION) throw reader.error(`version ${version}, where ${VERSION} is known`)
  const count = reader.u8()
  if (count === 0) {
    reader.end()
    return undefined
  }
  if (count > MAX_CLAIMS) throw reader.error(`${count} claims, at most ${MAX_CLAIMS} allowed`)
  const period = reader.u64()
  const thread = reader.u8()
  if (period > BigInt(Number.MAX_SAFE_INTEGER) || thread >= THREAD_COUNT) throw reader.error('no slot')
  const claims = new Map<string, Claim>()
  for (let i = 0; i < count; i++) {
    const url = reader.string(MAX_URL_BYTES)
    const claim = reader.string(MAX_ID_LENGTH)
    if (claim !== 'none' && !isBlockId(claim)) throw reader.error('no block id')
    claims.set(url, claim as BlockIdText | 'none')
  }
  reader.end()
  if (claims.size < count || new Set(claims.values()).size < 2) throw reader.error('no conflict')
  return { slot: { period: Number(period), thread }, claims }
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
