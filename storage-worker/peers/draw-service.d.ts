import { type DrawRequest, type StreamService } from '../../protocol-handler/index.ts';
import type { DrawSignatures } from '../challenge/draw-signatures.ts';
/** What challenges were drawn by that this node issued or was asked by, for whoever audits draws. */
export declare function createDrawService(signatures: Pick<DrawSignatures, 'find'>): StreamService<DrawRequest>;
