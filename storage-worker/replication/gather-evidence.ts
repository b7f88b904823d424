import type { Clock, Period } from '../../core/index.ts'
import type { AuditPeer } from './auditor.ts'
import type { DrawnChunk } from './chunk-draw.ts'
import { orAborted } from './or-aborted.ts'
import type { ShownLeaves } from './shown-leaves.ts'
import type { AuditResult } from './suspicions.ts'
import type { WithheldChunks } from './withheld-chunks.ts'

/** Holders are asked by so many at a time, each with a pause behind: 20 leaves a second, below what they notice. */
const ASKERS = 4
const ASK_PAUSE_MS = 200
/** A holder that did not show so many chunks is not asked for more of them. */
const MAX_MISSES = 3

export interface EvidencePorts {
  /** Who would have to show it; undefined: whatever they show, it stays. */
  readonly listHolders: (chunk: DrawnChunk) => readonly string[] | undefined
  /** PeerId text of a node while it is connected. */
  readonly peerOf: (address: string) => string | undefined
  /** Has a node show a leaf at an index that is drawn for it. */
  readonly audit: (peer: AuditPeer, chunk: DrawnChunk) => Promise<AuditResult>
  /** Whether a peer shows SEALS that may stay in place of ours; of chunk 0 alone, with which they go. */
  readonly hasShownSeals: (peer: string, chunk: DrawnChunk) => Promise<boolean>
  /** What this node gives to nobody meanwhile. */
  readonly withheld: WithheldChunks
  /** Of the newest final slot that is known. */
  readonly finalPeriod: () => Period | undefined
  readonly clock: Clock
}

/** Has the holders of chunks show what they did not show of late; what they show is noted in `shown`. */
export async function gatherEvidence(
  chunks: readonly DrawnChunk[],
  modules: EvidencePorts & { readonly shown: ShownLeaves },
  signal: AbortSignal,
): Promise<void> {
  const waiting = chunks.values()
  const misses = new Map<string, number>()
  const work = async (): Promise<void> => {
    for (const chunk of waiting) {
      if (signal.aborted) return
      await modules.withheld.during(chunk, () => askHolders(chunk, misses, { ...modules, signal }))
    }
  }
  await Promise.all(Array.from({ length: ASKERS }, work))
}

/** One after the other, until one does not show it: then the chunk stays, whatever the others have. */
async function askHolders(
  chunk: DrawnChunk,
  misses: Map<string, number>,
  modules: EvidencePorts & { readonly shown: ShownLeaves; readonly signal: AbortSignal },
): Promise<void> {
  const { shown, signal, clock, peerOf, audit, hasShownSeals } = modules
  for (const address of modules.listHolders(chunk) ?? []) {
    const finalPeriod = modules.finalPeriod()
    if (finalPeriod === undefined || signal.aborted) return
    if (shown.isFresh(address, chunk, finalPeriod)) continue
    const peer = peerOf(address)
    const missed = misses.get(address) ?? 0
    if (peer === undefined || missed >= MAX_MISSES) return
    const result = await orAborted(audit({ address, peer }, chunk), signal)
    if (result === undefined) return
    if (result !== 'shown') misses.set(address, missed + 1)
    const isShown =
      result === 'shown' && (chunk.index > 0 || (await orAborted(hasShownSeals(peer, chunk), signal)) === true)
    if (isShown) shown.note(address, chunk, finalPeriod)
    await clock.sleep(ASK_PAUSE_MS, signal)
    if (!isShown) return
  }
}
