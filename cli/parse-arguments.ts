import { InvalidArgumentError } from 'commander'
import { LOG_LEVELS } from '../config/log-choices.ts'
import { fromHex } from '../core/bytes.ts'
import { type Period, parseCoins, THREAD_COUNT } from '../core/units.ts'

export interface PeriodRange {
  readonly from: Period
  readonly to: Period
}

export const ALL_PERIODS: PeriodRange = { from: 0, to: Number.MAX_SAFE_INTEGER }

/** `N`: a period number. */
export function parsePeriod(text: string): Period {
  const period = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(period)) throw new InvalidArgumentError(`'${text}' is not a period number.`)
  return period
}

export function parseThread(text: string): number {
  const thread = /^\d{1,2}$/.test(text) ? Number(text) : THREAD_COUNT
  if (thread >= THREAD_COUNT)
    throw new InvalidArgumentError(`'${text}' is no thread: they are 0 to ${THREAD_COUNT - 1}.`)
  return thread
}

/** The address of an archive's gateway, without a slash at its end. */
export function parseGatewayUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:') {
    throw new InvalidArgumentError(`'${text.slice(0, 80)}' is no http or https address.`)
  }
  return url.href.replace(/\/$/, '')
}

/** One more of them. */
export function collectGatewayUrl(text: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, parseGatewayUrl(text)]
}

/** An era number. */
export function parseEra(text: string): number {
  if (!/^\d{1,13}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not an era number.`)
  return Number(text)
}

/** `N`, `A..B`, `A..` or `..B`, ends included. */
export function parsePeriodRange(text: string): PeriodRange {
  const parts = text.split('..')
  const [first = '', second] = parts
  if (parts.length > 2 || text === '' || text === '..')
    throw new InvalidArgumentError(`'${text}' is not a range like 100..200.`)
  if (second === undefined) return { from: parsePeriod(first), to: parsePeriod(first) }
  const range = {
    from: first === '' ? ALL_PERIODS.from : parsePeriod(first),
    to: second === '' ? ALL_PERIODS.to : parsePeriod(second),
  }
  if (range.from > range.to) throw new InvalidArgumentError(`'${text}' ends before it begins.`)
  return range
}

/** 1 to 64 hex digits, lower-cased. */
export function parseHexPrefix(text: string): string {
  if (!/^[0-9a-fA-F]{1,64}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not 1 to 64 hex digits.`)
  return text.toLowerCase()
}

/** 64 hex digits, lower-cased. */
export function parseRoot(text: string): string {
  if (!/^[0-9a-fA-F]{64}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not a root: 64 hex digits.`)
  return text.toLowerCase()
}

/** `ERA=ROOT`, added to those before. */
export function collectRoot(
  text: string,
  previous: ReadonlyMap<number, Uint8Array> = new Map(),
): ReadonlyMap<number, Uint8Array> {
  const [era = '', root = '', ...more] = text.split('=')
  if (more.length > 0) throw new InvalidArgumentError(`'${text.slice(0, 80)}' is not ERA=ROOT.`)
  return new Map([...previous, [parseEra(era), fromHex(parseRoot(root))]])
}

/** A positive whole number. */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0
  if (count < 1) throw new InvalidArgumentError(`'${text}' is not a positive whole number.`)
  return count
}

/** A chunk id or the beginning of one: 6 to 64 hex digits, lower-cased. */
export function parseChunkPrefix(text: string): string {
  if (!/^[0-9a-fA-F]{6,64}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not 6 to 64 hex digits.`)
  return text.toLowerCase()
}

/** A Massa address, a PeerId, the beginning of one, or a name: who is called so is for the sidecar to know. */
export function parseNodeName(text: string): string {
  if (!/^[ -~]{1,128}$/.test(text)) {
    throw new InvalidArgumentError(`'${text}' is no address, PeerId or name: 1 to 128 printable characters.`)
  }
  return text
}

/** The id of a challenge, or the beginning of one. */
export function parseChallengePrefix(text: string): string {
  if (!/^[0-9A-Za-z_-]{1,64}$/.test(text)) {
    throw new InvalidArgumentError(`'${text}' is not 1 to 64 letters, digits, '-' and '_'.`)
  }
  return text
}

/** `key=value`, added to those before. */
export function collectSetting(text: string, previous: readonly string[] = []): string[] {
  if (!/^[^=]+=/.test(text)) throw new InvalidArgumentError(`'${text}' is not key=value, such as log.level=debug.`)
  return [...previous, text]
}

/** A level by its name, or by massa-node's number. */
export function parseLogLevel(text: string): string {
  const levels: readonly string[] = LOG_LEVELS
  if (levels.includes(text) || (/^\d$/.test(text) && Number(text) < levels.length)) return text
  throw new InvalidArgumentError(`'${text}' is none of ${LOG_LEVELS.join(', ')}, or 0 to ${LOG_LEVELS.length - 1}.`)
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `30m`, `2h` or `7d`, as ms; from 1 s to 365 days. */
export function parseDuration(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const durationMs = Number(count) * (UNIT_MS[unit] ?? 0)
  if (durationMs < 1_000 || durationMs > 365 * 86_400_000) {
    throw new InvalidArgumentError(`'${text}' is not a time such as 30m, 2h or 7d, of at most 365d.`)
  }
  return durationMs
}

/** Decimal MAS, as nanoMAS. */
export function parseAmount(text: string): bigint {
  const nanoMas = parseCoins(text)
  if (nanoMas === undefined) throw new InvalidArgumentError(`'${text}' is not an amount of MAS such as 1.5.`)
  return nanoMas
}

/** A whole number from 0 on, of at most 18 digits. */
export function parseWhole(text: string): bigint {
  if (!/^\d{1,18}$/.test(text)) throw new InvalidArgumentError(`'${text}' is not a whole number.`)
  return BigInt(text)
}

/** A decimal number from 0 on. */
export function parseDecimal(text: string): number {
  if (!/^\d{1,9}(?:\.\d{1,9})?$/.test(text)) throw new InvalidArgumentError(`'${text}' is not a number such as 2.5.`)
  return Number(text)
}

/** A decimal number above 0. */
export function parsePositive(text: string): number {
  const value = parseDecimal(text)
  if (value === 0) throw new InvalidArgumentError(`'${text}' is not above 0.`)
  return value
}

/** Per cent from 0 to below 100, as a share. */
export function parseShare(text: string): number {
  const percent = parseDecimal(text)
  if (percent >= 100) throw new InvalidArgumentError(`'${text}' is not from 0 to below 100 per cent.`)
  return percent / 100
}
