export * from './archive-file/era-evidence.ts'
export * from './archive-file/file-builder.ts'
export * from './archive-file/file-head.ts'
export * from './archive-file/file-index.ts'
export { fileError, type RecordPlace } from './archive-file/file-record.ts'
export * from './archive-file/period-section.ts'
export * from './attestation.ts'
export * from './base58check.ts'
export { fromBase64, toBase64 } from './base64.ts'
export { BlockFinder, type BlockPlace } from './block-finder.ts'
export * from './block-record.ts'
export * from './body.ts'
export { BODY_HEAD_BYTES, FLAG_VOID } from './body-head.ts'
export * from './bytes.ts'
export * from './challenge.ts'
export * from './challenge-answer.ts'
export * from './chunk.ts'
export * from './codec.ts'
export { type AuditRhythm, computeAuditsPerDay } from './economics/audit-rhythm.ts'
export { type ChainCosts, computeAuditFees, computeChainCosts, readRhythm } from './economics/chain-costs.ts'
export { computeCatchChance, computeChallengeChance, findDrawsForChance } from './economics/detection.ts'
export type { EconomicsInput, PaySettings, Prices } from './economics/economics-input.ts'
export { type Change, computeNeededPay, type Fault, findFaults } from './economics/faults.ts'
export { adviseFrequency, type FrequencyAdvice, MAX_FEE_SHARE } from './economics/frequency.ts'
export { computeMargin, type Margin } from './economics/margin.ts'
export { computeNetworkCost, type NetworkCost } from './economics/network-cost.ts'
export * from './era.ts'
export * from './error-codes.ts'
export * from './errors.ts'
export * from './escape-controls.ts'
export * from './evidence.ts'
export * from './filled-block.ts'
export type { HolderPass, HolderTable, SlotHolders } from './holder-table.ts'
export * from './holders.ts'
export { Loop } from './loop.ts'
export * from './manifest.ts'
export * from './massa/address.ts'
export * from './massa/amount-text.ts'
export * from './massa/atoms.ts'
export * from './massa/datastore-order.ts'
export * from './massa/denunciation.ts'
export * from './massa/endorsement.ts'
export * from './massa/genesis.ts'
export * from './massa/header.ts'
export * from './massa/json/block-json.ts'
export * from './massa/json/event-json.ts'
export * from './massa/json/operation-json.ts'
export * from './massa/json/status-json.ts'
export * from './massa/operation.ts'
export * from './massa/protobuf-form.ts'
export * from './massa/protobuf-schema.ts'
export * from './massa/signature.ts'
export * from './massa/text-faults.ts'
export {
  computeLeafHash,
  computeNodeHash,
  computePathLength,
  computeRootFromPath,
  computeTreeLevels,
  computeTreePath,
  computeTreeRoot,
  pickPath,
  verifyTreePath,
} from './merkle.ts'
export * from './network-tag.ts'
export * from './placement.ts'
export * from './ports.ts'
export {
  type AddressHistory,
  AddressScan,
  compareAddressList,
  type ListDifference,
  type ScannedOperation,
  type ScannedRole,
  scanAddress,
  verifyAddressList,
} from './reading/address-scan.ts'
export { type AttestedEvent, verifyEvents } from './reading/attested-events.ts'
export { type AttestedOutcome, verifyOutcomes } from './reading/attested-outcome.ts'
export { type AttestationJson, attestationToJson, MAX_ATTESTED_BYTES } from './reading/attested-results.ts'
export {
  buildBlockProof,
  buildEndorsementProof,
  buildMissProof,
  buildOperationProof,
  buildPeriodProof,
  type EraRoots,
  type ProofSource,
} from './reading/build-proof.ts'
export {
  buildCompleteness,
  type CertifiedEra,
  type CertifiedPeriod,
  type PeriodRange,
  type VerifiedCompleteness,
  verifyCompleteness,
} from './reading/completeness.ts'
export { COMPLETENESS_FORMAT, type CompletenessJson, MAX_CERTIFICATE_PERIODS } from './reading/completeness-form.ts'
export { describeBlock, describeEndorsement, describeOperation, describeProven } from './reading/describe-record.ts'
export type { CheckName, ProofCheck, ProofGap } from './reading/proof-checks.ts'
export { type AnswerProofJson, PROOF_FORMAT, type ShownSeals } from './reading/proof-form.ts'
export {
  buildRangeProof,
  type RangeProofJson,
  type VerifiedAddressHistory,
  verifyAddressHistory,
} from './reading/range-proof.ts'
export type { ShownEra, Trust, TrustedHistory } from './reading/trusted-roots.ts'
export { type ProvenRecord, type Question, type VerifiedAnswer, verifyProof } from './reading/verify-proof.ts'
export { computePeriodReward } from './registry/accrual.ts'
export {
  type ArgsCodec,
  type ArgsField,
  type ArgsStruct,
  decodeArgs,
  encodeArgs,
  textListCodec,
} from './registry/args.ts'
export * from './registry/calls.ts'
export * from './registry/challenge-record.ts'
export { computeDistributionWait, computeDuePeriod } from './registry/distribution-turn.ts'
export * from './registry/era-record.ts'
export * from './registry/era-votes.ts'
export * from './registry/error-codes.ts'
export * from './registry/events.ts'
export * from './registry/placement-records.ts'
export * from './registry/records.ts'
export * from './registry/refusal.ts'
export * from './registry/registry-config.ts'
export { type ClosedAudit, type DatedEvent, listClosedAudits, type RewardSpan } from './registry/reward-audits.ts'
export * from './registry/reward-explanation.ts'
export * from './registry/state-record.ts'
export * from './registry/text-args.ts'
export * from './registry/views.ts'
export * from './signed-text.ts'
export { type FullRanking, rankAll } from './slot-ranking.ts'
export * from './storage-proof.ts'
export { TokenBucket } from './token-bucket.ts'
export { computeTurnRank, PERIODS_PER_RANK } from './turn-rank.ts'
export * from './units.ts'
export * from './verified-chunk.ts'
