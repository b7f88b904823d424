import { randomInt } from 'node:crypto'
import type { ErrorCode } from '../../core/index.ts'
import { ChunkPuller } from '../../storage-worker/replication/chunk-puller.ts'
import { Duty } from '../../storage-worker/replication/duty.ts'
import type { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { Patrol, type PatrolReport } from '../../storage-worker/replication/patrol.ts'
import { StandIns } from '../../storage-worker/replication/stand-ins.ts'
import { listPeerArchives } from './connected-peers.ts'
import { keepRunning, type PeerContext } from './peer-context.ts'

/** What this node is to hold, and how far it is from it; `replication.repair` of `/v1/status`. */
export interface RepairStatus extends Omit<PatrolReport, 'missingForMs'> {
  /** Hash slots that this node is to hold, with those for which it stands in. */
  readonly hashSlots: number
  readonly standInSlots: number
  /** Addresses of nodes of the registry that have been away for longer than `repair_delay_seconds`. */
  readonly awayNodes: readonly string[]
  /** For how long something has been missing; null while nothing is. */
  readonly missingForMs: number | null
  /** Why nothing is stored of what others give, if so. */
  readonly failing: { readonly code: ErrorCode; readonly message: string } | null
}

export interface Replication {
  /** Hash slots that this node is to hold. */
  readonly duty: Duty
  /** Is told when what is held of a period may have changed. */
  readonly patrol: Patrol
  /** Undefined without a registry. */
  readonly reportRepair: () => RepairStatus | undefined
  /** As of `StandIns`. */
  readonly awayForMs: (address: string) => number | undefined
}

/** Fetches what this node is to hold and does not, also for nodes that are away. Without a registry nothing is. */
export function startReplication(context: PeerContext, claims: HolderClaims): Replication {
  const { config, address, placement, archiver, store, clock, log, holdings, metrics, undo } = context
  const registry = config.storageRegistryAddress
  const standIns = new StandIns(
    { ownAddress: address, repairDelayMs: config.p2p.repairDelaySeconds * 1_000 },
    { placement, claims, clock, log },
  )
  const duty = new Duty(
    { address, registry },
    {
      placement,
      standIns: () => standIns.slots,
      finalPeriod: () => archiver.status().nodeFinalSlot?.period,
      spool: store.spool,
      clock,
    },
  )
  const puller = openPuller(context, claims)
  const patrol = new Patrol({
    store: store.chunks,
    duty,
    holdings,
    puller,
    clock,
    log,
    onPulled: ({ pulled, bytes }) => {
      metrics.fetchedChunks.add(pulled)
      metrics.fetchedBytes.add(bytes)
    },
  })
  keepRunning('stand-ins', standIns, context)
  keepRunning('duty', duty, context)
  keepRunning('patrol', patrol, context)
  // Before the patrol, which waits for it.
  undo.push(() => puller.stop())
  const reportRepair = (): RepairStatus | undefined => {
    if (registry === '') return undefined
    const { failing } = puller
    const { missingForMs, ...rest } = patrol.report()
    return {
      hashSlots: duty.listSlots().length,
      standInSlots: standIns.slots.size,
      awayNodes: standIns.report().awayNodes,
      ...rest,
      missingForMs: missingForMs ?? null,
      failing: failing ? { code: failing.code, message: failing.message } : null,
    }
  }
  return { duty, patrol, reportRepair, awayForMs: (address) => standIns.awayForMs(address) }
}

function openPuller(context: PeerContext, claims: HolderClaims): ChunkPuller {
  const { node, client, cpu, store, clock, log } = context
  return new ChunkPuller({
    store: store.chunks,
    client,
    sources: {
      listClaimants: (hashSlot, era, periods) => claims.listClaimants(hashSlot, era, periods),
      peerOf: (address) => claims.peerOf(address),
      listPeers: () => listPeerArchives(context),
    },
    onWrong: (peer) => node.penalise(peer, 'reject'),
    cpu,
    clock,
    random: (maxExclusive) => randomInt(maxExclusive),
    log,
  })
}
