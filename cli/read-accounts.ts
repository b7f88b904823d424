import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import { ArchiveError, parseAddress } from '../core/index.ts'

const MAX_NANO_MAS = (1n << 64n) - 1n

const accounts = z.record(z.string(), z.string().regex(/^\d{1,20}$/))

/**
 * Coins at genesis, of `devnet node --accounts`.
 *
 * @param file - as it was given, from `cwd`
 * @returns addresses with their nanoMAS
 * @throws ArchiveError DEVNET_ACCOUNTS_INVALID
 */
export function readAccounts(file: string, cwd: string): [string, bigint][] {
  return Object.entries(parseAccounts(file, cwd)).map(([address, text]) => {
    const nanoMas = BigInt(text)
    if (nanoMas > MAX_NANO_MAS) throw invalid(file, `the balance of ${address} is too large`)
    try {
      parseAddress(address)
    } catch (cause) {
      throw invalid(file, `'${address}' is no address`, cause)
    }
    return [address, nanoMas]
  })
}

function parseAccounts(file: string, cwd: string): Record<string, string> {
  let content: unknown
  try {
    content = JSON.parse(readFileSync(resolve(cwd, file), 'utf8'))
  } catch (cause) {
    throw invalid(file, (cause as NodeJS.ErrnoException).code ?? 'not JSON', cause)
  }
  const parsed = accounts.safeParse(content)
  if (parsed.success) return parsed.data
  const place = parsed.error.issues[0]?.path.join('.')
  throw invalid(file, place ? `the balance of ${place} is no text of digits` : 'not an object', parsed.error)
}

function invalid(file: string, reason: string, cause?: unknown): ArchiveError {
  const message = `cannot read the accounts in ${file} (${reason})`
  return new ArchiveError('DEVNET_ACCOUNTS_INVALID', message, { file, reason }, cause)
}
