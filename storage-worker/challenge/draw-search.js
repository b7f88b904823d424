import { isArchiveError } from '../../core/index.js';
import { findDrawIndex } from './draw-signatures.js';
/**
 * Finds what the challenges of one audit of draws were drawn by: here, or at those who have it, the issuer and the challenged node.
 * What is found is kept.
 */
export class DrawSearch {
    modules;
    /** Challenges of one audit have one signature. */
    found = [];
    /** Who did not answer is not asked again. */
    silent = new Set();
    constructor(modules) {
        this.modules = modules;
    }
    /** 65 bytes. @throws ArchiveError of the store */
    async find(challenge) {
        const { challengeId, issuedPeriod } = challenge;
        const { signatures } = this.modules;
        const kept = await signatures.find(challengeId);
        if (kept)
            return kept;
        const known = this.found.find((signature) => findDrawIndex(challengeId, signature) !== undefined);
        const signature = known ?? (await this.ask(challenge));
        if (!signature)
            return undefined;
        if (!known)
            this.found.push(signature);
        await signatures.put({ challengeId, issuedPeriod, signature });
        return signature;
    }
    async ask({ challengeId, issuer, node }) {
        const { client, listPeers } = this.modules;
        for (const { peer, address } of listPeers()) {
            if ((address !== issuer && address !== node) || this.silent.has(peer))
                continue;
            try {
                const fetched = await client.fetchDrawSignature(peer, challengeId);
                if (fetched.status === 'ok')
                    return fetched.value;
            }
            catch (error) {
                if (!isArchiveError(error))
                    throw error;
                this.silent.add(peer);
            }
        }
        return undefined;
    }
}
//# sourceMappingURL=draw-search.js.map