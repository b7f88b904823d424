/*
 * The package export `massa-storage/verify`: what verifies answers of an archive, and nothing else. It runs in Node and in a
 * browser: a bundler takes the hashes and signatures of `#crypto` that need no Node.
 */
export { fromHex, toHex } from './bytes.ts'
export { ArchiveError, isArchiveError } from './errors.ts'
export { type AddressHistory, compareAddressList, type ListDifference } from './reading/address-scan.ts'
export { type AttestedEvent, verifyEvents } from './reading/attested-events.ts'
export { type AttestedOutcome, verifyOutcomes } from './reading/attested-outcome.ts'
export type { AttestationJson } from './reading/attested-results.ts'
export {
  type CertifiedEra,
  type CertifiedPeriod,
  type PeriodRange,
  type VerifiedCompleteness,
  verifyCompleteness,
} from './reading/completeness.ts'
export { COMPLETENESS_FORMAT, type CompletenessJson } from './reading/completeness-form.ts'
export {
  type BlockDescription,
  describeBlock,
  describeEndorsement,
  describeOperation,
  describeProven,
  type EndorsementDescription,
  type OperationDescription,
} from './reading/describe-record.ts'
export type { CheckName, ProofCheck, ProofGap } from './reading/proof-checks.ts'
export { type AnswerProofJson, PROOF_FORMAT, type ShownSeals } from './reading/proof-form.ts'
export { type RangeProofJson, type VerifiedAddressHistory, verifyAddressHistory } from './reading/range-proof.ts'
export type { ShownEra, Trust, TrustedHistory } from './reading/trusted-roots.ts'
export { type ProvenRecord, type Question, type VerifiedAnswer, verifyProof } from './reading/verify-proof.ts'
export type { Network, Period, Slot } from './units.ts'
