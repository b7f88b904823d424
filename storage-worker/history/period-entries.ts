import {
  ByteReader,
  computeAddress,
  computeEndorsementHash,
  distinctIds,
  findTarget,
  ID_BYTES,
  MAX_BLOCK_OPERATIONS,
  type Period,
  PUBLIC_KEY_BYTES,
  readBlockHead,
  readOperationContent,
} from '../../core/index.ts'
import type { LevelOperation } from '../guarded-level.ts'
import { type DirectoryEntry, encodeDirectory, encodeEntry } from './block-directory.ts'
import { addressKey, type OperationRole, periodKey, placeKey, ROLES, type Role } from './history-keys.ts'

const MAX_ENTRY_BYTES = 32 * 1024 * 1024

/** One period, as it is archived. */
export interface IndexedPeriod {
  readonly period: Period
  /** Verified before: nothing of it is checked here. */
  readonly body: Uint8Array
  /** Where its blocks stand in BODY. */
  readonly blocks: ReadonlyMap<number, DirectoryEntry>
  /** In the call stacks of events, by thread. */
  readonly eventAddresses: ReadonlyMap<number, readonly Uint8Array[]>
}

/**
 * All entries of a period, some at a time: between them who writes them may let others work.
 *
 * The directory comes last: with it the period is indexed.
 */
export function* listPeriodEntries(indexed: IndexedPeriod): Generator<LevelOperation> {
  const { period, body, blocks, eventAddresses } = indexed
  const deeds = new AddressDeeds()
  for (const entry of blocks.values()) {
    const block = { period, thread: entry.thread, value: encodeEntry(entry) }
    yield* listBlockEntries(new ByteReader(body.subarray(entry.start, entry.end)), block, deeds)
  }
  for (const [thread, addresses] of eventAddresses) {
    for (const address of addresses) noteThread(deeds.of(address), 'event', thread)
  }
  for (const { address, role, value } of deeds.list()) {
    yield { type: 'put', key: addressKey(address, role, period), value }
  }
  yield { type: 'put', key: periodKey(period), value: encodeDirectory(blocks) }
}

function* listBlockEntries(
  reader: ByteReader,
  { value, ...slot }: { readonly period: Period; readonly thread: number; readonly value: Uint8Array },
  deeds: AddressDeeds,
): Generator<LevelOperation> {
  const { period, thread } = slot
  const { id, publicKey, header, operationIds } = readBlockHead(reader)
  yield { type: 'put', key: placeKey('blocks', id, { period, thread, index: 0 }), value }
  noteThread(deeds.ofKey(publicKey), 'producer', thread)
  const endorsedBlock = header.parents[thread]
  const endorsementId = new Uint8Array(ID_BYTES)
  for (const endorsement of endorsedBlock ? header.endorsements : []) {
    const { index } = endorsement
    noteThread(deeds.ofKey(endorsement.publicKey), 'endorser', thread)
    const hash = computeEndorsementHash(endorsement.publicKey, {
      slot: header.slot,
      index,
      endorsedBlock: endorsedBlock as Uint8Array,
    })
    endorsementId.set(hash, 1)
    yield { type: 'put', key: placeKey('endorsements', endorsementId, { period, thread, index }), value }
  }
  const ids = distinctIds(operationIds)
  const count = reader.varintNumber(MAX_BLOCK_OPERATIONS)
  for (let index = 0; index < count; index++) {
    reader.u8()
    const entry = reader.nested(reader.sized(MAX_ENTRY_BYTES))
    const id = ids[index] ?? new Uint8Array(ID_BYTES)
    yield { type: 'put', key: placeKey('operations', id, { period, thread, index }), value }
    deeds.ofKey(entry.raw(PUBLIC_KEY_BYTES)).creator.push(thread, index >>> 8, index & 0xff)
    const target = findTarget(readOperationContent(entry))
    if (target) deeds.of(target).target.push(thread, index >>> 8, index & 0xff)
  }
}

/** What one address did in a period: places of operations, 3 bytes each, and bitmaps of threads. */
type Deeds = { readonly address: Uint8Array } & Record<OperationRole, number[]> &
  Record<Exclude<Role, OperationRole>, number>

function noteThread(deeds: Deeds, role: Exclude<Role, OperationRole>, thread: number): void {
  deeds[role] = (deeds[role] | (1 << thread)) >>> 0
}

/** What addresses did in one period. */
class AddressDeeds {
  private readonly byAddress = new Map<string, Deeds>()
  /** One key signs much. */
  private readonly byKey = new Map<string, Deeds>()

  ofKey(publicKey: Uint8Array): Deeds {
    const name = nameOf(publicKey)
    const known = this.byKey.get(name)
    if (known) return known
    const deeds = this.of(computeAddress(publicKey))
    this.byKey.set(name, deeds)
    return deeds
  }

  of(address: Uint8Array): Deeds {
    const name = nameOf(address)
    const known = this.byAddress.get(name)
    if (known) return known
    const deeds = { address, creator: [], target: [], producer: 0, endorser: 0, event: 0 }
    this.byAddress.set(name, deeds)
    return deeds
  }

  *list(): Generator<{ address: Uint8Array; role: Role; value: Uint8Array }> {
    for (const deeds of this.byAddress.values()) {
      const { address } = deeds
      for (const role of ROLES) {
        const deed = deeds[role]
        if (typeof deed !== 'number') {
          if (deed.length > 0) yield { address, role, value: Buffer.from(deed) }
        } else if (deed !== 0) {
          const value = Buffer.allocUnsafe(4)
          value.writeUInt32BE(deed)
          yield { address, role, value }
        }
      }
    }
  }
}

/** Hex takes four times as long. */
function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}
