import {
  type DrawRequest,
  drawRequestCodec,
  drawResponseCodec,
  type StreamService,
} from '../../protocol-handler/index.ts'
import type { DrawSignatures } from '../challenge/draw-signatures.ts'

/** What challenges were drawn by that this node issued or was asked by, for whoever audits draws. */
export function createDrawService(signatures: Pick<DrawSignatures, 'find'>): StreamService<DrawRequest> {
  return {
    request: drawRequestCodec,
    priorityOf: () => 'read',
    answer: async ({ challengeId }) => {
      const drawSignature = await signatures.find(challengeId)
      return [drawResponseCodec.encode(drawSignature ? { status: 'ok', drawSignature } : { status: 'notHeld' })]
    },
    refuse: (_, status) => [drawResponseCodec.encode({ status })],
  }
}
