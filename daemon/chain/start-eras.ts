import { EraAnchorer } from '../../storage-worker/eras/era-anchorer.ts'
import type { EraGatherer } from '../../storage-worker/eras/era-gatherer.ts'
import { keepRunning } from '../peers/peer-context.ts'
import type { ChainContext } from './chain-context.ts'

/** Anchors eras that are over, with what their nodes signed. */
export function startEras(chain: ChainContext, gatherer: EraGatherer): EraAnchorer {
  const { sender, placement, archiver, clock, log } = chain
  const finalPeriod = () => archiver.status().nodeFinalSlot?.period
  const anchorer = new EraAnchorer(
    { address: sender.address },
    { gatherer, sender, placement, finalPeriod, clock, log },
  )
  keepRunning('era anchorer', anchorer, chain)
  return anchorer
}
