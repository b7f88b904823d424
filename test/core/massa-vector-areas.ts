import assert from 'node:assert/strict'
import { blake3, ed25519PublicKey, ed25519Sign, ed25519Verify, sha256 } from '#crypto'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  ByteReader,
  ByteWriter,
  computeAddress,
  computeAddressThread,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeHeaderHash,
  computeHeaderSignedHash,
  computeOperationHash,
  computeOperationsHash,
  concatBytes,
  type Denunciation,
  decodeBase58Check,
  encodeBase58Check,
  encodeEndorsementContent,
  encodeHeaderContent,
  encodeOperationContent,
  equalBytes,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatHash,
  formatOperationId,
  formatPublicKey,
  formatSecretKey,
  formatSignature,
  headerToProtobuf,
  isArchiveError,
  type OperationBody,
  operationToProtobuf,
  parseAddress,
  parseBlockId,
  parseEndorsementContent,
  parseEndorsementId,
  parseHash,
  parseHeaderContent,
  parseOperationContent,
  parseOperationId,
  parsePublicKey,
  parseSecretKey,
  parseSignature,
  RawFilledBlockCodec,
  readBlockRecord,
  readDenunciation,
  SIGNED_OVERHEAD_BYTES,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  type Slot,
  toHex,
  verifyZip215,
  writeDenunciation,
} from '../../core/index.ts'
import type { Json, VectorCase } from './vector-case.ts'

const ZERO = Uint8Array.of(0)

const TEXT_FORMS: Record<string, readonly [(text: string) => Uint8Array, (bytes: Uint8Array) => string]> = {
  publicKey: [parsePublicKey, formatPublicKey],
  secretKey: [parseSecretKey, formatSecretKey],
  signature: [parseSignature, formatSignature],
  hash: [parseHash, formatHash],
  address: [parseAddress, formatAddress],
  blockId: [parseBlockId, formatBlockId],
  operationId: [parseOperationId, formatOperationId],
  endorsementId: [parseEndorsementId, formatEndorsementId],
}

export function runBase58check(vector: VectorCase): Json {
  const text = vector.text('text')
  const type = vector.text('type')
  if (type === 'raw') return vector.has('want') ? decodeRaw(text, vector.bytes('want').length) : refuseRaw(text)
  const form = TEXT_FORMS[type]
  assert(form, `unknown type ${type}`)
  const [parse, format] = form
  const bytes = parse(text)
  assert.equal(format(bytes), text)
  return toHex(bytes)
}

function decodeRaw(text: string, lengthBytes: number): Json {
  const bytes = decodeBase58Check(text, lengthBytes)
  assert.equal(encodeBase58Check(bytes), text)
  return toHex(bytes)
}

/** Raw data has no length of its own: a bad text must be refused for every length. */
function refuseRaw(text: string): Json {
  let refusal: unknown
  for (let length = 0; length <= 100; length++) {
    try {
      decodeBase58Check(text, length)
      return `accepted as ${length} bytes`
    } catch (error) {
      assert(isArchiveError(error, 'CORE_BASE58_INVALID'))
      refusal = error
    }
  }
  throw refusal
}

export function runLeb128(vector: VectorCase): Json {
  const reader = new ByteReader(vector.bytes('bytes'), 'CORE_VARINT_INVALID')
  const max = vector.bigint('max')
  const value = reader.varint(max)
  reader.end()
  assert.equal(toHex(new ByteWriter().varint(value).finish()), vector.text('bytes'))
  if (max <= BigInt(Number.MAX_SAFE_INTEGER)) {
    assert.equal(new ByteReader(vector.bytes('bytes')).varintNumber(Number(max)), Number(value))
  }
  return value.toString()
}

export function runBlockHeader(vector: VectorCase): Json {
  const content = vector.bytes('content')
  const header = parseHeaderContent(content)
  assert.equal(toHex(encodeHeaderContent(header)), toHex(content))
  const publicKey = vector.bytes('publicKey')
  const hash = computeHeaderHash(publicKey, content)
  const signedHash = computeHeaderSignedHash(publicKey, header.slot, hash)
  const endorsedBlock = header.parents[header.slot.thread]
  return {
    version: header.currentVersion,
    announcedVersion: header.announcedVersion ?? null,
    slot: slotJson(header.slot),
    parents: header.parents.map(formatBlockId),
    operationsHash: toHex(header.operationsHash),
    endorsements: header.endorsements.map(({ signature, publicKey, index }) => {
      if (!endorsedBlock) return { index, publicKey: formatPublicKey(publicKey), id: null, signatureValid: null }
      const content = encodeEndorsementContent({ slot: header.slot, index, endorsedBlock })
      const hash = computeEndorsementHash(publicKey, content)
      const signed = computeEndorsementSignedHash(publicKey, { slot: header.slot, index }, hash)
      return {
        index,
        publicKey: formatPublicKey(publicKey),
        id: formatEndorsementId(concatBytes(ZERO, hash)),
        signatureValid: isValid(publicKey, signed, signature),
      }
    }),
    denunciations: header.denunciations.map(denunciationJson),
    hash: toHex(hash),
    id: formatBlockId(concatBytes(ZERO, hash)),
    signedHash: toHex(signedHash),
    serializedSize: content.length + SIGNED_OVERHEAD_BYTES,
    creator: formatAddress(computeAddress(publicKey)),
    signatureValid: isValid(publicKey, signedHash, vector.bytes('signature')),
  }
}

export function runOperation(vector: VectorCase): Json {
  const content = vector.bytes('content')
  const operation = parseOperationContent(content)
  assert.equal(toHex(encodeOperationContent(operation)), toHex(content))
  const publicKey = vector.bytes('publicKey')
  const hash = computeOperationHash(vector.bigint('chainId'), publicKey, content)
  const creator = computeAddress(publicKey)
  return {
    operation: {
      fee: operation.feeNanoMas.toString(),
      expirePeriod: operation.expirePeriod.toString(),
      ...operationBodyJson(operation.body),
    },
    idHash: toHex(hash),
    id: formatOperationId(concatBytes(ZERO, hash)),
    creator: formatAddress(creator),
    creatorThread: computeAddressThread(creator),
    serializedSize: content.length + SIGNED_OVERHEAD_BYTES,
    signatureValid: isValid(publicKey, hash, vector.bytes('signature')),
  }
}

export function runEndorsement(vector: VectorCase): Json {
  const content = vector.bytes('content')
  const endorsement = parseEndorsementContent(content)
  assert.equal(toHex(encodeEndorsementContent(endorsement)), toHex(content))
  const publicKey = vector.bytes('publicKey')
  const hash = computeEndorsementHash(publicKey, content)
  const signedHash = computeEndorsementSignedHash(publicKey, endorsement, hash)
  return {
    slot: slotJson(endorsement.slot),
    index: endorsement.index,
    endorsedBlock: formatBlockId(endorsement.endorsedBlock),
    idHash: toHex(hash),
    id: formatEndorsementId(concatBytes(ZERO, hash)),
    signedHash: toHex(signedHash),
    signatureValid: isValid(publicKey, signedHash, vector.bytes('signature')),
  }
}

export function runDenunciation(vector: VectorCase): Json {
  const reader = new ByteReader(vector.bytes('bytes'))
  const denunciation = readDenunciation(reader)
  reader.end()
  const writer = new ByteWriter()
  writeDenunciation(writer, denunciation)
  assert.equal(toHex(writer.finish()), vector.text('bytes'))
  return denunciationJson(denunciation)
}

export function runEd25519(vector: VectorCase): Json {
  const [publicKey, message, signature] = [
    vector.bytes('publicKey'),
    vector.bytes('message'),
    vector.bytes('signature'),
  ]
  assert.equal(verifyZip215(publicKey, message, signature), vector.json('zip215'), 'ZIP-215')
  return ed25519Verify(publicKey, message, signature)
}

export function runBlake3(vector: VectorCase): Json {
  return toHex(blake3(vector.bytes('data')))
}

export function runSha256(vector: VectorCase): Json {
  return toHex(sha256(vector.bytes('data')))
}

/** Through the door the archiver uses: a block of our own with this one operation in it, as a node would send it. */
export function runRestore(vector: VectorCase): Json {
  const chainId = vector.bigint('chainId')
  const id = parseOperationId(vector.text('id'))
  const shown = {
    publicKey: vector.bytes('publicKey'),
    signature: vector.bytes('signature'),
    content: parseOperationContent(vector.bytes('shown')),
  }
  const size = { low: vector.number('serializedSize'), high: 0, unsigned: true }
  const operation = SignedOperationCodec.encode({ ...operationToProtobuf(chainId, shown), serializedSize: size })
  const slot = { period: 5, thread: 2 }
  const record = archiveBlock(slot, vector.text('id'), operation, chainId)
  const network = { chainId, genesisTimestampMs: 0n }
  const [recorded, ...more] = readBlockRecord(new ByteReader(record), network, slot).operations
  assert(recorded && more.length === 0 && equalBytes(recorded.id, id))
  const size98 = recorded.serializedSizeBytes
  const tail = size98 === undefined ? new Uint8Array(0) : new ByteWriter().varint(size98).finish()
  return {
    kind: recorded.reproducible ? 1 : 2,
    bytes: toHex(concatBytes(recorded.publicKey, recorded.content, tail)),
  }
}

function archiveBlock(slot: Slot, operationId: string, operation: Uint8Array, chainId: bigint): Uint8Array {
  const seed = new Uint8Array(32).fill(7)
  const publicKey = concatBytes(ZERO, ed25519PublicKey(seed))
  const header = {
    currentVersion: 0,
    slot,
    parents: Array.from({ length: 32 }, () => new Uint8Array(33)),
    operationsHash: computeOperationsHash([parseOperationId(operationId)]),
    endorsements: [],
    denunciations: [],
  }
  const hash = computeHeaderHash(publicKey, encodeHeaderContent(header))
  const signature = concatBytes(ZERO, ed25519Sign(seed, computeHeaderSignedHash(publicKey, slot, hash)))
  const filledBlock = RawFilledBlockCodec.encode({
    header: SignedBlockHeaderCodec.encode(headerToProtobuf({ publicKey, signature, content: header })),
    operations: [{ operationId, operation }],
  })
  return verifyFilledBlock(filledBlock, chainId).record
}

function operationBodyJson(body: OperationBody): { [name: string]: Json } {
  switch (body.kind) {
    case 'transaction':
      return { type: 'transaction', recipient: formatAddress(body.recipient), amount: body.amountNanoMas.toString() }
    case 'roll-buy':
      return { type: 'rollBuy', rollCount: body.rollCount.toString() }
    case 'roll-sell':
      return { type: 'rollSell', rollCount: body.rollCount.toString() }
    case 'execute-sc':
      return {
        type: 'executeSC',
        maxGas: body.maxGas.toString(),
        maxCoins: body.maxCoinsNanoMas.toString(),
        bytecode: toHex(body.bytecode),
        datastore: body.datastore.map(({ key, value }) => [toHex(key), toHex(value)]),
      }
    case 'call-sc':
      return {
        type: 'callSC',
        maxGas: body.maxGas.toString(),
        coins: body.coinsNanoMas.toString(),
        target: formatAddress(body.target),
        function: body.functionName,
        parameter: toHex(body.parameter),
      }
  }
}

function denunciationJson(denunciation: Denunciation): Json {
  const { publicKey, slot, index, hash1, hash2, signature1, signature2 } = denunciation
  const signedHash = (hash: Uint8Array): Uint8Array =>
    index === undefined
      ? computeHeaderSignedHash(publicKey, slot, hash)
      : computeEndorsementSignedHash(publicKey, { slot, index }, hash)
  return {
    kind: denunciation.kind === 'block-header' ? 'blockHeader' : 'endorsement',
    publicKey: formatPublicKey(publicKey),
    slot: slotJson(slot),
    ...(index === undefined ? {} : { index }),
    hash1: toHex(hash1),
    hash2: toHex(hash2),
    signature1: toHex(signature1),
    signature2: toHex(signature2),
    signaturesValid: [
      isValid(publicKey, signedHash(hash1), signature1),
      isValid(publicKey, signedHash(hash2), signature2),
    ],
  }
}

function slotJson(slot: Slot): Json {
  return { period: slot.period.toString(), thread: slot.thread }
}

function isValid(publicKey: Uint8Array, hash: Uint8Array, signature: Uint8Array): boolean {
  return ed25519Verify(publicKey.subarray(1), hash, signature.subarray(1))
}
