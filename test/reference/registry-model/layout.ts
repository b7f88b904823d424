/*
 * Stored records as tables of fields (design: storage keys and layouts): a version byte, then the fields, integers
 * little endian, zero-padded to a fixed size.
 */

export type FieldKind = 'u8' | 'u32' | 'u64' | 'bool' | 'address' | 'hash' | 'text53'
export type FieldValue = bigint | boolean | string | Uint8Array
export type Layout = { readonly sizeBytes: number; readonly fields: readonly (readonly [string, FieldKind])[] }

const RECORD_VERSION = 1
const ADDRESS_TEXT_BYTES = 53

const u64s = (...names: string[]) => names.map((name) => [name, 'u64'] as const)
const u32s = (...names: string[]) => names.map((name) => [name, 'u32'] as const)

export const CONFIG_FIELDS = [
  ['rewardPerGbPerPeriod', 'u64'],
  ['minAllocatedGb', 'u64'],
  ['maxAllocatedGb', 'u64'],
  ['challengeResponseTimeout', 'u64'],
  ['slashPercentage', 'u64'],
  ['minStake', 'u64'],
  ['samplesPerChallenge', 'u32'],
  ['maxOpenChallengesPerNode', 'u32'],
  ['strikesBeforeSlash', 'u32'],
  ['strikeSpacingPeriods', 'u64'],
  ['unbondingPeriods', 'u64'],
  ['replicationFactor', 'u32'],
  ['anchorQuorumPpm', 'u32'],
  ['requireAnchors', 'bool'],
  ['maxNodes', 'u64'],
  ['passesPerStrike', 'u32'],
  ['minChallengeIntervalPeriods', 'u64'],
  ['stakePerGb', 'u64'],
  ['maxRewardPerPeriod', 'u64'],
  ['placementLagEras', 'u32'],
  ['recordRetentionPeriods', 'u64'],
  ['adminDelayPeriods', 'u64'],
] as const satisfies readonly (readonly [string, FieldKind])[]

const CONFIG: Layout = { sizeBytes: 192, fields: CONFIG_FIELDS }
const PENDING: Layout = { sizeBytes: 41, fields: [['sha256', 'hash'], ...u64s('announcedPeriod')] }
const STATE: Layout = {
  sizeBytes: 320,
  fields: [
    ['index', 'u64'],
    ['idxRem', 'u32'],
    ...u64s('accruedPeriod', 'weight', 'votes', 'voteEra', 'previousVotes', 'activeNodes', 'placementTotal', 'pool'),
    ...u64s('owed', 'stakes', 'anchoredBytes', 'anchoredChunks', 'latestEra', 'firstEra', 'genesisTimestamp'),
    ...u64s('lastDistributedPeriod', 'accruedSince', 'returnedSince'),
    ['shortSince', 'bool'],
    ...u64s('challengerCount', 'registryVersion'),
    ['paused', 'bool'],
    ...u64s('sampledEra', 'eraBytes'),
    ...u32s('eraReplicas', 'eraLag'),
    ['eraAnchors', 'bool'],
    ...u64s('switchIndex', 'switchEra'),
  ],
}
export const NODE_FIELDS: Layout['fields'] = [
  ['address', 'address'],
  ...u64s('allocatedGb', 'registeredPeriod', 'totalChallenges', 'passedChallenges', 'pendingRewards'),
  ...u64s('lastChallengedPeriod'),
  ['active', 'bool'],
  ...u64s('stake', 'unvested', 'underAudit', 'indexPaid', 'weightGb', 'vote', 'voteEra', 'previousVote'),
  ...u64s(
    'nextWeightGb',
    'nextWeightEra',
    'placementGb',
    'placementEra',
    'previousPlacementGb',
    'retentionPeriods',
    'retentionEra',
  ),
  ...u64s('previousRetentionPeriods'),
  ...u32s('openChallenges', 'auditPassed', 'auditTotal'),
  ...u64s('auditPeriod'),
  ...u32s('strikePoints'),
  ...u64s('lastStrikePeriod'),
  ['leaving', 'bool'],
  ...u64s('unlockPeriod'),
  ['lastChallenger', 'address'],
  ...u64s('index', 'slashedTotal'),
  ['rules', 'u8'],
  ...u64s('movedEra'),
]
const NODE: Layout = { sizeBytes: 384, fields: NODE_FIELDS }
const INDEX: Layout = { sizeBytes: 54, fields: [['address', 'text53']] }
const CHALLENGER: Layout = { sizeBytes: 9, fields: u64s('addedPeriod') }
const CHALLENGE: Layout = {
  sizeBytes: 176,
  fields: [
    ['nodeAddress', 'address'],
    ['chunkId', 'hash'],
    ...u64s('nonce', 'issuedPeriod', 'deadline'),
    ['resolved', 'bool'],
    ['passed', 'bool'],
    ['issuer', 'address'],
    ['samples', 'u32'],
    ['outcome', 'u8'],
  ],
}
export const PERIOD_FIELDS: Layout['fields'] = u64s(
  'period',
  'totalGbStored',
  'totalRewardsDistributed',
  'activeNodes',
  'challengesIssued',
  'challengesPassed',
  'rewardsReturned',
)
const PERIOD: Layout = { sizeBytes: 64, fields: PERIOD_FIELDS }
const ERA: Layout = {
  sizeBytes: 104,
  fields: [['root', 'hash'], ['placementRoot', 'hash'], ...u64s('totalBytes', 'totalChunks', 'anchoredPeriod')],
}
const VOTE: Layout = { sizeBytes: 49, fields: [['digest', 'hash'], ...u64s('snapshotEra', 'tally')] }
/** A bit for each of 256 places, as many bytes as a hash. */
const VOTE_PAGE: Layout = { sizeBytes: 41, fields: [...u64s('snapshotEra'), ['bits', 'hash']] }

export const LAYOUTS = {
  config: CONFIG,
  pending: PENDING,
  state: STATE,
  node: NODE,
  index: INDEX,
  challenger: CHALLENGER,
  challenge: CHALLENGE,
  period: PERIOD,
  era: ERA,
  vote: VOTE,
  votePage: VOTE_PAGE,
} as const

/** Bytes of one record. @throws RangeError when a value does not fit its field */
export function encodeRecord(layout: Layout, record: object): Uint8Array {
  const bytes = Buffer.alloc(layout.sizeBytes)
  bytes[0] = RECORD_VERSION
  let offset = 1
  for (const [name, kind] of layout.fields) {
    const value: unknown = Reflect.get(record, name)
    if (value === undefined) throw new RangeError(`no ${name} to store`)
    offset += writeField(bytes, offset, kind, value as FieldValue)
  }
  return bytes
}

/** What a record holds; the padding must be zeros. */
export function decodeRecord(layout: Layout, stored: Uint8Array): Record<string, FieldValue> {
  const bytes = Buffer.from(stored)
  if (bytes.length !== layout.sizeBytes || bytes[0] !== RECORD_VERSION) throw new RangeError('not such a record')
  const record: Record<string, FieldValue> = {}
  let offset = 1
  for (const [name, kind] of layout.fields) {
    const [value, size] = readField(bytes, offset, kind)
    record[name] = value
    offset += size
  }
  if (bytes.subarray(offset).some((byte) => byte !== 0)) throw new RangeError('padding is not zero')
  return record
}

function writeField(bytes: Buffer, offset: number, kind: FieldKind, value: FieldValue): number {
  switch (kind) {
    case 'u8':
      return bytes.writeUInt8(Number(value), offset) - offset
    case 'u32':
      return bytes.writeUInt32LE(Number(value), offset) - offset
    case 'u64':
      return bytes.writeBigUInt64LE(value as bigint, offset) - offset
    case 'bool':
      return bytes.writeUInt8(value === true ? 1 : 0, offset) - offset
    case 'hash':
      bytes.set(value as Uint8Array, offset)
      return 32
    case 'address':
      bytes.writeUInt8((value as string).length, offset)
      bytes.write(value as string, offset + 1, 'latin1')
      return 1 + ADDRESS_TEXT_BYTES
    case 'text53':
      bytes.write(value as string, offset, 'latin1')
      return ADDRESS_TEXT_BYTES
  }
}

function readField(bytes: Buffer, offset: number, kind: FieldKind): [value: FieldValue, sizeBytes: number] {
  switch (kind) {
    case 'u8':
      return [BigInt(bytes.readUInt8(offset)), 1]
    case 'u32':
      return [BigInt(bytes.readUInt32LE(offset)), 4]
    case 'u64':
      return [bytes.readBigUInt64LE(offset), 8]
    case 'bool':
      return [bytes[offset] === 1, 1]
    case 'hash':
      return [bytes.subarray(offset, offset + 32), 32]
    case 'address': {
      const length = bytes.readUInt8(offset)
      const text = bytes.toString('latin1', offset + 1, offset + 1 + length)
      return [text, 1 + ADDRESS_TEXT_BYTES]
    }
    case 'text53': {
      const text = bytes.toString('latin1', offset, offset + ADDRESS_TEXT_BYTES)
      return [text.replace(/\0+$/, ''), ADDRESS_TEXT_BYTES]
    }
  }
}
