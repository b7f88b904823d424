import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { blake3 } from '#crypto'
import {
  ByteWriter,
  computeAddress,
  computeAddressThread,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeGenesisBlock,
  computeHeaderHash,
  computeHeaderSignedHash,
  computeOperationHash,
  computeOperationsHash,
  concatBytes,
  encodeEndorsementContent,
  encodeHeaderContent,
  encodeOperationContent,
  formatAddress,
  formatBlockId,
  formatEndorsementId,
  formatHash,
  formatOperationId,
  formatPublicKey,
  fromU64,
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  headerFromProtobuf,
  headerToProtobuf,
  isArchiveError,
  operationFromProtobuf,
  operationToProtobuf,
  parseBlockId,
  parseEndorsementContent,
  parseHeaderContent,
  parseOperationContent,
  parseOperationId,
  parsePublicKey,
  parseSignature,
  SignedBlockHeaderCodec,
  type SignedBlockHeaderMessage,
  SignedEndorsementCodec,
  SignedOperationCodec,
  type SignedOperationMessage,
  signGenesisBlock,
  slotFromProtobuf,
  toHex,
  verifySignature,
} from '../../../core/index.ts'

const MAINNET = 77658377n
const FIXTURES = new URL('../../fixtures/massa-mainnet/', import.meta.url)

/** The real block of slot (4000000, 0), with 16 endorsements. */
function readHeaderBytes(): Uint8Array {
  const { wrappedBlocks } = GetBlocksResponseCodec.decode(asField1(readFixture('block_4M_t0.bin')))
  const header = wrappedBlocks?.[0]?.block?.header
  assert(header)
  return header
}

function readOperationBytes(): Uint8Array {
  const { wrappedOperations } = GetOperationsResponseCodec.decode(asField1(readFixture('op_real.bin')))
  const operation = wrappedOperations?.[0]?.operation
  assert(operation)
  return operation
}

describe('core/massa: real mainnet data', () => {
  it('block header: id, signed hash, signature, size and canonical bytes are those of the node', () => {
    const message = SignedBlockHeaderCodec.decode(readHeaderBytes())
    const { publicKey, signature, content: header } = headerFromProtobuf(message)
    const content = encodeHeaderContent(header)
    assert(toHex(content).startsWith('01308092f401000100d6f1f6'))
    assert.equal(content.length, 2682)
    assert.equal(toHex(blake3(content)), '9ea638d94fa00ac47c98fed4a79d542631a3a0dae5c657cb0bc820a5228a60f6')
    assert.equal(formatPublicKey(publicKey), 'P1hcdaQ5rZG1mRaqM8TSWH45XkLWwGq9YxUHVVhXmRe4Jq5P4h3')
    assert.equal(toHex(publicKey), '005c3843c88d40ef487d8d8a550ca20415ea0c18927af0d79fd8d3844b2d4196b7')
    const hash = computeHeaderHash(publicKey, content)
    assert.equal(toHex(hash), '9293ff2d77a1acd7a3941f041956e24d5d631bbf799f5c583ceb702192374017')
    assert.equal(
      formatBlockId(concatBytes(Uint8Array.of(0), hash)),
      'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW',
    )
    const signedHash = computeHeaderSignedHash(publicKey, header.slot, hash)
    assert.equal(toHex(signedHash), '912818668281bae5da34ff99ce41c88e4807202f27b1f0f5f98b2548516158a6')
    assert.equal(
      toHex(signature),
      '0089d0c60e8189d05064596ac58925c20d3a18aa798f501a5f92fa41667f47bd472a713dace0c98b060c977429b4058d0d22b6c8fbef209213d4a823359bc35405',
    )
    assert(verifySignature(publicKey, signedHash, signature))
    assert.equal(fromU64(message.serializedSize), 2780n)
    assert.deepEqual(parseHeaderContent(content), header)
  })

  it('block header: all 16 endorsements verify, and the first has the known id', () => {
    const { content: header } = headerFromProtobuf(SignedBlockHeaderCodec.decode(readHeaderBytes()))
    const endorsedBlock = header.parents[header.slot.thread]
    assert(endorsedBlock)
    assert.equal(header.endorsements.length, 16)
    for (const { publicKey, signature, index } of header.endorsements) {
      const hash = computeEndorsementHash(
        publicKey,
        encodeEndorsementContent({ slot: header.slot, index, endorsedBlock }),
      )
      assert(
        verifySignature(
          publicKey,
          computeEndorsementSignedHash(publicKey, { slot: header.slot, index }, hash),
          signature,
        ),
      )
    }
  })

  it('block header: the protobuf form of the canonical form is the message of the node, byte for byte', () => {
    const bytes = readHeaderBytes()
    const signed = headerFromProtobuf(SignedBlockHeaderCodec.decode(bytes))
    const again = SignedBlockHeaderCodec.encode(headerToProtobuf(signed))
    assert.equal(toHex(again), toHex(bytes))
    assert.deepEqual(headerFromProtobuf(SignedBlockHeaderCodec.decode(again)), signed)
  })

  it('endorsement: bytes, id, signed hash and signature of the first are as known', () => {
    const { content: header } = headerFromProtobuf(SignedBlockHeaderCodec.decode(readHeaderBytes()))
    const [first] = header.endorsements
    const endorsedBlock = header.parents[header.slot.thread]
    assert(first && endorsedBlock)
    const { publicKey, signature, index } = first
    const content = encodeEndorsementContent({ slot: header.slot, index, endorsedBlock })
    assert.equal(toHex(content), '8092f401000000d6f1f6bdb565deab64fdbd4ee6f3e4d1e3be033ce4aae9e707ae9ad5e746bc72')
    assert.equal(toHex(publicKey), '0038a7f4f72a7c9402733a7e33239775d9797d680eff655df61e0b106a45b97ede')
    const hash = computeEndorsementHash(publicKey, content)
    assert.equal(toHex(hash), '7492a7cbaf5fe80a4b328436f1b6e84a12d2090722ba3fc4f802a4f9b95174d5')
    assert.equal(
      formatEndorsementId(concatBytes(Uint8Array.of(0), hash)),
      'E1tLhTfCHR5sgrHfRNySzLp1U4gEvNenSeqZq6asW277rf3UvAw',
    )
    const signedHash = computeEndorsementSignedHash(publicKey, { slot: header.slot, index }, hash)
    assert.equal(toHex(signedHash), 'bad2da8f8785a90d29b9edd6b864b9fbaf658337b08cd8d93ff05f14d541dc97')
    assert.equal(
      toHex(signature),
      '0002fbff3ec2d7aee7232094c87ea569adc1f51303cdc69b0464f9b2cba72dbf8e3331b14b4e7cf365d6ccdf4ae7b2c9e2339ad67aa95c90e97dbbf5d2ad56a60a',
    )
  })

  it('endorsement: one that stands alone has the id, size, creator and signature its node shows', () => {
    const message = SignedEndorsementCodec.decode(readFixture('endo_t0.bin'))
    const endorsement = {
      slot: slotFromProtobuf(message.content?.slot),
      index: message.content?.index ?? 0,
      endorsedBlock: parseBlockId(message.content?.endorsedBlock ?? ''),
    }
    const content = encodeEndorsementContent(endorsement)
    assert.deepEqual(parseEndorsementContent(content), endorsement)
    const publicKey = parsePublicKey(message.contentCreatorPubKey ?? '')
    const hash = computeEndorsementHash(publicKey, content)
    assert.equal(formatEndorsementId(concatBytes(Uint8Array.of(0), hash)), message.secureHash)
    assert.equal(fromU64(message.serializedSize), BigInt(content.length + 98))
    assert.equal(formatAddress(computeAddress(publicKey)), message.contentCreatorAddress)
    const signedHash = computeEndorsementSignedHash(publicKey, endorsement, hash)
    assert(verifySignature(publicKey, signedHash, parseSignature(message.signature ?? '')))
  })

  it('transaction: bytes, id, signature, creator and thread are those of the node', () => {
    const message = SignedOperationCodec.decode(readOperationBytes())
    const { publicKey, signature, serializedSizeBytes, content: operation } = operationFromProtobuf(message)
    const content = encodeOperationContent(operation)
    assert.equal(toHex(content), '01f0d815000000e4b9d5b4df792b90840264dc68435acf874aab9e3cef0158df32e0fc07fe030d01')
    assert.deepEqual(parseOperationContent(content), operation)
    assert.equal(toHex(publicKey), '006cea09cc531ae9082cf0f0bb55bfa0aa74e3e19f2064849c7fb5c3ed9684b0a2')
    const hash = computeOperationHash(MAINNET, publicKey, content)
    assert.equal(toHex(hash), 'dc2809107597ba6980b5dac03d9180b849a254431ad5b858ee04a4a0f5cdf76c')
    const id = concatBytes(Uint8Array.of(0), hash)
    assert.equal(formatOperationId(id), 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1')
    assert.equal(toHex(parseOperationId(message.secureHash ?? '')), toHex(id))
    assert(verifySignature(publicKey, hash, signature))
    assert.equal(serializedSizeBytes, 138)
    assert.equal(formatAddress(computeAddress(publicKey)), message.contentCreatorAddress)
    assert.equal(computeAddressThread(computeAddress(publicKey)), 4)
    assert.equal(formatHash(computeOperationsHash([id])), 'H68uCuVbhxqiBFChEdKuj3esFnvTa7mpbC33dQB9YraukpNwR')
  })

  it('transaction: the protobuf form of the canonical form is the message of the node, byte for byte', () => {
    const bytes = readOperationBytes()
    const form = operationFromProtobuf(SignedOperationCodec.decode(bytes))
    const again = SignedOperationCodec.encode(operationToProtobuf(MAINNET, form))
    assert.equal(toHex(again), toHex(bytes))
    assert.deepEqual(operationFromProtobuf(SignedOperationCodec.decode(again)), form)
  })

  it('knows the constants of the node', () => {
    assert.equal(
      formatBlockId(concatBytes(Uint8Array.of(0), blake3(new TextEncoder().encode('blk')))),
      'B12iL52kye2CraMXdkdKDxjZJXF9it6E4hz8KEj656QnhvwocvBX',
    )
    assert.equal(formatHash(computeOperationsHash([])), '2L74kakRTYGfjyUWN1M1AHeSK591CYEBuB7tGbh714AJ7E7NeB')
  })
})

describe('core/massa/genesis', () => {
  it('computes the ids that nodes show, and signatures that verify', () => {
    const ids = [0, 1, 31].map((thread) => {
      const slot = { period: 0, thread }
      const block = computeGenesisBlock(slot)
      assert.equal(
        toHex(block.content),
        `003000${thread.toString(16).padStart(2, '0')}00` +
          'af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f32620000',
      )
      const signedHash = computeHeaderSignedHash(block.publicKey, slot, block.id.subarray(1))
      assert(verifySignature(block.publicKey, signedHash, signGenesisBlock(block, slot)))
      assert.equal(formatPublicKey(block.publicKey), 'P12rNx7iyMpAbWx2VzGNZSE5wGDrHWUiwFVAnAuGrrKpMnfrQrH6')
      assert.equal(
        formatAddress(computeAddress(block.publicKey)),
        'AU12bmDrXHNzb5Ugv1PhEoq871uK6boy51bHx9wgKc6D3TLa6zyZ',
      )
      return formatBlockId(block.id)
    })
    assert.deepEqual(ids, [
      'B12LnGn6yQZtoam4jGMDs9DqTdDGoUHEbZjGhHksvp7icuvLptTu',
      'B123woE2RThbeDsNuC7fxs7aUokcpbVjWFBReA1CVf3iWPyQaJAz',
      'B1toRY59cPvuFNxD6egDjQ3wE8fHQ1zTZ5UEeeQDZWgKbT4qiqY',
    ])
  })
})

describe('core/massa/protobuf-form', () => {
  const cases: [string, (message: SignedBlockHeaderMessage) => unknown][] = [
    ['no content', (m) => ({ ...m, content: null })],
    ['a public key of another kind of text', (m) => ({ ...m, contentCreatorPubKey: m.secureHash })],
    ['a signature with a character changed', (m) => ({ ...m, signature: `${m.signature?.slice(0, -1)}1` })],
    ['31 parents', (m) => ({ ...m, content: { ...m.content, parents: m.content?.parents?.slice(1) } })],
    [
      'a parent that is no block id',
      (m) => ({ ...m, content: { ...m.content, parents: m.content?.parents?.map(() => 'B1') } }),
    ],
    ['thread 32', (m) => ({ ...m, content: { ...m.content, slot: { ...m.content?.slot, thread: 32 } } })],
    [
      '17 endorsements',
      (m) => ({
        ...m,
        content: { ...m.content, endorsements: [...(m.content?.endorsements ?? []), m.content?.endorsements?.[0]] },
      }),
    ],
    [
      'two endorsements of one index',
      (m) => ({
        ...m,
        content: { ...m.content, endorsements: m.content?.endorsements?.map(() => m.content?.endorsements?.[0]) },
      }),
    ],
    ['an endorsement of another slot', (m) => withEndorsement(m, { slot: { thread: 3 } })],
    ['an endorsement of another block', (m) => withEndorsement(m, { endorsedBlock: m.content?.parents?.[1] })],
    ['endorsement index 16', (m) => withEndorsement(m, { index: 16 })],
    ['a denunciation of no kind', (m) => ({ ...m, content: { ...m.content, denunciations: [{}] } })],
  ]
  for (const [name, change] of cases) {
    it(`refuses a header with ${name}`, () => {
      const message = SignedBlockHeaderCodec.decode(readHeaderBytes())
      const changed = change(message) as SignedBlockHeaderMessage
      assert.throws(
        () => headerFromProtobuf(changed),
        (error) => isArchiveError(error, 'CORE_PROTOBUF_INVALID'),
      )
    })
  }

  it('refuses an operation of no kind, without fee scale, or to no address', () => {
    const message = SignedOperationCodec.decode(readOperationBytes())
    const { content } = message
    const changes: (SignedOperationMessage['content'] & object)[] = [
      { ...content, op: null },
      { ...content, op: {} },
      { ...content, fee: { mantissa: { low: 1, high: 0 }, scale: 8 } },
      { ...content, op: { transaction: { recipientAddress: 'AX1', amount: null } } },
    ]
    for (const content of changes) {
      assert.throws(
        () => operationFromProtobuf({ ...message, content }),
        (error) => isArchiveError(error, 'CORE_PROTOBUF_INVALID'),
      )
    }
  })
})

function withEndorsement(message: SignedBlockHeaderMessage, change: object): unknown {
  const [first, ...others] = message.content?.endorsements ?? []
  const changed = { ...first, content: { ...first?.content, ...change } }
  return { ...message, content: { ...message.content, endorsements: [changed, ...others] } }
}

function readFixture(name: string): Uint8Array {
  return readFileSync(new URL(name, FIXTURES))
}

/** A message as field 1 of another. */
function asField1(message: Uint8Array): Uint8Array {
  return new ByteWriter().u8(0x0a).bytes(message).finish()
}
