import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { findPackageRoot } from '../../../config/index.ts'

const nanoMas = z.string().regex(/^-?\d+$/)

const row = z.strictObject({
  /** Of the adversary; null of an honest node. */
  name: z.string().nullable(),
  /** What an honest node is called that an adversary is after. */
  victim: z.string().nullable().default(null),
  /** All of one adversary together. */
  nodes: z.int().default(1),
  /** Challenges. */
  passed: z.int(),
  judged: z.int(),
  vestedNanoMas: nanoMas,
  stakeLostNanoMas: nanoMas,
  /** Fees, and coins in records. */
  spentNanoMas: nanoMas,
  strikePoints: z.int(),
  isLeaving: z.boolean(),
  /** Lines of its log in which it says that it does what it is named for. */
  deeds: z.int(),
  lastDeed: z.string().nullable(),
})

const result = z.strictObject({
  /** One after the other, each with a network of its own. */
  networks: z.array(
    z.strictObject({
      /** ISO 8601, at its end */
      date: z.string(),
      eras: z.int(),
      /** Since the first node registered. */
      periods: z.int(),
      seconds: z.int(),
      rows: z.array(row),
    }),
  ),
})

/** What came of an adversary on a devnet, or of an honest node beside it. */
export type DevnetRow = z.infer<typeof row>
export type DevnetResult = z.infer<typeof result>

/** Without networks of which each adversary did what it is named for in a later one, too. */
export function dropOutdated(networks: DevnetResult['networks']): DevnetResult['networks'] {
  return networks.filter(({ rows }, i) => {
    const deeds = networks.slice(i + 1).flatMap((network) => network.rows.filter((row) => row.deeds > 0))
    const later = new Set(deeds.map(({ name }) => name))
    return rows.some(({ name }) => name !== null && !later.has(name))
  })
}

function fileOf(): string {
  return join(findPackageRoot(), 'test/adversary/devnet/result.json')
}

/** What was measured last. @throws Error when it is damaged */
export function readDevnetResult(): DevnetResult {
  return result.parse(JSON.parse(readFileSync(fileOf(), 'utf8')))
}

export function writeDevnetResult(measured: DevnetResult): void {
  writeFileSync(fileOf(), `${JSON.stringify(measured, undefined, 2)}\n`)
}
