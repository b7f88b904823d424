import { drawRequestCodec, drawResponseCodec, } from '../../protocol-handler/index.js';
/** What challenges were drawn by that this node issued or was asked by, for whoever audits draws. */
export function createDrawService(signatures) {
    return {
        request: drawRequestCodec,
        priorityOf: () => 'read',
        answer: async ({ challengeId }) => {
            const drawSignature = await signatures.find(challengeId);
            return [drawResponseCodec.encode(drawSignature ? { status: 'ok', drawSignature } : { status: 'notHeld' })];
        },
        refuse: (_, status) => [drawResponseCodec.encode({ status })],
    };
}
//# sourceMappingURL=draw-service.js.map