import { VerifiedChunk } from '../../core/index.ts'
import { HoleFiller } from '../../storage-worker/bootstrap/hole-filler.ts'
import { GapFiller } from '../../storage-worker/peers/gap-filler.ts'
import { Announcer } from '../../storage-worker/replication/announcer.ts'
import { Auditor } from '../../storage-worker/replication/auditor.ts'
import { Duty } from '../../storage-worker/replication/duty.ts'
import { HolderClaims } from '../../storage-worker/replication/holder-claims.ts'
import { Patrol } from '../../storage-worker/replication/patrol.ts'
import { ShownLeaves } from '../../storage-worker/replication/shown-leaves.ts'
import { StandIns } from '../../storage-worker/replication/stand-ins.ts'
import { SIM_CPU } from './sim-node.ts'

const nothing = async (): Promise<void> => undefined

/** Each breaks one thing that the rooms do, for the rest of the process: simulations have to find it out. */
export const MUTANTS: Readonly<Record<string, () => void>> = {
  'prune without evidence': () => patch(ShownLeaves, 'isFresh', () => true),
  'prune of what was assigned': () => {
    patch(ShownLeaves, 'isFresh', () => true)
    patch(Duty, 'wasNeverAssigned', () => true)
  },
  'no hole filler': () => patch(HoleFiller, 'look', async () => 0),
  'no gap filler': () => patch(GapFiller, 'fill', async () => 0),
  'no stand-ins': () => patch(StandIns, 'look', nothing),
  'no withdrawal': () => patch(HolderClaims, 'withdrawAll', () => undefined),
  'no audits': () => patch(Auditor, 'look', nothing),
  'no patrol': () => patch(Patrol, 'look', nothing),
  'no announcements': () => patch(Announcer, 'look', nothing),
  'no have-maps': () => patch(HolderClaims, 'look', nothing),
  'chunks unchecked': () => patch(VerifiedChunk, 'verify', trust),
  'SEALS unchecked': () => {
    const { verifyRecords } = SIM_CPU
    patch(SIM_CPU, 'verifyRecords', async (...given: Parameters<typeof verifyRecords>) =>
      (await verifyRecords(...given)).map((record) => ({ ...record, isSealed: true })),
    )
  },
}

function trust(bytes: Uint8Array, chunkId: Uint8Array): VerifiedChunk {
  return Object.assign(Object.create(VerifiedChunk.prototype), { bytes, chunkId })
}

function patch(target: { readonly prototype: object } | object, name: string, work: unknown): void {
  const owner = Reflect.has(target, name) ? target : Reflect.get(target, 'prototype')
  if (!Reflect.has(owner, name)) throw new Error(`there is no ${name}`)
  Object.assign(owner, { [name]: work })
}
