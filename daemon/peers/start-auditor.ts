import { randomInt } from 'node:crypto'
import { Auditor } from '../../storage-worker/replication/auditor.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { AUDIT_RESULTS } from '../../telemetry/index.ts'
import { listBoundPeers } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** Has the other nodes of the registry show, all day long, what they hold. */
export function startAuditor(context: PeerContext, claims: Pick<HolderClaims, 'withdraw' | 'withdrawAll'>): Auditor {
  const { auditsPerDay, client, placement, store, clock, log, metrics } = context
  // From 0 on, so that the first failure is an increase.
  for (const result of AUDIT_RESULTS) metrics.audits.add(0, { result })
  const auditor = new Auditor(auditsPerDay === undefined ? {} : { auditsPerDay }, {
    client,
    placement,
    store: store.chunks,
    listPeers: () => listBoundPeers(context),
    clock,
    random: (maxExclusive) => randomInt(maxExclusive),
    log,
    onResult: (result, suspicions) => {
      metrics.audits.add(1, { result })
      metrics.auditSuspicions.set(suspicions)
    },
    withdraw: (address, hashSlot, era) => claims.withdraw(address, hashSlot, era),
    withdrawAll: (address) => claims.withdrawAll(address),
    onFailure: (error) => log.warn({ err: error }, 'no chunk drawn for an audit'),
  })
  keepRunning('auditor', auditor, context)
  return auditor
}
