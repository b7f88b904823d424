import { type AttestedExecutions, parseAttestedExecutions } from '../../archiver/attestation.ts'
import {
  type BlockRecord,
  type ChunkStore,
  computeAddress,
  equalBytes,
  findTarget,
  formatAddress,
  formatBlockId,
  formatOperationId,
  isArchiveError,
  type Manifest,
  type OperationBody,
  type Period,
  parseAddress,
  parseOperationContent,
  type RecordedOperation,
} from '../../core/index.ts'
import { readBody } from '../search-periods.ts'
import { type ExportRange, findExportRange, incomplete } from './export-range.ts'

/** Rows that are given at once: a period may have 160,000 of them. */
const MAX_ROWS = 1_000

/** An operation in a block, as a row of a table. Amounts are nanoMAS as decimal text. */
export interface OperationRow {
  readonly period: Period
  readonly thread: number
  readonly block: string
  readonly operation: string
  readonly type: OperationBody['kind']
  readonly creator: string
  /** Who gets coins, or which contract is called. */
  readonly target: string | null
  /** Coins that are sent, or given to a call. */
  readonly amountNanoMas: string | null
  readonly rolls: string | null
  readonly feeNanoMas: string
  /** As the archiver saw it executed in this slot; nothing proves it. */
  readonly outcome: 'success' | 'failed' | 'unknown'
  /** False: its id binds nothing of this but itself (docs/FORMAT.md, Not reproducible). */
  readonly isBound: boolean
}

export interface OperationsOptions extends ExportRange {
  /** Only operations that this address created, or that are to it. */
  readonly address?: string | undefined
}

/** Rows of one period, or a part of them. */
export interface OperationRows {
  readonly period: Period
  readonly rows: readonly OperationRow[]
}

/**
 * Every operation of some periods in the order of the chain: one row for each block that has it.
 *
 * @returns lists of rows, also an empty one for each period without any
 * @throws ArchiveError CORE_BASE58_INVALID for an address that is none, STORE_EXPORT_INCOMPLETE, and of the store
 */
export async function* listOperations(store: ChunkStore, options: OperationsOptions): AsyncGenerator<OperationRows> {
  const address = options.address === undefined ? undefined : parseAddress(options.address)
  const { first, last } = await findExportRange(store, options, 'body')
  for (let period = first; period <= last; period++) {
    const manifest = await store.readManifest(period)
    if (!manifest) throw incomplete(period, `period ${period} is not here any more`)
    const { slots } = await readBody(store, manifest)
    const executions = await readExecutions(store, manifest)
    let rows: OperationRow[] = []
    for (const [thread, slot] of slots.entries()) {
      if (slot.kind !== 'block') continue
      const outcomes = new Map(executions?.[thread]?.outcomes.map((each) => [each.operationId, each.outcome]))
      for (const operation of slot.record.operations) {
        const row = describeRow(slot.record, operation, { address, outcomes })
        if (!row) continue
        rows.push(row)
        if (rows.length < MAX_ROWS) continue
        yield { period, rows }
        rows = []
      }
    }
    yield { period, rows }
  }
}

function describeRow(
  { header: { slot }, id }: BlockRecord,
  operation: RecordedOperation,
  wanted: {
    readonly address: Uint8Array | undefined
    readonly outcomes: ReadonlyMap<string, OperationRow['outcome']>
  },
): OperationRow | undefined {
  const parsed = parseOperationContent(operation.content)
  const { feeNanoMas, body } = parsed
  const creator = computeAddress(operation.publicKey)
  const target = findTarget(parsed)
  const { address, outcomes } = wanted
  if (address && !equalBytes(creator, address) && !(target && equalBytes(target, address))) return undefined
  const operationId = formatOperationId(operation.id)
  return {
    ...slot,
    block: formatBlockId(id),
    operation: operationId,
    type: body.kind,
    creator: formatAddress(creator),
    target: target ? formatAddress(target) : null,
    amountNanoMas: amountOf(body)?.toString() ?? null,
    rolls: 'rollCount' in body ? body.rollCount.toString() : null,
    feeNanoMas: feeNanoMas.toString(),
    outcome: outcomes.get(operationId) ?? 'unknown',
    isBound: operation.reproducible,
  }
}

function amountOf(body: OperationBody): bigint | undefined {
  if (body.kind === 'transaction') return body.amountNanoMas
  return body.kind === 'call-sc' ? body.coinsNanoMas : undefined
}

/** What cannot be read of them says nothing. */
async function readExecutions(
  store: ChunkStore,
  manifest: Manifest,
): Promise<AttestedExecutions['executions'] | undefined> {
  const bytes = await store.readExecutionResults(manifest.period)
  try {
    return bytes && parseAttestedExecutions(bytes, manifest).executions
  } catch (error) {
    if (isArchiveError(error)) return undefined
    throw error
  }
}
