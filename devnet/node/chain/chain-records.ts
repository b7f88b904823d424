import { ByteReader, ByteWriter, RawFilledBlockCodec } from '../../../core/index.ts'
import type { StateChanges } from '../../engine/index.ts'
import type { TrackedBlock } from './chain-block.ts'
import type { StoreChange } from './chain-store.ts'
import type { TrackedOperation } from './known-operation.ts'
import { encodeJson } from './record-json.ts'
import type { RollCounts } from './roll-history.ts'
import type { Execution, PlainState } from './slot-executor.ts'

/** Keyspaces of the chain's database, by the first byte of a key. Integers in keys are big endian. */
export const SPACE = {
  /** nothing -> JSON ChainIdentity */
  identity: 1,
  /** nothing -> JSON ChainHead: written with every slot */
  head: 2,
  /** u64 slot index || u8 1 for a rival -> u8 1 and a FilledBlock message, or u8 0 and a SignedBlockHeader message */
  blocks: 3,
  /** u64 order of acceptance -> u64 slot index of the clock then || SignedOperation message */
  pool: 4,
  /** address text -> u64 nanoMAS, of the last final slot; so are the next two */
  balances: 5,
  bytecodes: 6,
  /** address text || 0 || key -> value */
  datastores: 7,
  /** nothing -> JSON FinalRecord */
  final: 8,
  /** nothing -> JSON list of deferred calls of the last final slot */
  deferredCalls: 9,
  /** operation id text -> JSON Execution, final */
  executions: 10,
  /** Retired: u64 number -> an event. A node destroys its events at every start. */
  retiredEvents: 11,
  /** nothing -> JSON Control */
  control: 12,
  /** u64 cycle -> JSON RollCounts at its end, final */
  rolls: 13,
} as const

export interface ChainIdentity {
  readonly version: number
  readonly chainId: bigint
  readonly genesisTimestampMs: number
  readonly seed: string
  /** Address and rolls of each staker. */
  readonly stakers: readonly (readonly [address: string, rolls: bigint])[]
}

export interface ChainHead {
  /** The newest slot that was due. */
  readonly clockIndex: number
}

/** State beside the ledger after the last final slot. */
export interface FinalRecord {
  readonly slotIndex: number
  /** Of the newest block that consensus calls final: it may be ahead. */
  readonly blockIndex: number
  readonly executionTrailHash: Uint8Array
  readonly rollCounts: readonly (readonly [address: string, count: bigint])[]
  readonly credits: PlainState['rolls']['credits']
  readonly cycles: readonly CycleRecord[]
  readonly executedCount: number
}

/** Blocks made and missed in a cycle, final ones. */
export interface CycleRecord {
  readonly cycle: number
  readonly producers: readonly (readonly [address: string, ok: number, nok: number])[]
}

const NOTHING = new Uint8Array()
const HAS_OPERATIONS = 1
const SEPARATOR = '\0'

export function putJson(space: number, value: unknown, key: Uint8Array = NOTHING): StoreChange {
  return put(space, key, encodeJson(value))
}

export function putBlock(block: TrackedBlock): StoreChange {
  return put(SPACE.blocks, blockKey(block), withFirst(HAS_OPERATIONS, block.encodeFilled()))
}

/** Its operations are forgotten. */
export function putHeader(block: TrackedBlock): StoreChange {
  return put(SPACE.blocks, blockKey(block), withFirst(0, block.headerMessage))
}

export function deleteBlock(block: { readonly slotIndex: number; readonly isRival: boolean }): StoreChange {
  return del(SPACE.blocks, blockKey(block))
}

/** @returns the header with its operations; none are given when they were forgotten */
export function readBlock(value: Uint8Array): {
  readonly headerMessage: Uint8Array
  readonly operations: readonly Uint8Array[] | undefined
} {
  const message = value.subarray(1)
  if (value[0] !== HAS_OPERATIONS) return { headerMessage: Uint8Array.from(message), operations: undefined }
  const { header, operations } = RawFilledBlockCodec.decode(message)
  return {
    headerMessage: Uint8Array.from(header ?? NOTHING),
    operations: (operations ?? []).map(({ operation }) => Uint8Array.from(operation ?? NOTHING)),
  }
}

export function putPooled(tracked: TrackedOperation): StoreChange {
  const value = new ByteWriter(8 + tracked.message.length).u64(BigInt(tracked.receivedIndex)).raw(tracked.message)
  return put(SPACE.pool, u64(tracked.sequence), value.finish())
}

export function deletePooled({ sequence }: TrackedOperation): StoreChange {
  return del(SPACE.pool, u64(sequence))
}

export function readPooled(value: Uint8Array): { readonly receivedIndex: number; readonly message: Uint8Array } {
  const receivedIndex = Number(new ByteReader(value.subarray(0, 8)).u64())
  return { receivedIndex, message: Uint8Array.from(value.subarray(8)) }
}

export function putLedgerChanges(changes: StateChanges): StoreChange[] {
  return [...changes].flatMap(([address, { balanceNanoMas, bytecode, datastore }]) => {
    const name = Buffer.from(address)
    const entries = [...datastore].map(([key, value]) => {
      const place = Buffer.concat([Buffer.from(address + SEPARATOR), Buffer.from(key, 'latin1')])
      return value === undefined ? del(SPACE.datastores, place) : put(SPACE.datastores, place, value)
    })
    if (balanceNanoMas !== undefined) entries.push(put(SPACE.balances, name, u64(balanceNanoMas)))
    if (bytecode !== undefined) entries.push(put(SPACE.bytecodes, name, bytecode))
    return entries
  })
}

export function readEntryKey(key: Uint8Array): { readonly address: string; readonly key: Uint8Array } {
  const end = key.indexOf(SEPARATOR.charCodeAt(0))
  return { address: Buffer.from(key.subarray(0, end)).toString(), key: Uint8Array.from(key.subarray(end + 1)) }
}

export function putExecution(id: string, execution: Execution): StoreChange {
  return putJson(SPACE.executions, execution, Buffer.from(id))
}

export function deleteExecution(id: string): StoreChange {
  return del(SPACE.executions, Buffer.from(id))
}

export function putRolls(cycle: number, counts: RollCounts): StoreChange {
  return putJson(SPACE.rolls, counts, u64(cycle))
}

export function deleteRolls(cycle: number): StoreChange {
  return del(SPACE.rolls, u64(cycle))
}

export function readU64(bytes: Uint8Array): bigint {
  return new ByteReader(bytes).u64()
}

/** Key of a record that there is one of. */
export function soleKey(space: number): Uint8Array {
  return Uint8Array.of(space)
}

function blockKey({ slotIndex, isRival }: { readonly slotIndex: number; readonly isRival: boolean }): Uint8Array {
  return new ByteWriter(9)
    .u64(BigInt(slotIndex))
    .u8(isRival ? 1 : 0)
    .finish()
}

function u64(value: number | bigint): Uint8Array {
  return new ByteWriter(8).u64(BigInt(value)).finish()
}

function put(space: number, key: Uint8Array, value: Uint8Array): StoreChange {
  return { type: 'put', key: withFirst(space, key), value }
}

function del(space: number, key: Uint8Array): StoreChange {
  return { type: 'del', key: withFirst(space, key) }
}

function withFirst(first: number, rest: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(1 + rest.length)
  bytes[0] = first
  bytes.set(rest, 1)
  return bytes
}
