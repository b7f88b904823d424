import { parseBlockId } from '../core/index.ts'

/** Of what is looked at as a block id at all: they have 51 or 52 letters. */
export const MAX_ID_LENGTH = 64

/** Whether a text of a node is a block id. */
export function isBlockId(text: string): boolean {
  try {
    parseBlockId(text)
    return true
  } catch {
    return false
  }
}
