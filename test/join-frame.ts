import { concatBytes } from '../core/index.ts'
import type { Frame } from '../protocol-handler/index.ts'

/** A frame of an answer as it arrives. */
export function joinFrame(frame: Frame): Uint8Array {
  return frame instanceof Uint8Array ? frame : concatBytes(...frame)
}
