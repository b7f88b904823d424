import type { PeerClient } from '../peers/peer-client.ts';
import { type DrawSignatures } from './draw-signatures.ts';
import type { IssuedChallenge } from './issued-challenges.ts';
export interface DrawSearchModules {
    readonly signatures: Pick<DrawSignatures, 'find' | 'put'>;
    readonly client: Pick<PeerClient, 'fetchDrawSignature'>;
    /** Connected peers, with the Massa address that each is bound to. */
    readonly listPeers: () => readonly {
        readonly peer: string;
        readonly address: string;
    }[];
}
/**
 * Finds what the challenges of one audit of draws were drawn by: here, or at those who have it, the issuer and the challenged node.
 * What is found is kept.
 */
export declare class DrawSearch {
    private readonly modules;
    /** Challenges of one audit have one signature. */
    private readonly found;
    /** Who did not answer is not asked again. */
    private readonly silent;
    constructor(modules: DrawSearchModules);
    /** 65 bytes. @throws ArchiveError of the store */
    find(challenge: IssuedChallenge): Promise<Uint8Array | undefined>;
    private ask;
}
