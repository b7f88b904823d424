import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  computeAddress,
  computeAddressThread,
  computeBlockId,
  computeEndorsementHash,
  computeEndorsementSignedHash,
  computeGenesisBlock,
  computeHeaderSignedHash,
  computeOperationHash,
  computeOperationsHash,
  encodeEndorsementContent,
  encodeHeaderContent,
  encodeOperationContent,
  equalBytes,
  formatBlockId,
  formatOperationId,
  headerFromProtobuf,
  operationFromProtobuf,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  slotIndex,
  THREAD_COUNT,
  verifySignature,
} from '../../core/index.ts'
import { type MadeBlock, type MadeChain, type MadeOperation, makeChain } from '../../devnet/index.ts'

const OPTIONS = { seed: 'chain-maker.test', chainId: 77n, genesisTimestampMs: 1_000n, periods: 2 }

/** Everything that a block claims, from the bytes a node would send. */
function verifyBlock(block: MadeBlock, parents: readonly Uint8Array[]): void {
  const { publicKey, signature, content } = headerFromProtobuf(SignedBlockHeaderCodec.decode(block.headerMessage))
  const id = computeBlockId(publicKey, encodeHeaderContent(content))
  assert.equal(formatBlockId(id), block.id)
  assert.deepEqual(content.slot, block.slot)
  assert.ok(verifySignature(publicKey, computeHeaderSignedHash(publicKey, content.slot, id.subarray(1)), signature))
  assert.deepEqual(content.parents.map(formatBlockId), parents.map(formatBlockId))
  for (const endorsement of content.endorsements) {
    const { slot } = content
    const endorsedBlock = parents[slot.thread] ?? new Uint8Array(0)
    const full = encodeEndorsementContent({ slot, index: endorsement.index, endorsedBlock })
    const hash = computeEndorsementHash(endorsement.publicKey, full)
    const signed = computeEndorsementSignedHash(endorsement.publicKey, { slot, index: endorsement.index }, hash)
    assert.ok(verifySignature(endorsement.publicKey, signed, endorsement.signature))
  }
  assert.equal(new Set(content.endorsements.map((endorsement) => endorsement.index)).size, content.endorsements.length)
  const ids = block.operations.map((operation) => verifyOperation(operation, content.slot.thread))
  assert.ok(equalBytes(content.operationsHash, computeOperationsHash(ids)))
}

function verifyOperation(operation: MadeOperation, thread: number): Uint8Array {
  const signed = operationFromProtobuf(SignedOperationCodec.decode(operation.message))
  const content = encodeOperationContent(signed.content)
  const hash = computeOperationHash(OPTIONS.chainId, signed.publicKey, content)
  const id = Uint8Array.of(0, ...hash)
  assert.equal(formatOperationId(id), operation.idText)
  assert.ok(verifySignature(signed.publicKey, hash, signed.signature))
  assert.equal(signed.serializedSizeBytes, content.length + 98)
  assert.equal(computeAddressThread(computeAddress(signed.publicKey)), thread)
  return id
}

function verifyChain(chain: MadeChain): void {
  const parents = Array.from({ length: THREAD_COUNT }, (_, thread) => computeGenesisBlock({ period: 0, thread }).id)
  for (const block of chain.blocks.values()) {
    verifyBlock(block, parents)
    parents[block.slot.thread] = block.idBytes
  }
}

describe('devnet/chain-maker', () => {
  it('makes blocks that verify, with every kind of operation and any number of endorsements', () => {
    fc.assert(
      fc.property(
        fc.record({
          seed: fc.string(),
          missRate: fc.double({ min: 0, max: 0.9, noNaN: true }),
          operationsPerBlock: fc.integer({ min: 0, max: 6 }),
          endorsements: fc.integer({ min: 0, max: 16 }),
        }),
        (varied) => verifyChain(makeChain({ ...OPTIONS, ...varied, periods: 1 })),
      ),
      { numRuns: 8 },
    )
  })

  it('makes all five kinds of operation, no two alike', () => {
    const chain = makeChain({ ...OPTIONS, operationsPerBlock: 5 })
    const operations = [...chain.blocks.values()].flatMap((block) => block.operations)
    const kinds = operations.map(
      ({ message }) => operationFromProtobuf(SignedOperationCodec.decode(message)).content.body.kind,
    )
    assert.deepEqual([...new Set(kinds)].sort(), ['call-sc', 'execute-sc', 'roll-buy', 'roll-sell', 'transaction'])
    assert.equal(new Set(operations.map((operation) => operation.idText)).size, operations.length)
  })

  it('makes the same bytes of the same seed, and others of another', () => {
    const ids = (seed: string) => [...makeChain({ ...OPTIONS, seed, missRate: 0.2 }).blocks.values()].map((b) => b.id)
    assert.deepEqual(ids('a'), ids('a'))
    assert.notDeepEqual(ids('a'), ids('b'))
  })

  it('misses the slots it is told to, and links over them', () => {
    const missed = { period: 1, thread: 7 }
    const chain = makeChain({ ...OPTIONS, missedSlots: [missed] })
    assert.equal(chain.blocks.size, 63)
    assert.equal(chain.blocks.has(slotIndex(missed)), false)
    verifyChain(chain)
  })

  it('makes a valid rival for a slot', () => {
    const chain = makeChain({ ...OPTIONS, operationsPerBlock: 1 })
    const block = chain.blockAt(2, 3)
    assert.ok(block)
    const rival = chain.makeRival(block)
    assert.notEqual(rival.id, block.id)
    verifyBlock(rival, block.header.parents)
  })

  it('fills a block with transfers alone when asked to', () => {
    const chain = makeChain({ ...OPTIONS, periods: 1, operationsPerBlock: 3, operationMix: 'transfers' })
    for (const { operations } of chain.blocks.values()) {
      for (const { message } of operations) assert.ok(SignedOperationCodec.decode(message).content?.op?.transaction)
    }
    verifyChain(chain)
  })
})
