import type { ErrorCode } from '../core/index.ts'
import { type Metrics, REFUSAL_CODES, type RefusalCode } from '../telemetry/index.ts'

const KNOWN: ReadonlySet<string> = new Set(REFUSAL_CODES)

/** Counts what was refused, by its code and by the node that gave it; without a node it came from the disk. */
export function recordRefusal(metrics: Metrics): (code: ErrorCode, node: number | undefined) => void {
  return (code, node) => metrics.refusedBlocks.add(1, { code: toLabel(code), node: node ?? 'disk' })
}

function toLabel(code: ErrorCode): RefusalCode {
  return KNOWN.has(code) ? (code as RefusalCode) : 'other'
}
