import { randomInt } from 'node:crypto'
import { createSuspicionService } from '../../storage-worker/peers/suspicion-service.ts'
import { Auditor } from '../../storage-worker/replication/auditor.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { AUDIT_RESULTS } from '../../telemetry/index.ts'
import { listBoundPeers } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Has the other nodes of the registry show, all day long, what they hold, and tells whoever asks what they did not. */
export async function startAuditor(
  context: PeerContext,
  claims: Pick<HolderClaims, 'withdraw' | 'withdrawAll'>,
): Promise<Auditor> {
  const { auditsPerDay, node, client, placement, store, clock, log, metrics } = context
  // From 0 on, so that the first failure is an increase.
  for (const result of AUDIT_RESULTS) metrics.audits.add(0, { result })
  const random = (maxExclusive: number) => randomInt(maxExclusive)
  const auditor = new Auditor(auditsPerDay === undefined ? {} : { auditsPerDay }, {
    client,
    placement,
    store: store.chunks,
    listPeers: () => listBoundPeers(context),
    clock,
    random,
    log,
    onResult: (result, suspicions) => {
      metrics.audits.add(1, { result })
      metrics.auditSuspicions.set(suspicions)
    },
    withdraw: (address, hashSlot, era) => claims.withdraw(address, hashSlot, era),
    withdrawAll: (address) => claims.withdrawAll(address),
    onFailure: (error) => log.warn({ err: error }, 'no chunk drawn for an audit'),
  })
  await node.serve('suspicion', createSuspicionService({ listSuspicions: () => auditor.listSuspicions(), random }))
  keepRunning('auditor', auditor, context)
  return auditor
}
