import type { ErrorEntry } from './error-entry.ts'

/** core/reading: what is wrong with the proof of an answer. */
export const READING_CODES = {
  CORE_READING_MALFORMED: {
    kind: 'input',
    when: 'A proof of an answer is not the JSON of format 1: a field lacks, is unknown or holds something else.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_TOO_LARGE: {
    kind: 'input',
    when: 'An answer or its proof is longer, deeper or of more parts than any honest one.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_NETWORK_OTHER: {
    kind: 'input',
    when: 'A proof is of another network (chain id and genesis timestamp) than the one asked about.',
    action: 'Ask an archive of the network that you mean.',
  },
  CORE_READING_SLOT_OTHER: {
    kind: 'input',
    when: 'A proof is of another period, slot or range than was asked for.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_ID_OTHER: {
    kind: 'input',
    when: 'A proof shows another block than was asked for, or a block that does not list the operation.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_SLOT_EMPTY: {
    kind: 'input',
    when: 'A block was asked for, and the bitmap of the period says that there is none at the slot.',
    action: 'Check the answer as one that says that the slot has no block.',
  },
  CORE_READING_SLOT_TAKEN: {
    kind: 'input',
    when: 'An answer says that a slot has no block, and the bitmap of the period says that it has one.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_CHUNK_INVALID: {
    kind: 'input',
    when: 'Leaves and siblings of a proof do not lead to the chunk id, or are more, fewer or in another order than they have to be; or the bytes of a chunk do not hash to it.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_LEAVES_MISSING: {
    kind: 'input',
    when: 'A proof does not show all bytes of BODY that say where its block stands and what it is.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_BODY_INVALID: {
    kind: 'input',
    when: 'What a proof shows is authentic, but not the BODY of this period: lengths, flags, ids or the operation list are wrong.',
    action: 'Do not use the answer; ask another archive, and compare the period root with that of your own node.',
  },
  CORE_READING_SIGNATURE_INVALID: {
    kind: 'input',
    when: 'A signature that a proof gives does not verify, or there are more or fewer than the answer needs.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_ERA_OTHER: {
    kind: 'input',
    when: 'A proof leads to the root of another era than the one that its period is part of.',
    action: 'Do not use the answer; ask another archive.',
  },
  CORE_READING_ROOT_UNTRUSTED: {
    kind: 'input',
    when:
      'A proof leads to another period root or era root than the one that the reader trusts, or to none where he knows one, or where ' +
      'nothing else binds the content of an operation.',
    action:
      'Do not use the answer: the archive that gave it has another history than the one that you trust, or one that you know nothing of.',
  },
  CORE_READING_PERIODS_MISSING: {
    kind: 'input',
    when: 'A certificate of completeness has not each period of its range once, or a list that is checked by it leaves out a period.',
    action: 'Do not use the list; ask another archive.',
  },
  CORE_READING_LIST_OTHER: {
    kind: 'input',
    when: 'A list of what an address did leaves out an operation, or has one that is not of this address in these periods.',
    action: 'Do not use the list; ask another archive.',
  },
  CORE_READING_NOT_HELD: {
    kind: 'transient',
    when: 'A proof cannot be made: the archive does not hold the manifest or a chunk that it needs.',
    action: 'Ask an archive that holds the period, or try again when it was fetched.',
  },
} as const satisfies Record<`CORE_READING_${string}`, ErrorEntry>
