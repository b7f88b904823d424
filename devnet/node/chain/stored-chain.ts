import { ArchiveError, formatAddress, slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import { ContractEngine, type DeferredCall, type Ledger } from '../../engine/index.ts'
import type { Control } from './chain-control.ts'
import type { ResolvedChainOptions } from './chain-options.ts'
import {
  type ChainHead,
  type ChainIdentity,
  type FinalRecord,
  readBlock,
  readEntryKey,
  readPooled,
  readU64,
  SPACE,
  soleKey,
} from './chain-records.ts'
import type { ChainStore, StoreChange } from './chain-store.ts'
import { decodeJson } from './record-json.ts'
import type { RollCounts } from './roll-history.ts'
import type { Execution } from './slot-executor.ts'

const VERSION = 1

/** Everything that a chain's database holds. */
export interface StoredChain {
  readonly head: ChainHead
  readonly final: FinalRecord
  readonly deferredCalls: readonly DeferredCall[]
  readonly control: Control
  readonly balances: readonly (readonly [address: string, balanceNanoMas: bigint])[]
  readonly bytecodes: readonly (readonly [address: string, bytecode: Uint8Array])[]
  readonly entries: readonly { readonly address: string; readonly key: Uint8Array; readonly value: Uint8Array }[]
  readonly blocks: readonly (ReturnType<typeof readBlock> & { readonly isRival: boolean })[]
  readonly pool: readonly { readonly sequence: number; readonly receivedIndex: number; readonly message: Uint8Array }[]
  /** At the end of the last cycles, in their order. */
  readonly rolls: readonly (readonly [cycle: number, counts: RollCounts])[]
  readonly executions: readonly (readonly [id: string, execution: Execution])[]
}

export function identityOf(options: ResolvedChainOptions): ChainIdentity {
  const { chainId, genesisTimestampMs, seed } = options
  const stakers = options.stakers.map(({ key, rolls }) => [formatAddress(key.address), rolls] as const)
  return { version: VERSION, chainId, genesisTimestampMs, seed, stakers }
}

export async function readIdentity(store: ChainStore): Promise<ChainIdentity | undefined> {
  const bytes = await store.get(soleKey(SPACE.identity))
  return bytes && decodeJson<ChainIdentity>(bytes)
}

/**
 * Reads a chain that was stored before; undefined: there is none.
 *
 * @throws ArchiveError DEVNET_CHAIN_MISMATCH
 */
export async function readStoredChain(
  store: ChainStore,
  options: ResolvedChainOptions,
): Promise<StoredChain | undefined> {
  const found = await readIdentity(store)
  if (!found) return undefined
  checkIdentity(found, identityOf(options))
  return {
    head: await readJson<ChainHead>(store, SPACE.head),
    final: await readJson<FinalRecord>(store, SPACE.final),
    deferredCalls: await readJson<DeferredCall[]>(store, SPACE.deferredCalls),
    control: await readJson<Control>(store, SPACE.control),
    balances: await readAll(store, SPACE.balances, (key, value) => [textOf(key), readU64(value)] as const),
    bytecodes: await readAll(store, SPACE.bytecodes, (key, value) => [textOf(key), Uint8Array.from(value)] as const),
    entries: await readAll(store, SPACE.datastores, (key, value) => ({
      ...readEntryKey(key),
      value: Uint8Array.from(value),
    })),
    blocks: await readAll(store, SPACE.blocks, (key, value) => ({ ...readBlock(value), isRival: key.at(-1) === 1 })),
    pool: await readAll(store, SPACE.pool, (key, value) => ({ sequence: Number(readU64(key)), ...readPooled(value) })),
    rolls: await readAll(
      store,
      SPACE.rolls,
      (key, value) => [Number(readU64(key)), decodeJson<RollCounts>(value)] as const,
    ),
    executions: await readAll(
      store,
      SPACE.executions,
      (key, value) => [textOf(key), decodeJson<Execution>(value)] as const,
    ),
  }
}

/** What earlier versions kept and this one does not. */
export async function dropRetired(store: ChainStore): Promise<void> {
  const dropped: StoreChange[] = []
  for await (const [key] of store.list(SPACE.retiredEvents)) {
    dropped.push({ type: 'del', key: Buffer.concat([soleKey(SPACE.retiredEvents), key]) })
  }
  await store.write(dropped)
}

export function fillLedger(ledger: Ledger, { balances, bytecodes, entries }: StoredChain): void {
  for (const [address, balance] of balances) ledger.setBalance(address, balance)
  for (const [address, bytecode] of bytecodes) ledger.setBytecode(address, bytecode)
  for (const { address, key, value } of entries) ledger.setValue(address, key, value)
  ledger.dropJournal()
}

/** An engine with the state beside the ledger: of the genesis slots, or as it was stored. */
export function createEngine(options: ResolvedChainOptions, stored: StoredChain | undefined): ContractEngine {
  const { chainId, genesisTimestampMs, nodeVersion } = options
  const common = { chainId, genesisTimestampMs: BigInt(genesisTimestampMs), nodeVersion }
  if (!stored) {
    const counts = new Map(options.stakers.map(({ key, rolls }) => [formatAddress(key.address), rolls]))
    return new ContractEngine({ ...common, slot: slotOfIndex(THREAD_COUNT - 1), rolls: { counts, credits: [] } })
  }
  const { slotIndex: index, executionTrailHash, rollCounts, credits } = stored.final
  return new ContractEngine({
    ...common,
    slot: slotOfIndex(index),
    executionTrailHash,
    rolls: { counts: new Map(rollCounts), credits },
    deferredCalls: stored.deferredCalls,
  })
}

function checkIdentity(found: ChainIdentity, wanted: ChainIdentity): void {
  const differs = (Object.keys(wanted) as (keyof ChainIdentity)[]).find(
    (field) => show(found[field]) !== show(wanted[field]),
  )
  if (differs === undefined) return
  throw new ArchiveError(
    'DEVNET_CHAIN_MISMATCH',
    `the directory holds a chain whose ${differs} is ${show(found[differs])}, not ${show(wanted[differs])}`,
  )
}

function show(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
}

async function readJson<T>(store: ChainStore, space: number): Promise<T> {
  const bytes = await store.get(soleKey(space))
  if (!bytes) throw new ArchiveError('DEVNET_CHAIN_MISMATCH', `the directory holds no record ${space} of a chain`)
  return decodeJson<T>(bytes)
}

async function readAll<T>(
  store: ChainStore,
  space: number,
  read: (key: Uint8Array, value: Uint8Array) => T,
): Promise<T[]> {
  const all: T[] = []
  for await (const [key, value] of store.list(space)) all.push(read(key, value))
  return all
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}
