import { ByteReader, concatBytes, readBlockHead, type SplitSlot } from '../../core/index.ts'

/** Ids are hex text here. */
export interface BlockLinks {
  readonly id: string
  /** 32 in thread order; none for a genesis block. */
  readonly parents: readonly string[]
}

/** What stands in each thread of a period; undefined where no block does. */
export type PeriodLinks = readonly (BlockLinks | undefined)[]

/** What BODY says of the headers of a period; undefined where no block stands. */
export type PeriodHeads = readonly (ReturnType<typeof readBlockHead> | undefined)[]

const ID_BYTES = 33

/** Hashes headers and nothing else: a millisecond for a whole period. @throws ArchiveError CORE_BODY_INVALID */
export function readHeads(slots: readonly SplitSlot[]): PeriodHeads {
  return slots.map((slot) =>
    slot.kind === 'block' ? readBlockHead(new ByteReader(slot.record, 'CORE_BODY_INVALID')) : undefined,
  )
}

export function linksOf(heads: PeriodHeads): PeriodLinks {
  return heads.map((head) => head && toLinks(head.id, concatBytes(...head.header.parents)))
}

/** @param parents - 33 bytes each, one behind the other */
export function toLinks(id: Uint8Array, parents: Uint8Array): BlockLinks {
  const all = toHexText(parents)
  return {
    id: toHexText(id),
    parents: Array.from({ length: parents.length / ID_BYTES }, (_, i) =>
      all.slice(2 * ID_BYTES * i, 2 * ID_BYTES * (i + 1)),
    ),
  }
}

/** Of a thousand ids in each period: ten times as fast as byte by byte. */
function toHexText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}
