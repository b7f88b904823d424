import assert from 'node:assert/strict'
import { verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  concatBytes,
  formatSignature,
  headerToProtobuf,
  RawFilledBlockCodec,
  type RawFilledBlockMessage,
  type SignedBlockHeaderMessage,
  type SignedOperationMessage,
  toU64,
} from '../../core/index.ts'
import { type MadeOperation, makeChain, makeKey } from '../../devnet/index.ts'
import {
  assertRefused,
  blockOf,
  CHAIN,
  changeHeader,
  changeOperation,
  NETWORK,
  producer,
  send,
  sender,
  transfer,
} from './hand-made-block.ts'

describe('archiver/verify-block', () => {
  describe('refuses', () => {
    const [a, b, c] = [transfer(1n), transfer(2n), transfer(3n)]
    const made = blockOf([a, b])
    const withOperations = (change: (operations: NonNullable<RawFilledBlockMessage['operations']>) => object[]) =>
      send(made, ({ header, operations }) => ({ ...(header ? { header } : {}), operations: change(operations ?? []) }))

    it('nothing of the block that the cases below change', () => {
      assert.equal(verifyFilledBlock(send(made), CHAIN, made.id).id, made.id)
    })

    it('a block that is not the one it was asked for, or not the one that it says', () => {
      assertRefused('ARCHIVER_BLOCK_ID_MISMATCH', send(made), blockOf([a]).id)
      assertRefused(
        'ARCHIVER_BLOCK_ID_MISMATCH',
        changeHeader(made, (header) => ({ ...header, secureHash: blockOf([a]).id })),
      )
    })

    it('a header that was changed in any field', () => {
      const other = makeKey('somebody else')
      const changes: ((message: SignedBlockHeaderMessage) => SignedBlockHeaderMessage)[] = [
        (message) => ({ ...message, content: { ...message.content, currentVersion: 1 } }),
        (message) => ({ ...message, content: { ...message.content, announcedVersion: { value: 1 } } }),
        (message) => ({ ...message, content: { ...message.content, slot: { period: toU64(4n), thread: 4 } } }),
        (message) => ({
          ...message,
          content: { ...message.content, parents: (message.content?.parents ?? []).toReversed() },
        }),
        (message) => {
          const forged = headerToProtobuf({
            publicKey: other.publicKey,
            signature: new Uint8Array(65),
            content: made.header,
          })
          return { ...message, contentCreatorPubKey: forged.contentCreatorPubKey ?? '' }
        },
      ]
      for (const change of changes) assertRefused('ARCHIVER_BLOCK_ID_MISMATCH', changeHeader(made, change), made.id)
    })

    it('a header version that this release does not know', () => {
      assert.equal(verifyFilledBlock(send(blockOf([], { currentVersion: 1 })), CHAIN).operationCount, 0)
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', send(blockOf([], { currentVersion: 2 })))
    })

    it('a header signature of somebody else, or of something else', () => {
      for (const signer of [sender, producer]) {
        const signature = formatSignature(signer.sign(new Uint8Array(32).fill(3)))
        assertRefused(
          'ARCHIVER_SIGNATURE_INVALID',
          changeHeader(made, (header) => ({ ...header, signature })),
        )
      }
    })

    it('an operation signature of somebody else', () => {
      const signature = formatSignature(producer.sign(b.id.subarray(1)))
      const bytes = withOperations((operations) =>
        operations.map((entry, i) =>
          i === 1 ? { ...entry, operation: changeOperation(entry.operation, (m) => ({ ...m, signature })) } : entry,
        ),
      )
      assertRefused('ARCHIVER_SIGNATURE_INVALID', bytes)
    })

    it('operations that are missing, extra, swapped or repeated', () => {
      const entry = (operation: MadeOperation) => ({ operationId: operation.idText, operation: operation.message })
      const cases: object[][] = [
        [],
        [entry(a)],
        [entry(b)],
        [entry(a), entry(b), entry(c)],
        [entry(b), entry(a)],
        [entry(a), entry(c)],
        [entry(a), entry(a), entry(b)],
        [entry(a), entry(b), entry(b)],
      ]
      for (const operations of cases)
        assertRefused(
          'ARCHIVER_OPERATIONS_MISMATCH',
          withOperations(() => operations),
        )
    })

    it('an operation without its body, or with the body of another', () => {
      const [first, second] = [a, b].map(({ idText, message }) => ({ operationId: idText, operation: message }))
      assert.ok(first && second)
      const cases: object[][] = [
        [first, { operationId: second.operationId }],
        [first, { ...second, operation: new Uint8Array(0) }],
        [first, { ...second, operation: first.operation }],
        [
          { ...first, operation: second.operation },
          { ...second, operation: first.operation },
        ],
      ]
      for (const operations of cases)
        assertRefused(
          'ARCHIVER_OPERATIONS_MISMATCH',
          withOperations(() => operations),
        )
    })

    it('an operation whose content was changed, or of a kind that is not known', () => {
      const changed = (change: (m: SignedOperationMessage) => SignedOperationMessage) =>
        withOperations((operations) =>
          operations.map((entry, i) =>
            i === 0 ? { ...entry, operation: changeOperation(entry.operation, change) } : entry,
          ),
        )
      const expire = changed((m) => ({ ...m, content: { ...m.content, expirePeriod: toU64(11n) } }))
      assertRefused('ARCHIVER_OPERATIONS_MISMATCH', expire)
      assertRefused(
        'ARCHIVER_BLOCK_UNPARSABLE',
        changed((m) => ({ ...m, content: { ...m.content, op: {} } })),
      )
      assertRefused(
        'ARCHIVER_BLOCK_UNPARSABLE',
        changed((m) => ({ ...m, signature: '' })),
      )
    })

    it('an operation id that is no id', () => {
      const bytes = withOperations((operations) =>
        operations.map((entry, i) => (i === 0 ? { ...entry, operationId: `${entry.operationId}1` } : entry)),
      )
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', bytes)
    })

    it('limit: more operations than a block can have', () => {
      const many = Array.from({ length: 5001 }, () => ({ operationId: a.idText }))
      assertRefused(
        'ARCHIVER_OPERATIONS_MISMATCH',
        withOperations(() => many),
      )
    })

    it('endorsements of another slot, or of another block than the parent', () => {
      const chain = makeChain({ seed: 'endorsed', ...NETWORK, chainId: CHAIN, periods: 1, endorsements: 2 })
      const endorsed = chain.blockAt(1, 7)
      assert.ok(endorsed)
      const changed = (content: object) =>
        changeHeader(endorsed, (header) => ({
          ...header,
          content: {
            ...header.content,
            endorsements: (header.content?.endorsements ?? []).map((endorsement, i) =>
              i === 1 ? { ...endorsement, content: { ...endorsement.content, ...content } } : endorsement,
            ),
          },
        }))
      assert.equal(verifyFilledBlock(changed({}), CHAIN).id, endorsed.id)
      assertRefused('ARCHIVER_ENDORSEMENT_MISMATCH', changed({ slot: { period: toU64(1n), thread: 8 } }))
      assertRefused('ARCHIVER_ENDORSEMENT_MISMATCH', changed({ slot: { period: toU64(2n), thread: 7 } }))
      assertRefused('ARCHIVER_ENDORSEMENT_MISMATCH', changed({ endorsedBlock: chain.blockAt(1, 6)?.id ?? '' }))
      // Its index is under the id.
      assertRefused('ARCHIVER_BLOCK_ID_MISMATCH', changed({ index: 9 }))
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', changed({ index: 16 }))
    })

    it('bytes that are no message, a message without header, and one that is cut off', () => {
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', Uint8Array.of(255, 255, 255))
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', new Uint8Array(0))
      const bytes = send(made)
      for (const length of [1, 10, 100, bytes.length - 1]) {
        assert.throws(() => verifyFilledBlock(bytes.subarray(0, length), CHAIN))
      }
      assertRefused('ARCHIVER_BLOCK_UNPARSABLE', concatBytes(bytes, Uint8Array.of(7)))
    })

    it('no field that protobuf lets pass and the id does not cover: it leaves no trace in the record', () => {
      const unknownField = Uint8Array.of(0xf8, 0x07, 1)
      const plain = verifyFilledBlock(send(made), CHAIN)
      const message = RawFilledBlockCodec.decode(send(made))
      const header = concatBytes(message.header ?? new Uint8Array(0), unknownField)
      const block = verifyFilledBlock(RawFilledBlockCodec.encode({ ...message, header }), CHAIN)
      assert.deepEqual(block.record, plain.record)
      assert.deepEqual(block.seals, plain.seals)
    })
  })
})
