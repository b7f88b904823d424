import { randomInt } from 'node:crypto'
import { SuspicionHints } from '../../storage-worker/challenge/suspicion-hints.ts'
import type { Auditor } from '../../storage-worker/replication/auditor.ts'
import { listBoundPeers } from '../peers/connected-peers.ts'
import { keepRunning, type PeerContext } from '../peers/peer-context.ts'
import type { ChainContext } from './chain-context.ts'

/** Audits what other nodes of the registry did not get shown, where this one may challenge for it. */
export function startSuspicionHints(
  context: PeerContext,
  { sender }: Pick<ChainContext, 'sender'>,
  auditor: Pick<Auditor, 'findTold' | 'audit'>,
): void {
  const { address, registered, client, clock, log } = context
  const hints = new SuspicionHints({
    readIsChallenger: () => sender.client.read('isChallenger', { address }),
    listPeers: () => listBoundPeers(context).filter((bound) => registered.has(bound.address)),
    client,
    auditor,
    clock,
    random: (maxExclusive) => randomInt(maxExclusive),
    log,
  })
  keepRunning('suspicion hints', hints, context)
}
