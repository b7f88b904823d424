import {
  ArchiveError,
  type AttestedPlace,
  ByteReader,
  computeAttestationText,
  concatBytes,
  PUBLIC_KEY_BYTES,
  readVersioned,
  SIGNATURE_BYTES,
  type SignatureArgument,
  signText,
  THREAD_COUNT,
  verifyText,
} from '../core/index.ts'
import { encodePeriodExecutions, readPeriodExecutions, type SlotExecution } from './execution-results.ts'

/*
 * Execution results are under no root: who archived them signs them instead (docs/FORMAT.md, Execution results).
 */

const UNSIGNED = 0
const SIGNED = 1
/** Beside either: they came from an archive file, as somebody else had seen them. */
const FROM_FILE = 2

/**
 * Execution results of a period with the archiver's signature.
 *
 * @param executions - encoded results by thread
 * @param seed - 32-byte secret of the archiver; absent: unsigned
 */
export function attestExecutions(
  executions: ReadonlyMap<number, Uint8Array>,
  place: AttestedPlace,
  seed?: Uint8Array,
): Uint8Array {
  const results = encodePeriodExecutions(executions)
  if (!seed) return concatBytes(results, Uint8Array.of(UNSIGNED))
  const { publicKey, signature } = signText(seed, computeAttestationText(place, results))
  return concatBytes(results, Uint8Array.of(SIGNED), publicKey, signature)
}

export interface AttestedExecutions {
  /** 32, by thread; undefined where nothing is known. */
  readonly executions: readonly (SlotExecution | undefined)[]
  readonly attestation: SignatureArgument | undefined
  /** What is signed. */
  readonly results: Uint8Array
  /** They were seen by somebody else, and taken from an archive file. */
  readonly isFromFile: boolean
}

/** The same results, said to be from a file; those that say nothing stay as they are. */
export function markFromFile(bytes: Uint8Array): Uint8Array {
  const at = findFlag(bytes)
  return at === EMPTY_BYTES && bytes[at] === UNSIGNED ? bytes : withFlag(bytes, at, (bytes[at] ?? 0) | FROM_FILE)
}

/** The same results as they were written first: whoever reads them in a file knows where he has them from. */
export function unmarkFromFile(bytes: Uint8Array): Uint8Array {
  const at = findFlag(bytes)
  return withFlag(bytes, at, (bytes[at] ?? 0) & ~FROM_FILE)
}

/** u8 format, and a length of 0 for each thread. */
const EMPTY_BYTES = 1 + 4 * THREAD_COUNT

function findFlag(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes)
  reader.u8()
  for (let thread = 0; thread < THREAD_COUNT; thread++) reader.raw(reader.u32())
  return reader.position
}

function withFlag(bytes: Uint8Array, at: number, flag: number): Uint8Array {
  if (bytes[at] === flag) return bytes
  const copy = bytes.slice()
  copy[at] = flag
  return copy
}

/**
 * Reads execution results and checks their signature, if they have one.
 *
 * @throws ArchiveError CORE_BYTES_INVALID, CORE_SIGNATURE_INVALID when the signature is of other results
 */
export function parseAttestedExecutions(bytes: Uint8Array, place: AttestedPlace): AttestedExecutions {
  const reader = new ByteReader(bytes)
  const executions = readPeriodExecutions(reader)
  const results = bytes.subarray(0, reader.position)
  const flag = reader.u8()
  if (flag > (SIGNED | FROM_FILE)) throw reader.error(`attestation flag ${flag} is not known`)
  const attestation =
    (flag & SIGNED) !== 0
      ? { publicKey: readVersioned(reader, PUBLIC_KEY_BYTES), signature: readVersioned(reader, SIGNATURE_BYTES) }
      : undefined
  reader.end()
  if (attestation && !verifyText(computeAttestationText(place, results), attestation)) {
    throw new ArchiveError(
      'CORE_SIGNATURE_INVALID',
      `execution results of period ${place.period} are not what was signed`,
    )
  }
  return { executions, attestation, results, isFromFile: (flag & FROM_FILE) !== 0 }
}
