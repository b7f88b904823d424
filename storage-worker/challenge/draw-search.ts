import { isArchiveError } from '../../core/index.ts'
import type { PeerClient } from '../peers/peer-client.ts'
import { type DrawSignatures, findDrawIndex } from './draw-signatures.ts'
import type { IssuedChallenge } from './issued-challenges.ts'

export interface DrawSearchModules {
  readonly signatures: Pick<DrawSignatures, 'find' | 'put'>
  readonly client: Pick<PeerClient, 'fetchDrawSignature'>
  /** Connected peers, with the Massa address that each is bound to. */
  readonly listPeers: () => readonly { readonly peer: string; readonly address: string }[]
}

/**
 * Finds what the challenges of one audit of draws were drawn by: here, or at those who have it, the issuer and the challenged node.
 * What is found is kept.
 */
export class DrawSearch {
  private readonly modules: DrawSearchModules
  /** Challenges of one audit have one signature. */
  private readonly found: Uint8Array[] = []
  /** Who did not answer is not asked again. */
  private readonly silent = new Set<string>()

  constructor(modules: DrawSearchModules) {
    this.modules = modules
  }

  /** 65 bytes. @throws ArchiveError of the store */
  async find(challenge: IssuedChallenge): Promise<Uint8Array | undefined> {
    const { challengeId, issuedPeriod } = challenge
    const { signatures } = this.modules
    const kept = await signatures.find(challengeId)
    if (kept) return kept
    const known = this.found.find((signature) => findDrawIndex(challengeId, signature) !== undefined)
    const signature = known ?? (await this.ask(challenge))
    if (!signature) return undefined
    if (!known) this.found.push(signature)
    await signatures.put({ challengeId, issuedPeriod, signature })
    return signature
  }

  private async ask({ challengeId, issuer, node }: IssuedChallenge): Promise<Uint8Array | undefined> {
    const { client, listPeers } = this.modules
    for (const { peer, address } of listPeers()) {
      if ((address !== issuer && address !== node) || this.silent.has(peer)) continue
      try {
        const fetched = await client.fetchDrawSignature(peer, challengeId)
        if (fetched.status === 'ok') return fetched.value
      } catch (error) {
        if (!isArchiveError(error)) throw error
        this.silent.add(peer)
      }
    }
    return undefined
  }
}
