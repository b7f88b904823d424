import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  ByteWriter,
  concatBytes,
  encodeOperationContent,
  formatSignature,
  operationToProtobuf,
  parseOperationContent,
  parseOperationId,
  SignedOperationCodec,
  toHex,
  toU64,
} from '../../core/index.ts'
import { type Json, VectorCase } from '../core/vector-case.ts'
import {
  assertRefused,
  assertSealed,
  blockOf,
  CHAIN,
  changeOperation,
  deployment,
  entries,
  readRecord,
  SLOT,
  send,
  sender,
  showOperation,
} from './hand-made-block.ts'

describe('archiver/verify-block', () => {
  describe('a datastore that the node shows sorted', () => {
    it('of up to four entries is put back into the order that hashes to the id', () => {
      const original = deployment(entries(4, 1, 3, 2))
      const block = verifyFilledBlock(send(blockOf([showOperation(original, deployment(entries(1, 2, 3, 4)))])), CHAIN)
      const [operation] = readRecord(block).operations
      assert.ok(operation?.reproducible)
      assert.deepEqual(operation.content, encodeOperationContent(original))
      assert.equal(block.unverifiedBodies, 0)
    })

    it('of more entries is kept ascending and marked, whatever order the node shows', () => {
      const original = deployment(entries(5, 1, 2, 3, 4))
      const bodies = [entries(1, 2, 3, 4, 5), entries(2, 1, 3, 4, 5)].map((shown) => {
        const block = verifyFilledBlock(send(blockOf([showOperation(original, deployment(shown))])), CHAIN)
        assert.equal(block.unverifiedBodies, 1)
        const [operation] = readRecord(block).operations
        assert.ok(operation && !operation.reproducible)
        assert.deepEqual(operation.content, encodeOperationContent(deployment(entries(1, 2, 3, 4, 5))))
        assert.equal(operation.serializedSizeBytes, encodeOperationContent(original).length + 98)
        assertSealed(block, readRecord(block))
        return toHex(block.record)
      })
      assert.equal(bodies[0], bodies[1])
    })

    it('that lost a repeated key is kept and marked', () => {
      const repeated = deployment([...entries(1, 2), { key: Uint8Array.of(1), value: Uint8Array.of(9) }])
      const shown = deployment([...entries(2), { key: Uint8Array.of(1), value: Uint8Array.of(9) }])
      const block = verifyFilledBlock(send(blockOf([showOperation(repeated, shown)])), CHAIN)
      assert.equal(block.unverifiedBodies, 1)
    })

    it('of up to four entries is found however often it is shown wrong: a changed value is a mismatch of the id, and marked', () => {
      const original = deployment(entries(2, 1))
      const changed = deployment([{ key: Uint8Array.of(1), value: Uint8Array.of(7, 7) }, ...entries(2)])
      const block = verifyFilledBlock(send(blockOf([showOperation(original, changed)])), CHAIN)
      // Nobody can tell this from a lost duplicate: that is what "unverified" says.
      assert.equal(block.unverifiedBodies, 1)
    })

    it('error: is refused when one key is shown twice', () => {
      const shown = deployment(entries(1, 1, 2, 3, 4))
      const original = deployment(entries(2, 1, 3, 4, 5))
      assertRefused('ARCHIVER_OPERATIONS_MISMATCH', send(blockOf([showOperation(original, shown)])))
    })

    it('error: is refused when the signature does not verify over the id', () => {
      const made = blockOf([showOperation(deployment(entries(5, 1, 2, 3, 4)), deployment(entries(1, 2, 3, 4, 5)))])
      const forged = formatSignature(sender.sign(new Uint8Array(32)))
      const bytes = send(made, ({ header, operations = [] }) => ({
        ...(header ? { header } : {}),
        operations: operations.map((entry) => ({
          ...entry,
          operation: changeOperation(entry.operation, (message) => ({ ...message, signature: forged })),
        })),
      }))
      assertRefused('ARCHIVER_SIGNATURE_INVALID', bytes)
    })

    const folder = new URL('../vectors/restore/', import.meta.url)
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      it(`as the second implementation restores it: ${file}`, () => {
        const vector = new VectorCase(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Json)
        const chainId = vector.bigint('chainId')
        const idText = vector.text('id')
        const shown = {
          publicKey: vector.bytes('publicKey'),
          signature: vector.bytes('signature'),
          content: parseOperationContent(vector.bytes('shown')),
        }
        const serializedSize = toU64(BigInt(vector.number('serializedSize')))
        const message = SignedOperationCodec.encode({ ...operationToProtobuf(chainId, shown), serializedSize })
        const id = parseOperationId(idText)
        const block = verifyFilledBlock(send(blockOf([{ id, idText, message, thread: SLOT.thread }])), chainId)
        const [operation] = readRecord(block, chainId).operations
        assert.ok(operation)
        const size = operation.serializedSizeBytes
        const tail = size === undefined ? new Uint8Array(0) : new ByteWriter().varint(size).finish()
        const kind = operation.reproducible ? 1 : 2
        const bytes = toHex(concatBytes(operation.publicKey, operation.content, tail))
        assert.deepEqual({ kind, bytes }, vector.json('want'))
      })
    }
  })
})
