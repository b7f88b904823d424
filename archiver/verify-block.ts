import {
  ArchiveError,
  BareSignedBlockHeaderCodec,
  type BlockHeader,
  type BlockIdText,
  compareBytes,
  computeBlockId,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeGenesisBlock,
  computeHeaderSignedHash,
  computeOperationHash,
  computeOperationsHash,
  type DatastoreEntry,
  encodeBlockRecord,
  encodeHeaderContent,
  encodeOperationContent,
  equalBytes,
  formatBlockId,
  fromU64,
  headerFromProtobuf,
  isArchiveError,
  MAX_BLOCK_OPERATIONS,
  MAX_HEADER_VERSION,
  type Operation,
  operationFromProtobuf,
  parseOperationId,
  RawFilledBlockCodec,
  type RawFilledBlockMessage,
  type RecordedOperation,
  restoreDatastoreOrder,
  SEAL_BYTES,
  type SignedBlockHeaderMessage,
  SignedOperationCodec,
  type SignedOperationForm,
  type SpooledBlock,
  verifySignature,
} from '../core/index.ts'

/** With 16 endorsements and 128 denunciations a header has some 70 kB. */
const MAX_HEADER_MESSAGE_BYTES = 256 * 1024

export interface VerifiedBlock extends SpooledBlock {
  /** Endorsements inside the header whose signature fails: archived all the same, since the id covers them. */
  readonly badEndorsements: number
  /** Operations whose original bytes no node can show any more. */
  readonly unverifiedBodies: number
}

/**
 * Rebuilds Massa's canonical bytes of a block and checks all that its id binds: id, operation list, operation ids,
 * signatures of header and operations.
 *
 * @param filledBlock - a FilledBlock message as a node sent it
 * @param expectedId - the id it was asked for, if it was
 * @throws ArchiveError ARCHIVER_BLOCK_UNPARSABLE, ARCHIVER_BLOCK_ID_MISMATCH, ARCHIVER_OPERATIONS_MISMATCH,
 *   ARCHIVER_SIGNATURE_INVALID, ARCHIVER_ENDORSEMENT_MISMATCH, ARCHIVER_PARENT_LINK_BROKEN
 * @remarks CPU bound, 0.1 ms per signature: runs in a worker thread.
 */
export function verifyFilledBlock(filledBlock: Uint8Array, chainId: bigint, expectedId?: string): VerifiedBlock {
  const { header: headerBytes, operations: entries } = decode(filledBlock)
  if ((headerBytes?.length ?? 0) > MAX_HEADER_MESSAGE_BYTES) {
    throw new ArchiveError('ARCHIVER_BLOCK_UNPARSABLE', `a header of ${headerBytes?.length} bytes`)
  }
  const message = parsing(() => BareSignedBlockHeaderCodec.decode(headerBytes ?? new Uint8Array(0)))
  checkEndorsedSlots(message)
  const signed = parsing(() => headerFromProtobuf(message))
  const { publicKey, content: header } = signed
  if (header.currentVersion > MAX_HEADER_VERSION) {
    throw new ArchiveError('ARCHIVER_BLOCK_UNPARSABLE', `header version ${header.currentVersion} is not known`)
  }
  const headerContent = encodeHeaderContent(header)
  const id = computeBlockId(publicKey, headerContent)
  const idText = formatBlockId(id)
  const claimed = expectedId ?? message.secureHash
  if (claimed !== idText) {
    throw new ArchiveError('ARCHIVER_BLOCK_ID_MISMATCH', `a block given as ${claimed} hashes to ${idText}`)
  }
  if (header.parents.length === 0 && formatBlockId(computeGenesisBlock(header.slot).id) !== idText) {
    throw new ArchiveError('ARCHIVER_PARENT_LINK_BROKEN', `${idText} has no parents and is no genesis block`)
  }
  const operationIds = readOperationIds(entries ?? [], header)
  const operations = distinctOperations(entries ?? [], operationIds, chainId)
  const signedHash = computeHeaderSignedHash(publicKey, header.slot, id.subarray(1))
  if (!verifySignature(publicKey, signedHash, signed.signature)) {
    throw new ArchiveError('ARCHIVER_SIGNATURE_INVALID', `the header signature of ${idText} does not verify`)
  }
  const seals = new Uint8Array(SEAL_BYTES * (1 + operations.length))
  seals.set(signed.signature.subarray(1))
  for (const [i, { record, signature }] of operations.entries()) {
    if (!verifySignature(record.publicKey, record.id.subarray(1), signature)) {
      throw new ArchiveError(
        'ARCHIVER_SIGNATURE_INVALID',
        `the signature of operation ${i} of ${idText} does not verify`,
      )
    }
    seals.set(signature.subarray(1), SEAL_BYTES * (1 + i))
  }
  const records = operations.map(({ record }) => record)
  return {
    id: idText,
    slot: header.slot,
    parents: (message.content?.parents ?? []) as BlockIdText[],
    operationCount: records.length,
    record: encodeBlockRecord({ publicKey, headerContent, operationIds, operations: records }),
    seals,
    badEndorsements: countBadEndorsements(header),
    unverifiedBodies: records.filter((record) => !record.reproducible).length,
  }
}

function decode(filledBlock: Uint8Array): RawFilledBlockMessage {
  // Of a Buffer, strings are read in half the time.
  const bytes = Buffer.from(filledBlock.buffer, filledBlock.byteOffset, filledBlock.length)
  const message = parsing(() => RawFilledBlockCodec.decode(bytes))
  if ((message.operations?.length ?? 0) > MAX_BLOCK_OPERATIONS) {
    throw mismatch(`${message.operations?.length} operations, a block has at most ${MAX_BLOCK_OPERATIONS}`)
  }
  return message
}

/** The id covers no more of an endorsement than its index and signature: slot and block follow from the header. */
function checkEndorsedSlots({ content }: SignedBlockHeaderMessage): void {
  const slot = content?.slot
  for (const { content: shown } of content?.endorsements ?? []) {
    if (!shown || !slot) continue
    const isOfSlot =
      fromU64(shown.slot?.period) === fromU64(slot.period) && (shown.slot?.thread ?? 0) === (slot.thread ?? 0)
    if (isOfSlot && shown.endorsedBlock === content?.parents?.[slot.thread ?? 0]) continue
    throw new ArchiveError('ARCHIVER_ENDORSEMENT_MISMATCH', 'a header shows an endorsement of another slot or block')
  }
}

function readOperationIds(entries: { operationId?: string }[], header: BlockHeader): Uint8Array[] {
  const ids = parsing(() => entries.map((entry) => parseOperationId(entry.operationId ?? '')))
  if (!equalBytes(computeOperationsHash(ids), header.operationsHash)) {
    throw mismatch('the operation ids do not hash to the operations hash of the header')
  }
  return ids
}

interface SealedOperation {
  readonly record: RecordedOperation
  readonly signature: Uint8Array
}

function distinctOperations(
  entries: { operationId?: string; operation?: Uint8Array }[],
  ids: readonly Uint8Array[],
  chainId: bigint,
): SealedOperation[] {
  const bodies = new Map<string, Uint8Array | undefined>()
  const distinct: { id: Uint8Array; name: string }[] = []
  for (const [i, entry] of entries.entries()) {
    const name = entry.operationId ?? ''
    const id = ids[i]
    if (!bodies.has(name) && id) distinct.push({ id, name })
    if (entry.operation?.length) bodies.set(name, entry.operation)
    else if (!bodies.has(name)) bodies.set(name, undefined)
  }
  return distinct.map(({ id, name }) => {
    const body = bodies.get(name)
    if (!body) throw mismatch(`operation ${name} is missing`)
    const form = parsing(() => operationFromProtobuf(SignedOperationCodec.decode(body)))
    return { record: recordOperation(form, id, chainId), signature: form.signature }
  })
}

function recordOperation(form: SignedOperationForm, id: Uint8Array, chainId: bigint): RecordedOperation {
  const { publicKey } = form
  const content = encodeOperationContent(form.content)
  if (hashesTo(id, chainId, publicKey, content)) return { id, publicKey, content, reproducible: true }
  if (form.content.body.kind !== 'execute-sc') throw mismatch('an operation does not hash to its id')
  const { content: operation, serializedSizeBytes } = form
  const restored = restoreDatastoreOrder({ operation, id, publicKey, serializedSizeBytes }, chainId)
  if (restored) return { id, publicKey, content: restored, reproducible: true }
  return {
    id,
    publicKey,
    content: encodeOperationContent(withDatastore(form.content, ascending(form.content.body.datastore))),
    reproducible: false,
    serializedSizeBytes: form.serializedSizeBytes,
  }
}

function ascending(datastore: readonly DatastoreEntry[]): DatastoreEntry[] {
  const sorted = [...datastore].sort((a, b) => compareBytes(a.key, b.key))
  for (const [i, entry] of sorted.entries()) {
    const next = sorted[i + 1]
    if (next && equalBytes(entry.key, next.key)) throw mismatch('a datastore shows one key twice')
  }
  return sorted
}

function withDatastore(operation: Operation, datastore: readonly DatastoreEntry[]): Operation {
  if (operation.body.kind !== 'execute-sc') return operation
  return { ...operation, body: { ...operation.body, datastore } }
}

function hashesTo(id: Uint8Array, chainId: bigint, publicKey: Uint8Array, content: Uint8Array): boolean {
  return equalBytes(computeOperationHash(chainId, publicKey, content), id.subarray(1))
}

function countBadEndorsements(header: BlockHeader): number {
  const endorsedBlock = header.parents[header.slot.thread]
  if (!endorsedBlock) return 0
  let bad = 0
  for (const { publicKey, signature, index } of header.endorsements) {
    const endorsement = { slot: header.slot, index, endorsedBlock }
    const idHash = computeEndorsementHash(publicKey, endorsement)
    if (!verifySignature(publicKey, computeEndorsementSignedHash(publicKey, endorsement, idHash), signature)) bad++
  }
  return bad
}

/** Whatever cannot be parsed may be a network upgrade: it is told apart from what is provably wrong. */
function parsing<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    if (isArchiveError(cause) && cause.code.startsWith('ARCHIVER_')) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ArchiveError('ARCHIVER_BLOCK_UNPARSABLE', `a block cannot be parsed: ${reason}`, {}, cause)
  }
}

function mismatch(reason: string): ArchiveError {
  return new ArchiveError('ARCHIVER_OPERATIONS_MISMATCH', `the operations of a block do not fit it: ${reason}`)
}

/** A FilledBlock message of a header and operations that came apart, as the pull path gets them. */
export function joinFilledBlock(
  header: Uint8Array,
  operations: readonly { readonly operationId: string; readonly operation: Uint8Array | undefined }[],
): Uint8Array {
  return RawFilledBlockCodec.encode({
    header,
    operations: operations.map(({ operationId, operation }) => ({
      operationId,
      ...(operation === undefined ? {} : { operation }),
    })),
  })
}
