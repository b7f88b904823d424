import { type BlockRecord, type RecordedOperation, readBlockRecord, readRecordedOperation } from '../block-record.ts'
import { concatBytes, equalBytes, toHex } from '../bytes.ts'
import { ByteReader } from '../codec.ts'
import { ArchiveError } from '../errors.ts'
import {
  formatBlockId,
  formatEndorsementId,
  formatOperationId,
  formatPublicKey,
  parseBlockId,
  parseEndorsementId,
  parseOperationId,
} from '../massa/atoms.ts'
import { computeEndorsementSignedHash, type HeaderEndorsement } from '../massa/endorsement.ts'
import { computeHeaderSignedHash, MAX_HEADER_VERSION } from '../massa/header.ts'
import { OPERATION_VALIDITY_PERIODS, parseOperationContent } from '../massa/operation.ts'
import { verifySignature } from '../massa/signature.ts'
import { formatSlot, type Network, type Period, type Slot } from '../units.ts'
import type { BodyCursor } from './body-cursor.ts'
import { type BlockHead, hasBlock, locateEndorsement, locateOperation, passBlock, readHead } from './body-walk.ts'
import { malformed } from './json-form.ts'
import { openBlock } from './open-block.ts'
import { CheckList, type ProofCheck, type ProofGap } from './proof-checks.ts'
import { type AnswerProof, formatBitmap, parseProof, type ShownSeals } from './proof-form.ts'
import { type ShownEra, type Trust, type TrustedHistory, verifyRoots } from './trusted-roots.ts'

/** What was asked; ids as text. */
export type Question =
  | { readonly kind: 'block'; readonly id: string }
  | { readonly kind: 'block-at'; readonly slot: Slot }
  | { readonly kind: 'operation'; readonly id: string }
  | { readonly kind: 'endorsement'; readonly id: string }
  | { readonly kind: 'slot-empty'; readonly slot: Slot }
  | { readonly kind: 'period'; readonly period: Period }

/** What a proof shows. `seals` absent: the archive gave no signatures, none was checked. */
export type ProvenRecord =
  | { readonly kind: 'block'; readonly slot: Slot; readonly block: BlockRecord; readonly seals?: ShownSeals }
  | {
      readonly kind: 'operation'
      readonly slot: Slot
      /** Of the block that holds it. */
      readonly head: BlockHead
      /** Among the distinct operations of the block, in their order. */
      readonly position: number
      readonly operation: RecordedOperation
      readonly seals?: ShownSeals
    }
  | {
      readonly kind: 'endorsement'
      readonly slot: Slot
      /** Of a block that carries it. */
      readonly head: BlockHead
      readonly endorsement: HeaderEndorsement
      /** 33 bytes */
      readonly endorsedBlock: Uint8Array
      readonly seals?: ShownSeals
    }
  /** The slot was missed, or a restart of the chain undid it: the bitmap does not tell which. */
  | { readonly kind: 'slot-empty'; readonly slot: Slot }
  | { readonly kind: 'period'; readonly period: Period }

/** An answer that was verified, and how. */
export interface VerifiedAnswer {
  readonly record: ProvenRecord
  readonly network: Network
  readonly period: Period
  /** Bit t: thread t has a block. */
  readonly bitmap: number
  /** Of all chunks of the period, 32 bytes each. */
  readonly chunkIds: readonly Uint8Array[]
  /** 32 bytes */
  readonly periodRoot: Uint8Array
  /** Absent where the era was not whole in the archive. */
  readonly era?: ShownEra
  /** Which root was compared with what the reader trusts; `none`: that the chain is this one is what the archive says. */
  readonly trust: Trust
  /** What was checked, in this order. */
  readonly checks: readonly ProofCheck[]
  /** What an answer may have and this one has not. */
  readonly gaps: readonly ProofGap[]
}

/**
 * Verifies an answer: recomputes everything from the bytes shown up to the period root and era root.
 *
 * What is proven without a root that the reader trusts: that a block or an operation hashes to its id, and was signed. That it is
 * part of the chain, where it stands, and that a slot is empty depend on the root (`trust`).
 *
 * @param proof - JSON text, or what was parsed of it; of any origin
 * @param trusted - where the reader knows a root, the proof has to lead to it
 * @throws ArchiveError with one of the codes CORE_READING_* that names what is wrong;
 *   CORE_BASE58_INVALID for a question that has no id
 * @remarks One operation in a period of one chunk: well under 10 ms in Node, some 20 ms in a browser; 1 to 2 ms for each signature
 *   there.
 */
export function verifyProof(proof: unknown, question: Question, trusted: TrustedHistory = {}): VerifiedAnswer {
  const id = question.kind === 'block' ? parseBlockId(question.id) : new Uint8Array(0)
  const operationId = question.kind === 'operation' ? parseOperationId(question.id) : new Uint8Array(0)
  const endorsementId = question.kind === 'endorsement' ? parseEndorsementId(question.id) : new Uint8Array(0)
  const parsed = parseProof(proof)
  const checks = new CheckList()
  checkPlace(parsed, question, checks, trusted.network)
  const roots = verifyRoots(parsed, trusted, checks)
  const record = ((): ProvenRecord => {
    switch (question.kind) {
      case 'block':
      case 'block-at':
        return verifyBlock(parsed, question.kind === 'block' ? id : undefined, checks)
      case 'operation':
        return verifyOperation(parsed, operationId, checks)
      case 'endorsement':
        return verifyEndorsement(parsed, endorsementId, checks)
      case 'slot-empty':
        return verifyMiss(parsed, question.slot, checks)
      case 'period':
        checkBare(parsed)
        return { kind: 'period', period: question.period }
    }
  })()
  const { network, period, bitmap, chunks } = parsed.period
  const chunkIds = chunks.map(({ chunkId }) => chunkId)
  return { record, network, period, bitmap, chunkIds, ...roots, checks: checks.done, gaps: checks.gaps }
}

/** Whether the proof is of the network, the period and the thread that were asked for. */
function checkPlace(proof: AnswerProof, question: Question, checks: CheckList, network: Network | undefined): void {
  const { period: shown, thread } = proof
  const { chainId, genesisTimestampMs } = shown.network
  if (network && (network.chainId !== chainId || network.genesisTimestampMs !== genesisTimestampMs)) {
    const names = `${formatNetwork(shown.network)}, asked was ${formatNetwork(network)}`
    throw new ArchiveError('CORE_READING_NETWORK_OTHER', `the proof is of network ${names}`)
  }
  if (network) checks.add('network', formatNetwork(network))
  const slot = 'slot' in question ? question.slot : undefined
  const period = question.kind === 'period' ? question.period : (slot?.period ?? shown.period)
  const isOther = period !== shown.period || (question.kind === 'block-at' && thread !== question.slot.thread)
  if (!isOther) return
  const place = thread === null ? `period ${shown.period}` : formatSlot({ period: shown.period, thread })
  const asked = slot ? formatSlot(slot) : `period ${period}`
  throw new ArchiveError('CORE_READING_SLOT_OTHER', `the proof is of ${place}, asked was ${asked}`)
}

function verifyBlock(proof: AnswerProof, id: Uint8Array | undefined, checks: CheckList): ProvenRecord {
  const { cursor, slot } = openBlock(proof, checks)
  const start = cursor.position
  passBlock(cursor)
  const reader = new ByteReader(cursor.since(start), 'CORE_READING_BODY_INVALID')
  const block = readBlockRecord(reader, proof.period.network, slot)
  reader.end()
  checkHead(block, slot, id, checks)
  checks.add('position', formatPosition(slot, start, cursor))
  const bound = block.operations.filter(({ reproducible }) => reproducible).length
  checks.add('operation-ids', `${bound} of ${block.operations.length} recomputed`)
  if (bound < block.operations.length) checks.lacks('reproducible-content')
  const seals = checkSeals(proof, { slot, head: block, operations: block.operations }, checks)
  return { kind: 'block', slot, block, ...seals }
}

function verifyOperation(proof: AnswerProof, id: Uint8Array, checks: CheckList): ProvenRecord {
  const { cursor, slot } = openBlock(proof, checks)
  const { head, position, entry } = locateOperation(cursor, slot, id)
  const reader = new ByteReader(entry, 'CORE_READING_BODY_INVALID')
  const operation = readRecordedOperation(reader, proof.period.network, id)
  reader.end()
  checkHead(head, slot, undefined, checks)
  checks.add('position', formatPosition(slot, cursor.position - entry.length, cursor))
  if (operation.reproducible) {
    checks.add('operation-id', formatOperationId(id))
    checkValidity(operation, slot, checks)
  } else checks.lacks('reproducible-content')
  const seals = checkSeals(proof, { slot, head, operations: [operation] }, checks)
  return { kind: 'operation', slot, head, position, operation, ...seals }
}

/**
 * No block may include an operation after it expired, or more than 10 periods before: a proof that shows it elsewhere shows a block
 * that somebody made up. So whoever knows the roots of those periods cannot be shown it in an era of which he knows none.
 */
function checkValidity({ content }: RecordedOperation, slot: Slot, checks: CheckList): void {
  const { expirePeriod } = parseOperationContent(content)
  const last = BigInt(expirePeriod)
  const first = last - BigInt(OPERATION_VALIDITY_PERIODS)
  if (BigInt(slot.period) < first || BigInt(slot.period) > last) {
    const message = `the proof is of ${formatSlot(slot)}, where this operation cannot be: it expires after period ${last}`
    throw new ArchiveError('CORE_READING_SLOT_OTHER', message, { ...slot })
  }
  checks.add('validity', `until period ${last}`)
}

function verifyEndorsement(proof: AnswerProof, id: Uint8Array, checks: CheckList): ProvenRecord {
  const { cursor, slot } = openBlock(proof, checks)
  const start = cursor.position
  const head = readHead(cursor, slot)
  const { endorsement, endorsedBlock } = locateEndorsement(head, id)
  checkHead(head, slot, undefined, checks)
  checks.add('position', formatPosition(slot, start, cursor))
  checks.add('endorsement-id', formatEndorsementId(id))
  // It stands in the header whether it verifies or not.
  const { publicKey, index, signature } = endorsement
  const signed = computeEndorsementSignedHash(publicKey, { slot, index }, id.subarray(1))
  if (verifySignature(publicKey, signed, signature)) checks.add('endorsement-signature', formatPublicKey(publicKey))
  else checks.lacks('endorsement-signature')
  const seals = checkSeals(proof, { slot, head, operations: [] }, checks)
  return { kind: 'endorsement', slot, head, endorsement, endorsedBlock, ...seals }
}

function verifyMiss(proof: AnswerProof, slot: Slot, checks: CheckList): ProvenRecord {
  checkBare(proof)
  if (hasBlock(proof.period, slot.thread)) {
    throw new ArchiveError('CORE_READING_SLOT_TAKEN', `slot ${formatSlot(slot)} has a block`, { ...slot })
  }
  checks.add('bitmap', `${formatBitmap(proof.period.bitmap)}: nothing in thread ${slot.thread}`)
  return { kind: 'slot-empty', slot }
}

/** What bitmap and chunk ids answer needs nothing beside it: nothing is let pass that was not checked. */
function checkBare({ thread, chunks, seals }: AnswerProof): void {
  if (thread !== null || chunks.length > 0 || seals !== null) throw malformed('it shows more than was asked for')
}

function checkHead(head: BlockHead, slot: Slot, id: Uint8Array | undefined, checks: CheckList): void {
  const name = formatBlockId(head.id)
  if (id && !equalBytes(head.id, id)) {
    throw new ArchiveError('CORE_READING_ID_OTHER', `the proof is of block ${name} at ${formatSlot(slot)}`, { ...slot })
  }
  if (head.header.currentVersion > MAX_HEADER_VERSION) {
    const message = `header version ${head.header.currentVersion} is not known`
    throw new ArchiveError('CORE_READING_BODY_INVALID', message, { ...slot })
  }
  checks.add('block-id', name)
  checks.add('operation-list', `${head.operationIds.length} listed, ${toHex(head.header.operationsHash)}`)
}

interface Signed {
  readonly slot: Slot
  readonly head: BlockHead
  readonly operations: readonly RecordedOperation[]
}

function checkSeals({ seals }: AnswerProof, signed: Signed, checks: CheckList): { readonly seals?: ShownSeals } {
  if (!seals) {
    checks.lacks('signatures')
    return {}
  }
  const { slot, head, operations } = signed
  const refuse = (what: string): ArchiveError =>
    new ArchiveError('CORE_READING_SIGNATURE_INVALID', `${what} of block ${formatBlockId(head.id)}`, { ...slot })
  if (seals.operations.length !== operations.length) {
    throw refuse(`${seals.operations.length} signatures for ${operations.length} operations`)
  }
  const signedHash = computeHeaderSignedHash(head.publicKey, slot, head.id.subarray(1))
  if (!isSignature(head.publicKey, signedHash, seals.header)) throw refuse('the header signature')
  checks.add('header-signature', formatPublicKey(head.publicKey))
  for (const [i, { publicKey, id }] of operations.entries()) {
    const signature = seals.operations[i]
    if (!signature || !isSignature(publicKey, id.subarray(1), signature)) {
      throw refuse(`the signature of operation ${formatOperationId(id)}`)
    }
  }
  checks.add('operation-signatures', `${operations.length} of ${operations.length}`)
  return { seals }
}

/** SEALS leave the version byte out. */
function isSignature(publicKey: Uint8Array, hash: Uint8Array, seal: Uint8Array): boolean {
  return verifySignature(publicKey, hash, concatBytes(Uint8Array.of(0), seal))
}

function formatPosition(slot: Slot, start: number, cursor: BodyCursor): string {
  return `thread ${slot.thread}, bytes ${start} to ${cursor.position - 1} of BODY`
}

function formatNetwork({ chainId, genesisTimestampMs }: Network): string {
  return `${chainId}/${genesisTimestampMs}`
}
