import { ArchiveError, isArchiveError } from '../errors.ts'
import { type Slot, THREAD_COUNT } from '../units.ts'
import { computeAddress } from './address.ts'
import {
  type BlockIdText,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatHash,
  formatOperationId,
  formatPublicKey,
  formatSignature,
  parseAddress,
  parseBlockId,
  parseHash,
  parsePublicKey,
  parseSignature,
} from './atoms.ts'
import type { Denunciation } from './denunciation.ts'
import {
  computeEndorsementHash,
  encodeEndorsementContent,
  type HeaderEndorsement,
  MAX_ENDORSEMENTS,
} from './endorsement.ts'
import { type BlockHeader, computeBlockId, encodeHeaderContent, MAX_DENUNCIATIONS } from './header.ts'
import {
  computeOperationId,
  encodeOperationContent,
  type Operation,
  type OperationBody,
  SIGNED_OVERHEAD_BYTES,
} from './operation.ts'
import {
  type DenunciationFieldsMessage,
  type DenunciationMessage,
  fromU64,
  type NativeAmountMessage,
  type OperationTypeMessage,
  type SignedBlockHeaderMessage,
  type SignedEndorsementMessage,
  type SignedOperationMessage,
  type SlotMessage,
  toU64,
} from './protobuf-schema.ts'

/*
 * Protobuf form <-> canonical form (facts: massa-node 2.8). Ids that the node adds (secure_hash, creator address) are
 * not believed: callers compute them from the canonical form.
 */

/** A thing with its creator's key (33 bytes) and signature (65 bytes). */
export interface Signed<T> {
  readonly publicKey: Uint8Array
  readonly signature: Uint8Array
  readonly content: T
}

export interface SignedOperationForm extends Signed<Operation> {
  /** What the node says the signed operation measured when it arrived, content and 98 bytes. */
  readonly serializedSizeBytes: number
}

/** @throws ArchiveError CORE_PROTOBUF_INVALID for anything missing, out of range, or contradicting the header */
export function headerFromProtobuf(message: SignedBlockHeaderMessage): Signed<BlockHeader> {
  return atBorder(() => {
    const content = present(message.content, 'header content')
    const slot = slotFromProtobuf(content.slot)
    const parents = (content.parents ?? []).map(parseCachedBlockId)
    if (parents.length !== 0 && parents.length !== THREAD_COUNT) throw bad(`${parents.length} parents`)
    const endorsements = content.endorsements ?? []
    if (endorsements.length > MAX_ENDORSEMENTS) throw bad(`${endorsements.length} endorsements`)
    const denunciations = content.denunciations ?? []
    if (new Set(endorsements.map(({ content }) => content?.index ?? 0)).size !== endorsements.length) {
      throw bad('two endorsements of one index')
    }
    if (denunciations.length > MAX_DENUNCIATIONS) throw bad(`${denunciations.length} denunciations`)
    const announced = content.announcedVersion
    return {
      publicKey: parseCachedPublicKey(message.contentCreatorPubKey ?? ''),
      signature: parseSignature(message.signature ?? ''),
      content: {
        currentVersion: content.currentVersion ?? 0,
        ...(announced === null || announced === undefined ? {} : { announcedVersion: announced.value ?? 0 }),
        slot,
        parents,
        operationsHash: parseHash(content.operationsHash ?? ''),
        endorsements: endorsements.map((endorsement) =>
          headerEndorsement(endorsement, slot, content.parents?.[slot.thread]),
        ),
        denunciations: denunciations.map(denunciationFromProtobuf),
      },
    }
  })
}

/** The message a node would send; `blockId` and sizes are computed. */
export function headerToProtobuf(signed: Signed<BlockHeader>): SignedBlockHeaderMessage {
  const header = signed.content
  const content = encodeHeaderContent(header)
  const endorsed = header.parents[header.slot.thread]
  return {
    content: {
      currentVersion: header.currentVersion,
      ...(header.announcedVersion === undefined ? {} : { announcedVersion: { value: header.announcedVersion } }),
      slot: slotToProtobuf(header.slot),
      parents: header.parents.map(formatCachedBlockId),
      operationsHash: formatHash(header.operationsHash),
      endorsements: header.endorsements.map((endorsement) =>
        endorsementToProtobuf(endorsement, header.slot, present(endorsed, 'parent of an endorsed header')),
      ),
      denunciations: header.denunciations.map(denunciationToProtobuf),
    },
    ...signedFields(signed, content.length),
    secureHash: formatBlockId(computeBlockId(signed.publicKey, content)),
  }
}

/** @throws ArchiveError CORE_PROTOBUF_INVALID */
export function operationFromProtobuf(message: SignedOperationMessage): SignedOperationForm {
  return atBorder(() => {
    const content = present(message.content, 'operation content')
    return {
      publicKey: parseCachedPublicKey(message.contentCreatorPubKey ?? ''),
      signature: parseSignature(message.signature ?? ''),
      serializedSizeBytes: Number(fromU64(message.serializedSize)),
      content: {
        feeNanoMas: amountFromProtobuf(content.fee),
        expirePeriod: fromU64(content.expirePeriod),
        body: bodyFromProtobuf(present(content.op, 'operation type')),
      },
    }
  })
}

export function operationToProtobuf(chainId: bigint, signed: Signed<Operation>): SignedOperationMessage {
  const content = encodeOperationContent(signed.content)
  return knownOperationToProtobuf(signed, {
    id: computeOperationId(chainId, signed.publicKey, content),
    serializedSizeBytes: content.length + SIGNED_OVERHEAD_BYTES,
  })
}

/** Of one whose id and size are those of other bytes than are shown: a node shows datastores sorted. */
export function knownOperationToProtobuf(
  signed: Signed<Operation>,
  { id, serializedSizeBytes }: { readonly id: Uint8Array; readonly serializedSizeBytes: number },
): SignedOperationMessage {
  return {
    content: {
      fee: amountToProtobuf(signed.content.feeNanoMas),
      expirePeriod: toU64(signed.content.expirePeriod),
      op: bodyToProtobuf(signed.content.body),
    },
    ...signedFields(signed, serializedSizeBytes - SIGNED_OVERHEAD_BYTES),
    secureHash: formatOperationId(id),
  }
}

export function slotFromProtobuf(message: SlotMessage | null | undefined): Slot {
  const period = fromU64(message?.period)
  const thread = message?.thread ?? 0
  if (period > BigInt(Number.MAX_SAFE_INTEGER) || thread >= THREAD_COUNT) throw bad(`slot (${period}, ${thread})`)
  return { period: Number(period), thread }
}

export function slotToProtobuf(slot: Slot): SlotMessage {
  return { period: toU64(BigInt(slot.period)), thread: slot.thread }
}

function headerEndorsement(
  message: SignedEndorsementMessage,
  slot: Slot,
  endorsedParent: string | undefined,
): HeaderEndorsement {
  const content = present(message.content, 'endorsement content')
  const shown = slotFromProtobuf(content.slot)
  if (shown.period !== slot.period || shown.thread !== slot.thread) throw bad('an endorsement of another slot')
  // An id has one text only.
  if (endorsedParent === undefined || content.endorsedBlock !== endorsedParent) {
    throw bad('an endorsement of another block than the parent')
  }
  return {
    signature: parseSignature(message.signature ?? ''),
    publicKey: parseCachedPublicKey(message.contentCreatorPubKey ?? ''),
    index: endorsementIndex(content.index),
  }
}

function endorsementIndex(index = 0): number {
  if (index >= MAX_ENDORSEMENTS) throw bad(`endorsement index ${index}`)
  return index
}

/** The message of an endorsement that a header of `slot` carries. */
export function endorsementToProtobuf(
  endorsement: HeaderEndorsement,
  slot: Slot,
  endorsedBlock: Uint8Array,
): SignedEndorsementMessage {
  const content = encodeEndorsementContent({ slot, index: endorsement.index, endorsedBlock })
  const hash = computeEndorsementHash(endorsement.publicKey, content)
  const id = new Uint8Array(hash.length + 1)
  id.set(hash, 1)
  return {
    content: {
      slot: slotToProtobuf(slot),
      index: endorsement.index,
      endorsedBlock: formatCachedBlockId(endorsedBlock),
    },
    ...signedFields(endorsement, content.length),
    secureHash: formatEndorsementId(id),
  }
}

function denunciationFromProtobuf(message: DenunciationMessage): Denunciation {
  const kind = message.blockHeader ? 'block-header' : 'endorsement'
  const fields = present(message.blockHeader ?? message.endorsement, 'denunciation of a known kind')
  return {
    kind,
    publicKey: parseCachedPublicKey(fields.publicKey ?? ''),
    slot: slotFromProtobuf(fields.slot),
    ...(kind === 'endorsement' ? { index: endorsementIndex(fields.index) } : {}),
    hash1: parseHash(fields.hash_1 ?? ''),
    hash2: parseHash(fields.hash_2 ?? ''),
    signature1: parseSignature(fields.signature_1 ?? ''),
    signature2: parseSignature(fields.signature_2 ?? ''),
  }
}

function denunciationToProtobuf(denunciation: Denunciation): DenunciationMessage {
  const fields: DenunciationFieldsMessage = {
    publicKey: formatPublicKey(denunciation.publicKey),
    slot: slotToProtobuf(denunciation.slot),
    ...(denunciation.index === undefined ? {} : { index: denunciation.index }),
    hash_1: formatHash(denunciation.hash1),
    hash_2: formatHash(denunciation.hash2),
    signature_1: formatSignature(denunciation.signature1),
    signature_2: formatSignature(denunciation.signature2),
  }
  return denunciation.kind === 'block-header' ? { blockHeader: fields } : { endorsement: fields }
}

function bodyFromProtobuf(message: OperationTypeMessage): OperationBody {
  const { transaction, rollBuy, rollSell, executeSc, callSc } = message
  if (transaction) {
    return {
      kind: 'transaction',
      recipient: parseAddress(transaction.recipientAddress ?? ''),
      amountNanoMas: amountFromProtobuf(transaction.amount),
    }
  }
  if (rollBuy) return { kind: 'roll-buy', rollCount: fromU64(rollBuy.rollCount) }
  if (rollSell) return { kind: 'roll-sell', rollCount: fromU64(rollSell.rollCount) }
  if (executeSc) {
    return {
      kind: 'execute-sc',
      maxGas: fromU64(executeSc.maxGas),
      maxCoinsNanoMas: fromU64(executeSc.maxCoins),
      bytecode: executeSc.data ?? new Uint8Array(0),
      datastore: (executeSc.datastore ?? []).map((entry) => ({
        key: entry.key ?? new Uint8Array(0),
        value: entry.value ?? new Uint8Array(0),
      })),
    }
  }
  if (callSc) {
    return {
      kind: 'call-sc',
      maxGas: fromU64(callSc.maxGas),
      coinsNanoMas: amountFromProtobuf(callSc.coins),
      target: parseAddress(callSc.targetAddress ?? ''),
      functionName: callSc.targetFunction ?? '',
      parameter: callSc.parameter ?? new Uint8Array(0),
    }
  }
  throw bad('an operation of unknown type')
}

function bodyToProtobuf(body: OperationBody): OperationTypeMessage {
  switch (body.kind) {
    case 'transaction':
      return {
        transaction: {
          recipientAddress: formatAddress(body.recipient),
          amount: amountToProtobuf(body.amountNanoMas),
        },
      }
    case 'roll-buy':
      return { rollBuy: { rollCount: toU64(body.rollCount) } }
    case 'roll-sell':
      return { rollSell: { rollCount: toU64(body.rollCount) } }
    case 'execute-sc':
      return {
        executeSc: {
          data: body.bytecode,
          maxCoins: toU64(body.maxCoinsNanoMas),
          maxGas: toU64(body.maxGas),
          datastore: body.datastore.map(({ key, value }) => ({ key, value })),
        },
      }
    case 'call-sc':
      return {
        callSc: {
          targetAddress: formatAddress(body.target),
          targetFunction: body.functionName,
          parameter: body.parameter,
          maxGas: toU64(body.maxGas),
          coins: amountToProtobuf(body.coinsNanoMas),
        },
      }
  }
}

/** MAS has nine decimals: the node always sends scale 9. */
function amountFromProtobuf(message: NativeAmountMessage | null | undefined): bigint {
  const mantissa = fromU64(message?.mantissa)
  const scale = message?.scale ?? 0
  if (scale !== 9 && mantissa !== 0n) throw bad(`an amount of scale ${scale}`)
  return mantissa
}

function amountToProtobuf(nanoMas: bigint): NativeAmountMessage {
  return { mantissa: toU64(nanoMas), scale: 9 }
}

function signedFields(signed: { publicKey: Uint8Array; signature: Uint8Array }, contentBytes: number) {
  return {
    signature: formatSignature(signed.signature),
    ...formatCachedKey(signed.publicKey),
    serializedSize: toU64(BigInt(contentBytes + SIGNED_OVERHEAD_BYTES)),
  }
}

// Neighbouring blocks name the same parents, and few keys sign nearly everything: decoding each text once saves
// a tenth of the work on a quiet block. Bounded, and emptied when full.
const CACHE_ENTRIES = 8192
const blockIds = new Map<string, Uint8Array>()
const publicKeys = new Map<string, Uint8Array>()

function parseCachedBlockId(text: string): Uint8Array {
  return cached(blockIds, text, parseBlockId)
}

function parseCachedPublicKey(text: string): Uint8Array {
  return cached(publicKeys, text, parsePublicKey)
}

/** Texts of bytes that many messages repeat, by the bytes as latin-1. */
const blockIdTexts = new Map<string, BlockIdText>()
const keyTexts = new Map<string, { contentCreatorPubKey: string; contentCreatorAddress: string }>()

function formatCachedBlockId(id: Uint8Array): BlockIdText {
  return cached(blockIdTexts, String.fromCharCode(...id), () => formatBlockId(id))
}

function formatCachedKey(publicKey: Uint8Array) {
  return cached(keyTexts, String.fromCharCode(...publicKey), () => ({
    contentCreatorPubKey: formatPublicKey(publicKey),
    contentCreatorAddress: formatAddress(computeAddress(publicKey)),
  }))
}

function cached<T>(cache: Map<string, T>, text: string, parse: (text: string) => T): T {
  const known = cache.get(text)
  if (known) return known
  const value = parse(text)
  if (cache.size >= CACHE_ENTRIES) cache.clear()
  cache.set(text, value)
  return value
}

function atBorder<T>(convert: () => T): T {
  try {
    return convert()
  } catch (error) {
    if (isArchiveError(error, 'CORE_BASE58_INVALID')) throw bad(error.message, error)
    throw error
  }
}

function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw bad(`no ${what}`)
  return value
}

function bad(what: string, cause?: unknown): ArchiveError {
  return new ArchiveError('CORE_PROTOBUF_INVALID', `the message of the node holds ${what}`, {}, cause)
}
