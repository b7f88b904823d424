import {
  buildCompleteness,
  type CompletenessJson,
  computeEraRoot,
  computePeriodRoot,
  type ErrorCode,
  fromBase64,
  type ProofSource,
  toBase64,
} from '../../../core/index.ts'
import { call, makePeriod, NETWORK } from './made-history.ts'

/* Three eras and a part of a fourth, a certificate of a range of them, and what a liar makes of it. */

const BLOCKS: Readonly<Record<number, number[]>> = {
  3: [1, 2, 31],
  100: [0],
  127: [5],
  128: [0, 1],
  300: [7],
  383: [8],
}
export const LAST = 399

export const periods = Array.from({ length: LAST + 1 }, (_, period) =>
  makePeriod(period, Object.fromEntries((BLOCKS[period] ?? []).map((thread) => [thread, [call(thread, 5)]]))),
)

/** Eras 0 to 2 are whole, era 3 has begun. */
export const source: ProofSource = {
  readManifest: async (period) => periods[period]?.manifest,
  readChunk: async (period, index) => periods[period]?.chunks[index],
  readSeals: async () => undefined,
  readEra: async (era) => (era < 3 ? readEra(era) : undefined),
}

function readEra(era: number) {
  const manifests = periods.slice(128 * era, 128 * (era + 1)).map(({ manifest }) => manifest)
  return { totalBytes: BigInt(era), totalChunks: 128n, periodRoots: manifests.map(computePeriodRoot) }
}

export const eraRoots = [0, 1, 2].map((era) => {
  const { periodRoots, ...totals } = readEra(era)
  return computeEraRoot({ network: NETWORK, era, ...totals }, periodRoots)
})
export const trusted = { network: NETWORK, findEraRoot: (era: number) => eraRoots[era] }

export const RANGE = { from: 100, to: 330 }
export const certificate = await buildCompleteness(source, RANGE)

type Lie = readonly [
  ErrorCode,
  (certificate: { -readonly [K in keyof CompletenessJson]: CompletenessJson[K] }) => unknown,
]

/** Drops, repeats or changes bytes of the list. */
function cutPeriods(change: (bytes: Uint8Array) => Uint8Array): Lie[1] {
  return (certificate) => Object.assign(certificate, { periods: toBase64(change(fromBase64(certificate.periods))) })
}

export const RANGE_LIES: Readonly<Record<string, Lie>> = {
  'a list without its last period': ['CORE_READING_PERIODS_MISSING', cutPeriods((bytes) => bytes.subarray(0, -40))],
  'a period too many': [
    'CORE_READING_PERIODS_MISSING',
    cutPeriods((bytes) => new Uint8Array([...bytes, ...bytes.subarray(-40)])),
  ],
  'a list that ends inside a period': ['CORE_READING_PERIODS_MISSING', cutPeriods((bytes) => bytes.subarray(0, -1))],
  'a period left out and the range made shorter': [
    'CORE_READING_SLOT_OTHER',
    (certificate) => {
      cutPeriods((bytes) => bytes.subarray(0, -40))(certificate)
      certificate.to--
    },
  ],
  'a period in the place of another': [
    'CORE_READING_ROOT_UNTRUSTED',
    cutPeriods((bytes) => bytes.copyWithin(0, 28 * 40, 29 * 40)),
  ],
  'a block that is not said': ['CORE_READING_ROOT_UNTRUSTED', cutPeriods((bytes) => bytes.fill(0, 0, 4))],
  'a block that never was': ['CORE_READING_ROOT_UNTRUSTED', cutPeriods((bytes) => bytes.fill(1, 43, 44))],
  'another number of chunks': ['CORE_READING_ROOT_UNTRUSTED', cutPeriods((bytes) => bytes.fill(2, 7, 8))],
  'no chunk': ['CORE_READING_MALFORMED', cutPeriods((bytes) => bytes.fill(0, 4, 8))],
  'other chunks': ['CORE_READING_ROOT_UNTRUSTED', cutPeriods((bytes) => bytes.fill(9, 8, 9))],
  'an era left out': ['CORE_READING_PERIODS_MISSING', ({ eras }) => Reflect.apply(Array.prototype.pop, eras, [])],
  'an era too many': ['CORE_READING_PERIODS_MISSING', ({ eras }) => Reflect.apply(Array.prototype.push, eras, [null])],
  'an era said not to be whole': ['CORE_READING_ROOT_UNTRUSTED', ({ eras }) => Reflect.set(eras, 1, null)],
  'another era in its place': ['CORE_READING_ERA_OTHER', ({ eras }) => Reflect.set(eras, 1, eras[0])],
  'another total of bytes': [
    'CORE_READING_ROOT_UNTRUSTED',
    ({ eras }) => Object.assign(eras[1] ?? {}, { totalBytes: '7' }),
  ],
  'a sibling too few': ['CORE_READING_PERIODS_MISSING', ({ eras }) => Object.assign(eras[0] ?? {}, { siblings: [] })],
  'a sibling of a whole era': [
    'CORE_READING_PERIODS_MISSING',
    ({ eras }) => Object.assign(eras[1] ?? {}, { siblings: ['00'.repeat(32)] }),
  ],
  'another network': ['CORE_READING_NETWORK_OTHER', (certificate) => Object.assign(certificate, { chainId: '78' })],
  'another format': [
    'CORE_READING_MALFORMED',
    (certificate) => Object.assign(certificate, { format: 'massa-storage/proof/1' }),
  ],
  'an end before the beginning': ['CORE_READING_MALFORMED', (certificate) => Object.assign(certificate, { to: 99 })],
}
