import { ArchiveError } from '../errors.ts'
import { REGISTRY_ERROR_CODES, type RegistryErrorCode } from './error-codes.ts'

/** A message of the registry as it stands inside a node's error text: `error: CODE: words at file.ts:1 col: 2`. */
const REFUSAL = /(?:^|error: )(REGISTRY_[A-Z_]+): (.*?)(?: at \S+\.ts:\d+ col: \d+|["\\}]*$)/s

/**
 * The refusal of the registry inside an error text of a node; undefined when the text holds none, such as out of gas.
 *
 * @param text - of a read-only call, or the data of a `massa_execution_error` event
 */
export function parseRegistryRefusal(text: string): ArchiveError<RegistryErrorCode> | undefined {
  const [, code = '', words = ''] = REFUSAL.exec(text) ?? []
  if (!Object.hasOwn(REGISTRY_ERROR_CODES, code)) return undefined
  return new ArchiveError(code as RegistryErrorCode, `the registry refused: ${words.slice(0, 200)}`, { text })
}
