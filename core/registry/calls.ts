import {
  type ArgsCodec,
  address,
  bool,
  bytes,
  chunkIdHex,
  decodeArgs,
  encodeArgs,
  hash,
  type ListBounds,
  list,
  refuse,
  struct,
  text,
  textOf,
  u8,
  u64,
} from './args.ts'
import { partialConfigCodec } from './registry-config.ts'

/** Challenges in one call. */
export const MAX_BATCH = 8
const MAX_ERA_SIGNATURES = 100
const MAX_PRUNED = 20

const batch: ListBounds = { min: 1, max: MAX_BATCH, code: 'REGISTRY_BATCH_INVALID' }

const challengeId = textOf(/^[0-9A-Za-z_-]{1,64}$/, 'REGISTRY_CHALLENGE_ID_INVALID', 'a challenge id')

function metadataText(maxLength: number): ArgsCodec<string> {
  return textOf(
    new RegExp(`^[\\x20-\\x7e]{0,${maxLength}}$`),
    'REGISTRY_METADATA_INVALID',
    `${maxLength} printable characters at most`,
  )
}

const wasm: ArgsCodec<Uint8Array> = {
  ...bytes,
  write: (writer, value) => {
    const magic = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
    if (value.length <= magic.length || magic.some((byte, i) => value[i] !== byte)) {
      refuse('REGISTRY_CODE_INVALID', 'not the bytes of a WebAssembly module')
    }
    bytes.write(writer, value)
  },
}

/** What `prune` deletes; the kind is its place in this list. */
export const PRUNE_KINDS = ['challenge', 'period', 'vote'] as const
export type PruneKind = (typeof PRUNE_KINDS)[number]

const pruneKind: ArgsCodec<PruneKind> = {
  type: PRUNE_KINDS.join('|'),
  parse: (text) => {
    const kind = PRUNE_KINDS.find((name, i) => text === name || text === `${i}`)
    if (kind !== undefined) return kind
    return refuse('CONTRACT_ARGUMENT_INVALID', `'${text.slice(0, 80)}' is none of ${PRUNE_KINDS.join(', ')}`)
  },
  write: (writer, value) => u8.write(writer, PRUNE_KINDS.indexOf(value)),
  read: (reader) => {
    const kind = PRUNE_KINDS[u8.read(reader)]
    if (kind === undefined) throw reader.error('no kind of record')
    return kind
  },
}

/** Arguments of every function that writes, in the order of the wire; those after the first group may be left out. */
export const REGISTRY_CALLS = {
  constructor: struct({ admin: address, config: partialConfigCodec }),
  registerStorageNode: struct({ allocatedGb: u64 }, { retentionPeriods: u64, stake: u64 }),
  updateStorageAllocation: struct({ newAllocatedGb: u64 }, { retentionPeriods: u64 }),
  unregisterStorageNode: struct({}),
  topUpStake: struct({}),
  fundRewards: struct({}),
  updateNodeMetadata: struct({
    p2pAddrs: list(metadataText(128), { min: 0, max: 8, code: 'REGISTRY_METADATA_INVALID' }),
    endpoint: metadataText(256),
    location: metadataText(64),
    operator: metadataText(64),
  }),
  issueChallenge: struct({ challengeId, nodeAddress: address, chunkId: chunkIdHex, nonce: u64 }, { evidence: bytes }),
  issueChallenges: struct(
    {
      challengeIds: list(challengeId, batch),
      nodeAddress: address,
      chunkIds: list(chunkIdHex, batch),
      nonces: list(u64, batch),
    },
    { evidences: list(bytes, { ...batch, min: 0 }) },
  ),
  submitProof: struct({ challengeId, merkleProof: bytes, signature: bytes }),
  submitProofs: struct({
    challengeIds: list(challengeId, batch),
    merkleProofs: list(bytes, batch),
    signatures: list(bytes, batch),
  }),
  resolveExpiredChallenges: struct({ challengeIds: list(challengeId, batch) }),
  distributeRewards: struct({ period: u64 }),
  claimRewards: struct({}),
  anchorEra: struct({
    era: u64,
    root: hash,
    totalBytes: u64,
    totalChunks: u64,
    placementRoot: hash,
    signatures: list(bytes, { min: 1, max: MAX_ERA_SIGNATURES, code: 'REGISTRY_BATCH_INVALID' }),
  }),
  prune: struct({ kind: pruneKind, ids: list(text, { min: 1, max: MAX_PRUNED, code: 'REGISTRY_BATCH_INVALID' }) }),
  updateConfig: partialConfigCodec,
  upgrade: struct({ bytecode: wasm }),
  addChallenger: struct({ address }),
  removeChallenger: struct({ address }),
  setPaused: struct({ paused: bool }),
  transferAdmin: struct({ address }),
  acceptAdmin: struct({}),
} as const

export type RegistryCallName = keyof typeof REGISTRY_CALLS
export type RegistryCallArgs<N extends RegistryCallName> =
  (typeof REGISTRY_CALLS)[N] extends ArgsCodec<infer T> ? T : never

/** Lists that have to be of one length. */
const PARALLEL: ReadonlyMap<RegistryCallName, readonly string[]> = new Map([
  ['issueChallenges', ['challengeIds', 'chunkIds', 'nonces', 'evidences']],
  ['submitProofs', ['challengeIds', 'merkleProofs', 'signatures']],
])

/**
 * Bytes of the arguments of a call.
 *
 * @throws ArchiveError with the code of the refusal that the registry would give, as far as the arguments alone decide it
 */
export function encodeRegistryCall<N extends RegistryCallName>(name: N, args: RegistryCallArgs<N>): Uint8Array {
  const encoded = encodeArgs(REGISTRY_CALLS[name] as unknown as ArgsCodec<RegistryCallArgs<N>>, args)
  const lists = (PARALLEL.get(name) ?? []).map(
    (field) => (args as Record<string, unknown>)[field] as unknown[] | undefined,
  )
  const [first, ...others] = lists
  for (const [i, other] of others.entries()) {
    // Evidences may be left out as a whole.
    if (i === 2 && (other?.length ?? 0) === 0) continue
    if (other?.length !== first?.length) refuse('REGISTRY_BATCH_INVALID', `lists of different lengths in ${name}`)
  }
  return encoded
}

/** @throws ArchiveError CORE_BYTES_INVALID when these are no arguments of this function */
export function decodeRegistryCall<N extends RegistryCallName>(name: N, input: Uint8Array): RegistryCallArgs<N> {
  return decodeArgs(REGISTRY_CALLS[name] as unknown as ArgsCodec<RegistryCallArgs<N>>, input)
}
