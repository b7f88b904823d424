import { parseBlockId } from '../core/index.ts'

/** Whether a text of a node is a block id. */
export function isBlockId(text: string): boolean {
  try {
    parseBlockId(text)
    return true
  } catch {
    return false
  }
}
