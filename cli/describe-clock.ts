import { NODE_SOFTWARE } from '../devnet/node/node-identity.ts'
import type { Finding } from './check-archive.ts'

const MAX_CLOCK_SKEW_MS = 2_000

/**
 * Whether the clock of this machine is that of a massa-node. A node of a devnet has a time of its own, which begins years ago
 * and may run faster: no clock has to be set by it.
 *
 * @param version - of the software of the node
 * @param skewMs - by which its clock is ahead of the one of this machine
 */
export function describeClock(version: string, skewMs: number): Finding {
  const check = 'clock'
  const distanceMs = Math.abs(skewMs)
  if (version === NODE_SOFTWARE)
    return { check, ok: true, detail: 'the node is of a devnet, which has a time of its own' }
  const detail = `${distanceMs} ms from the node's`
  if (distanceMs <= MAX_CLOCK_SKEW_MS) return { check, ok: true, detail }
  return { check, ok: false, detail, fix: 'set the clock of this machine (NTP)' }
}
