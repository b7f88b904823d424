import assert from 'node:assert/strict'
import { Attacker } from './attacker.ts'
import { addressOf, ask, closePeers, connect, echoAudits, openPeer, type Peer, type PeerOptions } from './open-peer.ts'

/** A node that answers audits, and an honest one and an attacker that are connected with it. */
export interface HostileStage {
  readonly victim: Peer
  readonly honest: Peer
  readonly attacker: Attacker
}

/** @param options - of the victim */
export async function openHostileStage(options: PeerOptions = {}): Promise<HostileStage> {
  const victim = await openPeer('victim', options)
  const honest = await openPeer('honest')
  await victim.node.serve('audit', echoAudits())
  await connect(honest, victim)
  const attacker = await Attacker.connect('attacker', addressOf(victim))
  return { victim, honest, attacker }
}

/** Whatever goes on, the honest one is answered. */
export async function assertServes(victim: Peer, honest: Peer): Promise<void> {
  assert.equal((await ask(honest, victim, 7)).status, 'ok')
}

export async function closeHostileStage(): Promise<void> {
  await Attacker.stopAll()
  await closePeers()
}
