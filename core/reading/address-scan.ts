import type { RecordedOperation } from '../block-record.ts'
import { type Body, computeBitmap, parseBody } from '../body.ts'
import { concatBytes, equalBytes } from '../bytes.ts'
import { computeChunkId } from '../chunk.ts'
import { ArchiveError } from '../errors.ts'
import { summarizeChunks } from '../manifest.ts'
import { computeAddress } from '../massa/address.ts'
import { formatOperationId, parseAddress } from '../massa/atoms.ts'
import { findTarget, parseOperationContent } from '../massa/operation.ts'
import { formatSlot, type Period, type Slot } from '../units.ts'
import type { CertifiedPeriod, VerifiedCompleteness } from './completeness.ts'

/** For a message: an operation id and its slot take less. */
const MAX_NAME_CHARACTERS = 120

/** `creator` signed and paid for it; `target` is the recipient of a transfer or what a call calls. */
export type ScannedRole = 'creator' | 'target'

/** An operation of an address, in one block that includes it. */
export interface ScannedOperation {
  readonly slot: Slot
  /** 33 bytes */
  readonly blockId: Uint8Array
  readonly operation: RecordedOperation
  /** Of an operation that is not reproducible the creator is what the archive says. */
  readonly roles: readonly ScannedRole[]
}

/** The operations of an address in a BODY: all of them, in the order of BODY. */
export function scanAddress(body: Body, address: Uint8Array): ScannedOperation[] {
  const found: ScannedOperation[] = []
  for (const [thread, shown] of body.slots.entries()) {
    if (shown.kind !== 'block') continue
    for (const operation of shown.record.operations) {
      const roles = listRoles(operation, address)
      if (roles.length === 0) continue
      found.push({ slot: { period: body.period, thread }, blockId: shown.record.id, operation, roles })
    }
  }
  return found
}

function listRoles({ publicKey, content }: RecordedOperation, address: Uint8Array): ScannedRole[] {
  const target = findTarget(parseOperationContent(content))
  const roles: ScannedRole[] = []
  if (equalBytes(computeAddress(publicKey), address)) roles.push('creator')
  if (target && equalBytes(target, address)) roles.push('target')
  return roles
}

/** What a scan of all bodies of a range found. */
export interface AddressHistory {
  readonly address: string
  readonly from: Period
  readonly to: Period
  /** By slot, and in a block in the order of BODY. */
  readonly operations: readonly ScannedOperation[]
  /** All BODYs of the range that have a block were scanned; the others need not be. */
  readonly scannedBodies: number
  readonly emptyPeriods: number
}

/**
 * Lists exactly the operations of an address in a range of periods: every BODY that has blocks is checked against a verified
 * certificate of completeness, and scanned. No index is believed.
 */
export class AddressScan {
  private readonly certificate: VerifiedCompleteness
  private readonly address: string
  private readonly addressBytes: Uint8Array
  private readonly found = new Map<Period, readonly ScannedOperation[]>()

  /** @param address - text; @throws ArchiveError CORE_BASE58_INVALID */
  constructor(certificate: VerifiedCompleteness, address: string) {
    this.certificate = certificate
    this.address = address
    this.addressBytes = parseAddress(address)
  }

  /** Periods whose BODY is to be scanned and was not yet. */
  listMissing(): Period[] {
    return this.certificate.periods.filter((one) => this.isMissing(one)).map(({ period }) => period)
  }

  /**
   * Scans a BODY.
   *
   * @param chunks - all of them, in their order; of any origin
   * @throws ArchiveError CORE_READING_SLOT_OTHER for a period outside of the range; CORE_READING_CHUNK_INVALID when the chunks are
   *   not those of the period; CORE_READING_BODY_INVALID when they are and make no BODY of it
   */
  add(period: Period, chunks: readonly Uint8Array[]): void {
    const certified = this.certificate.periods[period - this.certificate.from]
    if (!certified)
      throw new ArchiveError('CORE_READING_SLOT_OTHER', `period ${period} is not in the range`, { period })
    const given = chunks.map((chunk) => ({ chunkId: computeChunkId(chunk) }))
    const isSame =
      given.length === certified.chunkCount && equalBytes(summarizeChunks(given).chunkTree, certified.chunkTree)
    if (!isSame) throw new ArchiveError('CORE_READING_CHUNK_INVALID', `not the chunks of period ${period}`, { period })
    this.found.set(period, scanAddress(readCertifiedBody(certified, concatBytes(...chunks)), this.addressBytes))
  }

  /** @throws ArchiveError CORE_READING_PERIODS_MISSING while a BODY was not scanned */
  finish(): AddressHistory {
    const [missing] = this.listMissing()
    if (missing !== undefined) {
      throw new ArchiveError('CORE_READING_PERIODS_MISSING', `period ${missing} was not scanned`, { period: missing })
    }
    const { from, to, periods } = this.certificate
    const operations = periods.flatMap(({ period }) => this.found.get(period) ?? [])
    const emptyPeriods = periods.filter(({ bitmap }) => bitmap === 0).length
    return { address: this.address, from, to, operations, scannedBodies: periods.length - emptyPeriods, emptyPeriods }
  }

  private isMissing({ period, bitmap }: CertifiedPeriod): boolean {
    return bitmap !== 0 && !this.found.has(period)
  }
}

function readCertifiedBody({ network, period, bitmap }: CertifiedPeriod, bytes: Uint8Array): Body {
  const refuse = (what: string, cause?: unknown): ArchiveError =>
    new ArchiveError('CORE_READING_BODY_INVALID', `period ${period}: ${what}`, { period }, cause)
  let body: Body
  try {
    body = parseBody(bytes)
  } catch (cause) {
    throw refuse('its chunks make no BODY', cause)
  }
  const isSame =
    body.period === period &&
    body.network.chainId === network.chainId &&
    body.network.genesisTimestampMs === network.genesisTimestampMs &&
    computeBitmap(body.slots) === bitmap
  if (!isSame) throw refuse('BODY is of another period, network or bitmap')
  return body
}

/** How a list that somebody gave differs from what a scan found; two empty lists: it is complete and has nothing else. */
export interface ListDifference {
  /** `operation id at slot`, in the order of the scan. */
  readonly missing: readonly string[]
  readonly surplus: readonly string[]
}

/**
 * Compares a list of operations of an address with what a scan found, whatever the order.
 *
 * @param given - operation id as text, and the slot of the block that includes it
 */
export function compareAddressList(
  history: AddressHistory,
  given: readonly { readonly id: string; readonly slot: Slot }[],
): ListDifference {
  const found = history.operations.map(({ operation, slot }) => namePlace(formatOperationId(operation.id), slot))
  const listed = given.map(({ id, slot }) => namePlace(id, slot))
  const [foundSet, listedSet] = [new Set(found), new Set<string>()]
  const surplus = listed.filter((name) => {
    const isSurplus = !foundSet.has(name) || listedSet.has(name)
    listedSet.add(name)
    return isSurplus
  })
  return { missing: found.filter((name) => !listedSet.has(name)), surplus }
}

/**
 * Refuses a list that is not exactly what a scan found; it may be of any origin.
 *
 * @throws ArchiveError CORE_READING_LIST_OTHER, which names the first operation that lacks or is foreign
 */
export function verifyAddressList(history: AddressHistory, given: Parameters<typeof compareAddressList>[1]): void {
  const { missing, surplus } = compareAddressList(history, given)
  const wrong = [
    ...(missing.length > 0 ? [`leaves out ${nameFirst(missing)}`] : []),
    ...(surplus.length > 0 ? [`has ${nameFirst(surplus)}, not of this address there or listed twice`] : []),
  ]
  if (wrong.length === 0) return
  const message = `the list of ${history.address} in periods ${history.from} to ${history.to} ${wrong.join(' and ')}`
  throw new ArchiveError('CORE_READING_LIST_OTHER', message, { missing: missing.length, surplus: surplus.length })
}

function nameFirst([first = '', ...more]: readonly string[]): string {
  return `${first.slice(0, MAX_NAME_CHARACTERS)}${more.length > 0 ? ` and ${more.length} more` : ''}`
}

function namePlace(id: string, slot: Slot): string {
  return `${id} at ${formatSlot(slot)}`
}
