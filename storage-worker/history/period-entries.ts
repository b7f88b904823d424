import {
  BlockFinder,
  ByteReader,
  computeAddress,
  computeEndorsementHash,
  concatBytes,
  distinctIds,
  findTarget,
  ID_BYTES,
  MAX_BLOCK_OPERATIONS,
  type Period,
  PUBLIC_KEY_BYTES,
  readBlockHead,
  readOperationContent,
  toHex,
} from '../../core/index.ts'
import type { LevelOperation } from '../guarded-level.ts'
import { encodeDirectory, encodeEntry } from './block-directory.ts'
import { addressKey, type OperationRole, periodKey, placeKey, ROLES, type Role } from './history-keys.ts'

const MAX_ENTRY_BYTES = 32 * 1024 * 1024

/** One period, as it is archived. */
export interface IndexedPeriod {
  readonly period: Period
  /** Verified before: nothing of it is checked here. */
  readonly body: Uint8Array
  /** In the call stacks of events, by thread. */
  readonly eventAddresses: ReadonlyMap<number, readonly Uint8Array[]>
}

/**
 * All entries of a period, some at a time: between them who writes them may let others work.
 *
 * The directory comes last: with it the period is indexed.
 */
export function* listPeriodEntries({ period, body, eventAddresses }: IndexedPeriod): Generator<LevelOperation> {
  const finder = new BlockFinder()
  finder.pass(body, true)
  const deeds = new AddressDeeds()
  for (let thread = 0; thread < 32; thread++) {
    const place = finder.placeOf(thread)
    if (!place) continue
    const block = { period, thread, value: encodeEntry({ thread, ...place }) }
    yield* listBlockEntries(new ByteReader(body.subarray(place.start, place.end)), block, deeds)
  }
  for (const [thread, addresses] of eventAddresses) {
    for (const address of addresses) deeds.note(address, 'event', thread)
  }
  for (const { address, role, value } of deeds.list()) {
    yield { type: 'put', key: addressKey(address, role, period), value }
  }
  yield { type: 'put', key: periodKey(period), value: encodeDirectory(finder) }
}

function* listBlockEntries(
  reader: ByteReader,
  { value, ...slot }: { readonly period: Period; readonly thread: number; readonly value: Uint8Array },
  deeds: AddressDeeds,
): Generator<LevelOperation> {
  const { thread } = slot
  const put = (key: Uint8Array): LevelOperation => ({ type: 'put', key, value })
  const { id, publicKey, header, operationIds } = readBlockHead(reader)
  yield put(placeKey('blocks', id, { ...slot, index: 0 }))
  deeds.noteKey(publicKey, 'producer', thread)
  const endorsedBlock = header.parents[thread]
  for (const endorsement of endorsedBlock ? header.endorsements : []) {
    const { index } = endorsement
    deeds.noteKey(endorsement.publicKey, 'endorser', thread)
    const hash = computeEndorsementHash(endorsement.publicKey, {
      slot: header.slot,
      index,
      endorsedBlock: endorsedBlock as Uint8Array,
    })
    yield put(placeKey('endorsements', concatBytes(Uint8Array.of(0), hash), { ...slot, index }))
  }
  const ids = distinctIds(operationIds)
  const count = reader.varintNumber(MAX_BLOCK_OPERATIONS)
  for (let index = 0; index < count; index++) {
    reader.u8()
    const entry = reader.nested(reader.sized(MAX_ENTRY_BYTES))
    yield put(placeKey('operations', ids[index] ?? new Uint8Array(ID_BYTES), { ...slot, index }))
    deeds.noteOperation(entry.raw(PUBLIC_KEY_BYTES), 'creator', thread, index)
    const target = findTarget(readOperationContent(entry))
    if (target) deeds.noteOperationOf(target, 'target', thread, index)
  }
}

/** What addresses did in one period. */
class AddressDeeds {
  /** Addresses of public keys, by their hex: one key signs much. */
  private readonly addresses = new Map<string, Uint8Array>()
  private readonly bitmaps = new Map<string, { address: Uint8Array; role: Role; threads: number }>()
  private readonly operations = new Map<string, { address: Uint8Array; role: OperationRole; places: number[] }>()

  noteKey(publicKey: Uint8Array, role: Role, thread: number): void {
    this.note(this.addressOf(publicKey), role, thread)
  }

  note(address: Uint8Array, role: Role, thread: number): void {
    const name = `${ROLES.indexOf(role)}${toHex(address)}`
    const deed = this.bitmaps.get(name) ?? { address, role, threads: 0 }
    deed.threads = (deed.threads | (1 << thread)) >>> 0
    this.bitmaps.set(name, deed)
  }

  noteOperation(publicKey: Uint8Array, role: OperationRole, thread: number, index: number): void {
    this.noteOperationOf(this.addressOf(publicKey), role, thread, index)
  }

  noteOperationOf(address: Uint8Array, role: OperationRole, thread: number, index: number): void {
    const name = `${ROLES.indexOf(role)}${toHex(address)}`
    const deed = this.operations.get(name) ?? { address, role, places: [] }
    deed.places.push(thread, index >>> 8, index & 0xff)
    this.operations.set(name, deed)
  }

  *list(): Generator<{ address: Uint8Array; role: Role; value: Uint8Array }> {
    for (const { address, role, places } of this.operations.values()) {
      yield { address, role, value: Uint8Array.from(places) }
    }
    for (const { address, role, threads } of this.bitmaps.values()) {
      const value = new Uint8Array(4)
      new DataView(value.buffer).setUint32(0, threads)
      yield { address, role, value }
    }
  }

  private addressOf(publicKey: Uint8Array): Uint8Array {
    const name = toHex(publicKey)
    const known = this.addresses.get(name)
    if (known) return known
    const address = computeAddress(publicKey)
    this.addresses.set(name, address)
    return address
  }
}
