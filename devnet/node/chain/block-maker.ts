import {
  computeEndorsementHash,
  computeEndorsementSignedHash,
  type Denunciation,
  encodeEndorsementContent,
  type HeaderEndorsement,
  headerFromProtobuf,
  SignedBlockHeaderCodec,
  type Slot,
} from '../../../core/index.ts'
import { signBlock } from '../../chain-maker.ts'
import { TrackedBlock } from './chain-block.ts'
import type { DrawnStaker } from './draw.ts'
import type { TrackedOperation } from './known-operation.ts'

export interface BlockPlan {
  readonly slot: Slot
  readonly producer: DrawnStaker
  /** By index; nobody signs for who is not one of the chain's own. */
  readonly endorsers: readonly (DrawnStaker | undefined)[]
  /** 33 bytes each, of every thread. */
  readonly parents: readonly Uint8Array[]
  readonly operations: readonly TrackedOperation[]
  /** 0 to 16 */
  readonly endorsements: number
  readonly networkVersion: number
  /** The block before and its rival, if it has one: who signed both is denounced. */
  readonly pair: readonly TrackedBlock[]
}

/** A block as the drawn stakers sign it, and if it is to have one, its rival. */
export function makeBlocks(plan: BlockPlan, withRival: boolean): TrackedBlock[] {
  const endorsements = signEndorsements(plan)
  const block = assemble(plan, endorsements, false)
  return withRival ? [block, assemble(plan, endorsements, true)] : [block]
}

/** A rival has an endorsement fewer, so it loses; where there is none, it says something else about versions. */
function assemble(plan: BlockPlan, endorsements: readonly HeaderEndorsement[], isRival: boolean): TrackedBlock {
  const { slot, parents, networkVersion, operations, producer, pair } = plan
  const difference = !isRival
    ? {}
    : endorsements.length > 0
      ? { endorsements: endorsements.slice(0, -1) }
      : { announcedVersion: networkVersion + 1 }
  const common = { slot, parents, currentVersion: networkVersion, denunciations: denounce(pair) }
  const header = { ...common, endorsements, ...difference }
  const content = operations.map(({ idBytes, id, message, thread }) => ({ id: idBytes, idText: id, message, thread }))
  const { id, idBytes, header: made, headerMessage } = signBlock(producer.key, header, content)
  const { address, publicKey } = producer
  return new TrackedBlock({
    ...{ id, idBytes, header: made, headerMessage, operations, isRival },
    ...{ creator: address, creatorKey: publicKey },
  })
}

function denounce([block, rival]: readonly TrackedBlock[]): Denunciation[] {
  if (!block || !rival) return []
  const [one, other] = [block, rival].map(({ headerMessage }) =>
    headerFromProtobuf(SignedBlockHeaderCodec.decode(headerMessage)),
  )
  if (!one || !other) return []
  return [
    {
      kind: 'block-header',
      publicKey: one.publicKey,
      slot: block.slot,
      hash1: block.idBytes.subarray(1),
      hash2: rival.idBytes.subarray(1),
      signature1: one.signature,
      signature2: other.signature,
    },
  ]
}

/** Each by who was drawn for its index, for the block before in the thread. */
function signEndorsements({ slot, endorsers, parents, endorsements }: BlockPlan): HeaderEndorsement[] {
  const endorsedBlock = parents[slot.thread]
  if (!endorsedBlock) throw new Error(`thread ${slot.thread} has no parent`)
  return endorsers.slice(0, endorsements).flatMap((staker, index) => {
    if (!staker) return []
    const { publicKey } = staker.key
    const hash = computeEndorsementHash(publicKey, encodeEndorsementContent({ slot, index, endorsedBlock }))
    const signature = staker.key.sign(computeEndorsementSignedHash(publicKey, { slot, index }, hash))
    return { signature, publicKey, index }
  })
}
