import type { SignatureArgument } from '../../core/index.ts'
import {
  type EraRequest,
  eraRequestCodec,
  eraResponseCodec,
  MAX_ERA_SIGNATURES,
  type StreamService,
} from '../../protocol-handler/index.ts'
import type { OwnEras } from './own-eras.ts'

/**
 * What this node says about an era that is complete here, for whoever gathers signatures to anchor it.
 *
 * @param listOthers - so many signatures of others at most, verified, of the same statement
 */
export function createEraService(
  eras: Pick<OwnEras, 'sign'>,
  listOthers: (era: number, limit: number) => readonly SignatureArgument[],
): StreamService<EraRequest> {
  return {
    request: eraRequestCodec,
    priorityOf: () => 'repair',
    answer: async ({ era }) => {
      const signed = await eras.sign(era)
      if (!signed) return [eraResponseCodec.encode({ status: 'notHeld' })]
      const { eraRoot, totalBytes, totalChunks, nextPlacementRoot } = signed.statement
      const signatures = [signed.signature, ...listOthers(era, MAX_ERA_SIGNATURES - 1)]
      const said = { era, eraRoot, totalBytes, totalChunks, nextPlacementRoot, signatures }
      return [eraResponseCodec.encode({ status: 'ok', ...said })]
    },
    refuse: (_, status) => [eraResponseCodec.encode({ status })],
  }
}
