import { isArchiveError } from '../../core/errors.ts'
import { parseAddress } from '../../core/massa/atoms.ts'
import { describeAddressFault } from '../../core/massa/text-faults.ts'
import { bail } from './faults.ts'

/** Checked texts are remembered: the check takes two hashes, and a contract names few addresses again and again. */
const MAX_REMEMBERED = 16_384
const valid = new Set<string>()

/** True for the text of a user's or a contract's address. */
export function isAddress(text: string): boolean {
  if (valid.has(text)) return true
  try {
    parseAddress(text)
  } catch (error) {
    if (isArchiveError(error, 'CORE_BASE58_INVALID')) return false
    throw error
  }
  if (valid.size >= MAX_REMEMBERED) valid.clear()
  valid.add(text)
  return true
}

export function isContractAddress(address: string): boolean {
  return address.startsWith('AS')
}

/** The text itself; a host function given anything else fails. */
export function checkAddress(text: string): string {
  if (!isAddress(text)) throw bail(describeAddressFault(text))
  return text
}
