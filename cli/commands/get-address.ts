import {
  ArchiveError,
  describeOperation,
  formatBlockId,
  formatSlot,
  type Period,
  type PeriodRange,
  toHex,
  type VerifiedAddressHistory,
  verifyAddressHistory,
  verifyAddressList,
} from '../../core/index.ts'
import { type AddressRange, chooseRange, type RangeOptions, readRange } from '../address-range.ts'
import { type ArchiveChoice, askArchive } from '../ask-archive.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { describeLead, describeVoucher, gatherRoots, type Voucher } from '../known-roots.ts'
import { fetchListed, type ListedOperation } from '../listed-operations.ts'
import { formatCount, type Output } from '../output.ts'
import type { GetOptions } from './get.ts'

export interface GetAddressOptions extends GetOptions, RangeOptions {}

/** Of an archive that is believed: a list that does not end is none. */
const MAX_UNVERIFIED = 100_000
const SHOWN_ERAS = 8

interface FoundOperation {
  readonly operationId: string
  readonly slot: { readonly period: Period; readonly thread: number }
  readonly blockId: string
  readonly roles: readonly string[]
  readonly body: Readonly<Record<string, unknown>>
  /** As the archive says. */
  readonly outcome: ListedOperation['outcome']
}

/** Periods of which the same vouches. */
interface VouchedRange extends PeriodRange {
  readonly voucher: Voucher
}

/** What all pages together proved. */
class AddressReport {
  readonly operations: FoundOperation[] = []
  /** Hex. */
  readonly trustedEras = new Map<number, string>()
  /** Of the others, to which the proof leads. */
  readonly otherEras = new Map<number, string>()
  readonly vouched: VouchedRange[] = []
  scannedBodies = 0
  emptyPeriods = 0
  blocks = 0

  add({ history, completeness }: VerifiedAddressHistory, listed: readonly ListedOperation[]): void {
    const outcomes = new Map(listed.map(({ id, slot, outcome }) => [`${id} ${formatSlot(slot)}`, outcome]))
    for (const { operation, slot, blockId, roles } of history.operations) {
      const described = describeOperation(operation, undefined)
      const outcome = outcomes.get(`${described.operationId} ${formatSlot(slot)}`) ?? 'unknown'
      this.operations.push({ ...described, slot, blockId: formatBlockId(blockId), roles, outcome })
    }
    for (const { era, root, isTrusted } of completeness.eras)
      if (root) (isTrusted ? this.trustedEras : this.otherEras).set(era, toHex(root))
    this.scannedBodies += history.scannedBodies
    this.emptyPeriods += history.emptyPeriods
    this.blocks += completeness.blocks
  }

  vouch(period: Period, voucher: Voucher): void {
    const last = this.vouched.at(-1)
    if (last?.voucher === voucher) this.vouched.splice(-1, 1, { ...last, to: period })
    else this.vouched.push({ voucher, from: period, to: period })
  }
}

/**
 * Gets all that an address did in a range of periods: scans all bodies, believes no index, and refuses the list of an archive
 * that is not exactly that.
 *
 * @returns 0
 * @throws ArchiveError CLI_NOT_FOUND where it has not all periods; CORE_READING_* where what it says is not proven
 */
export async function getAddress(
  context: Context,
  address: string,
  options: GetAddressOptions,
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const range = await chooseRange(context, options, signal)
  if (!range) throw missing('periods')
  if (!options.verify) {
    const { from, to } = range
    return showListed(context, address, { from, to, archive: options }, signal)
  }
  const report = new AddressReport()
  const progress = output.progress('scanning')
  try {
    for (let from = range.from; from <= range.to; ) {
      const page = await fetchPage(context, { from, to: range.to }, options, signal)
      if (!page) throw missing(`periods ${from} to ${range.to}`)
      const roots = await gatherRoots(context, page.range, options, signal)
      const verified = verifyAddressHistory(page.proof, { address, ...page.range }, roots.trusted)
      const most = verified.history.operations.length
      const listed = await fetchListed(context, address, { ...page.range, most, archive: options }, signal)
      verifyAddressList(verified.history, listed)
      report.add(verified, listed)
      for (const { trust, period } of verified.completeness.periods)
        report.vouch(period, roots.findVoucher(trust, period))
      from = page.range.to + 1
      progress.update(from - range.from, range.to - range.from + 1, formatCount(report.operations.length, 'operation'))
    }
  } finally {
    progress.end()
  }
  showReport(output, address, range, report)
  return EXIT_CODES.ok.code
}

/** As many periods as the archive gives at once. @throws ArchiveError CORE_READING_SLOT_OTHER for those of another range */
async function fetchPage(
  context: Context,
  { from, to }: PeriodRange,
  archive: ArchiveChoice,
  signal: AbortSignal,
): Promise<{ readonly range: PeriodRange; readonly proof: unknown } | undefined> {
  const answer = await askArchive(context, `/v1/completeness?from=${from}&to=${to}&bodies=true`, archive, signal)
  if (!answer) return undefined
  const range = readRange(answer)
  if (range.from !== from || range.to > to) {
    const message = `periods ${range.from} to ${range.to} were answered, asked were ${from} to ${to}`
    throw new ArchiveError('CORE_READING_SLOT_OTHER', message)
  }
  return { range, proof: answer.proof }
}

async function showListed(
  context: Context,
  address: string,
  { archive, ...range }: PeriodRange & { readonly archive: ArchiveChoice },
  signal: AbortSignal,
): Promise<number> {
  const { output } = context
  const listed = await fetchListed(context, address, { ...range, most: MAX_UNVERIFIED, archive }, signal)
  output.value({ address, ...range, operations: listed.map(({ id, ...others }) => ({ operationId: id, ...others })) })
  for (const { id, slot, outcome } of listed) output.line(`${formatSlot(slot)}  ${id}  ${outcome}`)
  output.warn('not verified: this is what the archive says')
  return EXIT_CODES.ok.code
}

function showReport(output: Output, address: string, range: AddressRange, report: AddressReport): void {
  const { operations, trustedEras, otherEras, vouched, scannedBodies, emptyPeriods, blocks } = report
  const eras = [...trustedEras].map(([era, root]) => ({ era, root }))
  output.value({
    address,
    ...range,
    operations,
    verified: { scannedBodies, emptyPeriods, blocks, eras, vouched },
  })
  output.table([
    ['slot', 'operation', 'as', 'kind', 'outcome (said)'],
    ...operations.map(({ slot, operationId, roles, body, outcome }) => {
      return [formatSlot(slot), operationId, roles.join(', '), String(body.kind), outcome]
    }),
  ])
  output.line()
  const checked = (name: string, value: string) => output.markedLine('green', 'checked', ` ${name.padEnd(20)} ${value}`)
  checked('periods', `${range.from} to ${range.to}: each once, ${formatCount(range.to - range.from + 1, 'period')}`)
  checked('bodies', `${scannedBodies} scanned, ${formatCount(blocks, 'block')}; ${emptyPeriods} periods have no block`)
  const { from, to, shortOf } = range
  const list = `${'list'.padEnd(20)} ${formatCount(operations.length, 'operation')} in periods ${from} to ${to}`
  if (shortOf === null) output.markedLine('green', 'checked', ` ${list}: none left out, none of others`)
  else {
    const others = `the archive says that it has no others, and the chain is at about period ${shortOf}`
    output.markedLine('yellow', 'checked', ` ${list} alone: ${others}`)
  }
  for (const { era, root } of eras.slice(0, SHOWN_ERAS)) checked('era-root', `era ${era}: ${root}`)
  if (eras.length > SHOWN_ERAS) checked('era-root', `and ${eras.length - SHOWN_ERAS} more`)
  for (const [era, root] of [...otherEras].slice(0, SHOWN_ERAS)) {
    output.markedLine('yellow', 'not checked', ` ${describeLead(era, root)}`)
  }
  for (const { voucher, from, to } of vouched) {
    const colour = voucher === 'nobody' ? 'yellow' : 'green'
    output.markedLine(colour, 'trust', ` periods ${from} to ${to}: ${describeVoucher(voucher, from, to)}`)
  }
}

function missing(what: string): ArchiveError {
  return new ArchiveError('CLI_NOT_FOUND', `${what} are not in that archive`)
}
