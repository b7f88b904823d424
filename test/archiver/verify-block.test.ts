import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { joinFilledBlock, verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  ByteWriter,
  computeGenesisBlock,
  encodeOperationContent,
  equalBytes,
  formatOperationId,
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  headerToProtobuf,
  operationFromProtobuf,
  parseHeaderContent,
  parseOperationContent,
  parseOperationId,
  SEAL_BYTES,
  SecureHashCodec,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  signGenesisBlock,
  slotOfIndex,
  THREAD_COUNT,
  toHex,
} from '../../core/index.ts'
import { encodeFilledBlock, makeChain, readRecording, signBlock } from '../../devnet/index.ts'
import { RECORDINGS } from '../devnet/fixture.ts'
import {
  assertRefused,
  assertSealed,
  blockOf,
  CHAIN,
  MAINNET,
  NETWORK,
  readRecord,
  send,
  transfer,
} from './hand-made-block.ts'

describe('archiver/verify-block', () => {
  describe('takes', () => {
    for (const [name, path] of Object.entries(RECORDINGS)) {
      it(`every block of the recording "${name}", and its record and seals hold what the node showed`, async function () {
        this.timeout(120_000)
        const recording = await readRecording(path)
        let operations = 0
        let restored = 0
        for (const [id, { headerMessage, operationIds, slotIndex }] of recording.blocks) {
          const bodies = operationIds.map((operationId) => ({
            operationId,
            operation: recording.operations.get(operationId),
          }))
          if (bodies.some(({ operation }) => operation === undefined)) continue
          const block = verifyFilledBlock(joinFilledBlock(headerMessage, bodies), recording.chainId, id)
          const record = readRecord(block, recording.chainId)
          assert.equal(block.id, id)
          assert.deepEqual(block.slot, slotOfIndex(slotIndex))
          assert.equal(block.badEndorsements, 0)
          assert.equal(block.unverifiedBodies, 0)
          assert.deepEqual(record.operationIds.map(formatOperationId), operationIds)
          assert.equal(record.operations.length, block.operationCount)
          assertSealed(block, record)
          operations += record.operations.length
          for (const operation of record.operations) {
            assert.ok(operation.reproducible)
            const shown = operationFromProtobuf(
              SignedOperationCodec.decode(
                recording.operations.get(formatOperationId(operation.id)) ?? new Uint8Array(0),
              ),
            )
            if (!equalBytes(encodeOperationContent(shown.content), operation.content)) restored++
          }
        }
        if (name !== 'pull') assert.ok(operations > 0)
        // Real deployments with unsorted datastores, which the node shows sorted.
        if (name === 'replayed') assert.ok(restored > 0, 'no datastore was put back into its order')
      })
    }

    it('a block of mainnet with 16 endorsements', () => {
      const wrapped = readFileSync(new URL('../fixtures/massa-mainnet/block_4M_t0.bin', import.meta.url))
      const { wrappedBlocks } = GetBlocksResponseCodec.decode(asField1(wrapped))
      const header = wrappedBlocks?.[0]?.block?.header
      assert.ok(header)
      const block = verifyFilledBlock(joinFilledBlock(header, []), MAINNET)
      assert.deepEqual(block.slot, { period: 4_000_000, thread: 0 })
      assert.equal(block.id, SecureHashCodec.decode(header).secureHash)
      const record = readRecord(block, MAINNET)
      assert.equal(record.header.endorsements.length, 16)
      assert.equal(block.badEndorsements, 0)
      assertSealed(block, record)
    })

    it('a real transaction of mainnet, and refuses it on another chain', () => {
      const wrapped = readFileSync(new URL('../fixtures/massa-mainnet/op_real.bin', import.meta.url))
      const message = GetOperationsResponseCodec.decode(asField1(wrapped)).wrappedOperations?.[0]?.operation
      assert.ok(message)
      const idText = SecureHashCodec.decode(message).secureHash ?? ''
      const block = send(blockOf([{ id: parseOperationId(idText), idText, message, thread: 0 }]))
      const verified = verifyFilledBlock(block, MAINNET)
      assertSealed(verified, readRecord(verified, MAINNET))
      assertRefused('ARCHIVER_OPERATIONS_MISMATCH', block)
    })

    it('every kind of operation', () => {
      const chain = makeChain({
        seed: 'verify',
        ...NETWORK,
        chainId: CHAIN,
        periods: 1,
        operationsPerBlock: 5,
        endorsements: 3,
      })
      const kinds = new Set<string>()
      for (const made of chain.blocks.values()) {
        const block = verifyFilledBlock(encodeFilledBlock(made), CHAIN)
        const record = readRecord(block)
        assert.equal(block.id, made.id)
        assert.deepEqual(block.parents.length, THREAD_COUNT)
        assert.equal(block.operationCount, 5)
        assertSealed(block, record)
        for (const { content } of record.operations) kinds.add(parseOperationContent(content).body.kind)
      }
      assert.deepEqual([...kinds].sort(), ['call-sc', 'execute-sc', 'roll-buy', 'roll-sell', 'transaction'])
    })

    it('an operation that stands twice in a block: two ids, one body, one seal', () => {
      const [a, b] = [transfer(1n), transfer(2n)]
      const made = blockOf([a, b, a])
      const block = verifyFilledBlock(send(made), CHAIN)
      const record = readRecord(block)
      assert.deepEqual(record.operationIds.map(formatOperationId), [a.idText, b.idText, a.idText])
      assert.equal(record.operations.length, 2)
      assert.equal(block.operationCount, 2)
      assert.equal(block.seals.length, 3 * SEAL_BYTES)
      // The body may come with either mention of it.
      for (const bare of [0, 2]) {
        const once = send(made, ({ header, operations = [] }) => ({
          ...(header ? { header } : {}),
          operations: operations.map((entry, i) => (i === bare ? { operationId: entry.operationId ?? '' } : entry)),
        }))
        assert.deepEqual(verifyFilledBlock(once, CHAIN).record, block.record)
      }
    })

    it('endorsements with bad signatures: the id covers them, so they are counted and kept', () => {
      const chain = makeChain({ seed: 'endorsed', ...NETWORK, chainId: CHAIN, periods: 1, endorsements: 3 })
      const made = chain.blockAt(1, 7)
      const [first, second, third] = made?.header.endorsements ?? []
      assert.ok(made && first && second && third)
      const endorsements = [first, { ...second, signature: third.signature }, { ...third, signature: second.signature }]
      const block = verifyFilledBlock(send(signBlock(made.producer, { ...made.header, endorsements }, [])), CHAIN)
      assert.equal(block.badEndorsements, 2)
      const kept = readRecord(block).header.endorsements.map(({ signature }) => toHex(signature))
      assert.deepEqual(
        kept,
        endorsements.map(({ signature }) => toHex(signature)),
      )
    })

    it('the genesis block of a thread', () => {
      const { publicKey, content, id } = computeGenesisBlock({ period: 0, thread: 9 })
      assert.ok(publicKey.length === 33 && content.length > 0 && id.length === 33)
      const block = verifyFilledBlock(genesisMessage(9), CHAIN)
      assert.deepEqual(block.parents, [])
      assert.deepEqual(readRecord(block).id, id)
    })
  })
})

/** A wrapper message as the answer that holds it. */
function asField1(bytes: Uint8Array): Uint8Array {
  return new ByteWriter().u8(0x0a).bytes(bytes).finish()
}

function genesisMessage(thread: number): Uint8Array {
  const slot = { period: 0, thread }
  const genesis = computeGenesisBlock(slot)
  const content = parseHeaderContent(genesis.content)
  const signature = signGenesisBlock(genesis, slot)
  return joinFilledBlock(
    SignedBlockHeaderCodec.encode(headerToProtobuf({ publicKey: genesis.publicKey, signature, content })),
    [],
  )
}
