import type { GossipSub } from '@libp2p/gossipsub'
import type { PeerId } from '@libp2p/interface'

/** As libp2p's gossipsub has it beside its public interface. */
interface RpcHandler {
  handleReceivedRpc(from: PeerId, rpc: { readonly messages: readonly unknown[] }): Promise<void>
}

/**
 * Gossipsub that asks before it looks at what a peer hands on: it verifies each signature, and only then asks the validator
 * of the topic.
 *
 * @param admit - takes the text of a PeerId and how many messages came; false: they are left alone
 */
export function boundGossip(pubsub: GossipSub, admit: (peer: string, messages: number) => boolean): void {
  const handler = pubsub as GossipSub & RpcHandler
  const handle = handler.handleReceivedRpc.bind(pubsub)
  handler.handleReceivedRpc = async (from, rpc) => {
    if (admit(from.toString(), rpc.messages.length)) await handle(from, rpc)
  }
}

/** What a message is told from others by before its signature is verified: one that was heard is not verified again. */
export function fastMessageId({ signature }: { readonly signature?: Uint8Array }): string {
  return signature ? Buffer.from(signature).toString('latin1') : ''
}
