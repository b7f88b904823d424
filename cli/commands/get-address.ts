import * as z from 'zod'
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
import { type ArchiveChoice, askArchive } from '../ask-archive.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { describeLead, describeVoucher, gatherRoots, type Voucher } from '../known-roots.ts'
import { fetchListed, type ListedOperation } from '../listed-operations.ts'
import { formatCount, type Output } from '../output.ts'
import type { GetOptions } from './get.ts'

export interface GetAddressOptions extends GetOptions {
  readonly fromPeriod?: Period
  readonly toPeriod?: Period
}

/** What is held in memory is bounded by it; 12 days of the chain. */
const MAX_PERIODS = 65_536
/** Of an archive that is believed: a list that does not end is none. */
const MAX_UNVERIFIED = 100_000
const SHOWN_ERAS = 8

const rangeAnswer = z.object({ from: z.number().int(), to: z.number().int(), proof: z.unknown() })

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
  const range = await findRange(context, options, signal)
  if (!range) throw missing('periods')
  if (!options.verify) return showListed(context, address, { ...range, archive: options }, signal)
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

/** `undefined`: the archive has none. @throws ArchiveError CLI_USAGE for one of too many periods */
async function findRange(
  context: Context,
  { fromPeriod, toPeriod, ...archive }: GetAddressOptions,
  signal: AbortSignal,
): Promise<PeriodRange | undefined> {
  let range = { from: fromPeriod ?? 0, to: toPeriod ?? 0 }
  if (fromPeriod === undefined || toPeriod === undefined) {
    const path = toPeriod === undefined ? '/v1/completeness' : `/v1/completeness?to=${toPeriod}`
    const answer = await askArchive(context, path, archive, signal)
    if (!answer) return undefined
    const last = readRange(answer)
    range = { from: fromPeriod ?? last.from, to: toPeriod ?? last.to }
  }
  const { from, to } = range
  if (from > to) throw new ArchiveError('CLI_USAGE', `periods ${from} to ${to}: the range ends before it begins`)
  if (to - from >= MAX_PERIODS) {
    const message = `periods ${from} to ${to}: at most ${formatCount(MAX_PERIODS, 'period')} at once, see --from-period and --to-period`
    throw new ArchiveError('CLI_USAGE', message)
  }
  return range
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

function readRange(answer: Readonly<Record<string, unknown>>): PeriodRange {
  const { data } = rangeAnswer.safeParse(answer)
  if (data && data.from >= 0 && data.from <= data.to) return { from: data.from, to: data.to }
  throw new ArchiveError('CORE_READING_MALFORMED', 'what was answered says of no range that it is complete')
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

function showReport(output: Output, address: string, range: PeriodRange, report: AddressReport): void {
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
  checked('list', `${formatCount(operations.length, 'operation')}: none left out, none of others`)
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
