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
  verifyText,
} from '../core/index.ts'
import { encodePeriodExecutions, readPeriodExecutions, type SlotExecution } from './execution-results.ts'

/*
 * Execution results are under no root: who archived them signs them instead (docs/FORMAT.md, Execution results).
 */

const UNSIGNED = 0
const SIGNED = 1

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
  if (flag !== UNSIGNED && flag !== SIGNED) throw reader.error(`attestation flag ${flag} is not known`)
  const attestation =
    flag === SIGNED
      ? { publicKey: readVersioned(reader, PUBLIC_KEY_BYTES), signature: readVersioned(reader, SIGNATURE_BYTES) }
      : undefined
  reader.end()
  if (attestation && !verifyText(computeAttestationText(place, results), attestation)) {
    throw new ArchiveError(
      'CORE_SIGNATURE_INVALID',
      `execution results of period ${place.period} are not what was signed`,
    )
  }
  return { executions, attestation }
}
