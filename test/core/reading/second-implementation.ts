import { execFile, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  fromHex,
  isArchiveError,
  type Network,
  type PeriodRange,
  type Question,
  type TrustedHistory,
  toHex,
  verifyCompleteness,
  verifyProof,
} from '../../../core/index.ts'
import { fixturePath } from '../../devnet/fixture.ts'

export const hasPython = spawnSync('python3', ['--version']).status === 0

/** What a reader knows, as JSON for the second implementation. */
export interface KnownRoots {
  readonly network?: { readonly chainId: string; readonly genesisTimestampMs: string }
  readonly eraRoots?: Readonly<Record<number, string>>
  readonly periodRoots?: Readonly<Record<number, string>>
}

/** Answered by a certificate of completeness. */
export interface RangeQuestion extends PeriodRange {
  readonly kind: 'periods'
}

/** One line of the file that `massa_archive.py proofs` reads. */
export interface ProofCase {
  /** JSON text of the proof. */
  readonly proof: string
  readonly question: Question | RangeQuestion
  readonly trusted: KnownRoots
}

interface RangeResult {
  readonly roots: readonly string[]
  /** Root, and whether it was compared with one that the reader trusts. */
  readonly eras: Readonly<Record<number, readonly [string, boolean]>>
  readonly trust: readonly string[]
  readonly blocks: number
}

/** What either implementation makes of a case, as far as it is not the record itself. */
export type CaseResult =
  | { readonly refused: string }
  | {
      readonly checks: readonly (readonly [string, string])[]
      readonly gaps: readonly string[]
      readonly trust: string
    }
  | RangeResult

export function nameNetwork({ chainId, genesisTimestampMs }: Network): Required<KnownRoots>['network'] {
  return { chainId: String(chainId), genesisTimestampMs: String(genesisTimestampMs) }
}

/** What our own verifier makes of a case. */
export function judge({ proof, question, trusted }: ProofCase): CaseResult {
  const { network, eraRoots, periodRoots } = trusted
  const known: TrustedHistory = {
    ...(network && {
      network: { chainId: BigInt(network.chainId), genesisTimestampMs: BigInt(network.genesisTimestampMs) },
    }),
    findEraRoot: (era) => parseRoot(eraRoots?.[era]),
    findPeriodRoot: (period) => parseRoot(periodRoots?.[period]),
  }
  try {
    if (question.kind === 'periods') return judgeRange(proof, question, known)
    const { checks, gaps, trust } = verifyProof(proof, question, known)
    return { checks: checks.map(({ name, value }) => [name, value]), gaps, trust }
  } catch (error) {
    if (!isArchiveError(error)) throw error
    return { refused: error.code }
  }
}

function judgeRange(proof: string, range: PeriodRange, known: TrustedHistory): RangeResult {
  const { periods, eras, blocks } = verifyCompleteness(proof, range, known)
  const whole = eras.flatMap(({ era, root, isTrusted }) => (root ? [[era, [toHex(root), isTrusted]] as const] : []))
  return {
    roots: periods.map(({ root }) => toHex(root)),
    eras: Object.fromEntries(whole),
    trust: periods.map(({ trust }) => trust),
    blocks,
  }
}

/** What the second implementation makes of them. */
export async function judgeElsewhere(cases: readonly ProofCase[]): Promise<CaseResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'massa-storage-proofs-'))
  try {
    const path = join(folder, 'cases.ndjson')
    writeFileSync(path, cases.map((one) => `${JSON.stringify(one)}\n`).join(''))
    const lines = (await runPython(['proofs', path])).trim().split('\n')
    return lines.map((line) => {
      const { record: _, ...result } = JSON.parse(line) as CaseResult & { record?: unknown }
      return result
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Its output; exit code 1 says that something was refused. */
function runPython(args: readonly string[]): Promise<string> {
  const script = fixturePath('test/reference/massa_archive.py')
  return new Promise((resolve, reject) => {
    execFile('python3', [script, ...args], { maxBuffer: 256 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (error && error.code !== 1) reject(new Error(`massa_archive.py: ${stderr}`, { cause: error }))
      else if (stderr !== '') reject(new Error(`massa_archive.py: ${stderr}`))
      else resolve(stdout)
    })
  })
}

function parseRoot(hex: string | undefined): Uint8Array | undefined {
  return hex === undefined ? undefined : fromHex(hex)
}

/** With one bit of a byte changed. */
export function flipBit(text: string, at: number, bit: number): string {
  const bent = Buffer.from(text, 'latin1')
  bent[at] = (bent[at] ?? 0) ^ (1 << (bit % 8))
  return bent.toString('latin1')
}
