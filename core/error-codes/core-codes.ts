import type { ErrorEntry } from './error-entry.ts'

/** core: bytes, ids, proofs. */
export const CORE_CODES = {
  CORE_BASE58_INVALID: {
    kind: 'input',
    when: 'A text is not base58check of the expected length and prefix.',
    action: 'Check that the id was copied whole.',
  },
  CORE_VARINT_INVALID: {
    kind: 'input',
    when: 'A variable-length integer is truncated, not minimal or too large.',
    action: 'The bytes are not canonical Massa bytes; fetch them again from another source.',
  },
  CORE_BYTES_INVALID: {
    kind: 'input',
    when: 'Bytes are not the canonical form of what they should be (truncated, trailing byte, unknown kind, count over its limit).',
    action: 'Fetch the bytes again from another source.',
  },
  CORE_PROTOBUF_INVALID: {
    kind: 'input',
    when: 'A protobuf message of a node lacks a field or holds a value outside its range.',
    action: 'Check the version of the massa-node; report the message if the version is supported.',
  },
  CORE_BODY_INVALID: {
    kind: 'input',
    when: 'Bytes are not a BODY of format 1.',
    action: 'Run `massa-storage verify --repair`, or fetch the period from another archive.',
  },
  CORE_SEALS_INVALID: {
    kind: 'input',
    when: 'Bytes are not the SEALS that belong to a BODY.',
    action: 'Run `massa-storage verify --repair`, or fetch the period from another archive.',
  },
  CORE_MANIFEST_INVALID: {
    kind: 'input',
    when: 'Bytes are not a manifest of version 1, or its numbers contradict each other.',
    action: 'Run `massa-storage verify --repair`, or fetch the manifest from another archive.',
  },
  CORE_ARCHIVE_FILE_INVALID: {
    kind: 'input',
    when: 'A file is no archive file (.mhs) of format 1, or one of its records is not as it was written.',
    action: 'Get the file again, or another copy of it: its name ends with the beginning of the root it must have.',
  },
  CORE_MERKLE_PROOF_INVALID: {
    kind: 'input',
    when: 'A Merkle proof has the wrong length or does not lead to the root.',
    action: 'Do not use the data; fetch it from another source.',
  },
  CORE_PROOF_INVALID: {
    kind: 'input',
    when: 'A storage proof has the wrong shape, or its leaves do not lead to the chunk id.',
    action: 'The prover does not hold the chunk, or the proof was damaged on its way.',
  },
  CORE_EVIDENCE_INVALID: {
    kind: 'input',
    when: 'Evidence for a challenge does not lead from chunk and node to anchored roots.',
    action: 'Make the evidence again from an archive that holds the era, or challenge another node.',
  },
  CORE_SIGNATURE_INVALID: {
    kind: 'input',
    when: 'A signature argument is not a public key and a signature with a colon between them.',
    action: 'Do not use the statement; ask for it again from its signer.',
  },
  CORE_NUMBER_OUT_OF_RANGE: {
    kind: 'input',
    when: 'A number is outside the range of its type.',
    action: 'Use a value within the range that the message names.',
  },
  CORE_CHUNK_SIZE_INVALID: {
    kind: 'input',
    when: 'A chunk size is not a positive multiple of 1,024 bytes up to 1,048,576.',
    action: 'Use 1048576, or for a private network a smaller multiple of 1024.',
  },
} as const satisfies Record<`CORE_${string}`, ErrorEntry>
