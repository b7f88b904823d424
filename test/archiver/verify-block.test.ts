import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { joinFilledBlock, type VerifiedBlock, verifyFilledBlock } from '../../archiver/verify-block.ts'
import {
  type BlockRecord,
  ByteReader,
  ByteWriter,
  computeGenesisBlock,
  computeHeaderSignedHash,
  computeOperationId,
  concatBytes,
  type DatastoreEntry,
  type ErrorCode,
  encodeOperationContent,
  equalBytes,
  formatOperationId,
  formatSignature,
  GetBlocksResponseCodec,
  GetOperationsResponseCodec,
  headerToProtobuf,
  type Operation,
  operationFromProtobuf,
  operationToProtobuf,
  parseHeaderContent,
  parseOperationContent,
  parseOperationId,
  RawFilledBlockCodec,
  type RawFilledBlockMessage,
  readBlockRecord,
  SEAL_BYTES,
  SecureHashCodec,
  SignedBlockHeaderCodec,
  type SignedBlockHeaderMessage,
  SignedOperationCodec,
  type SignedOperationMessage,
  signGenesisBlock,
  slotOfIndex,
  THREAD_COUNT,
  toHex,
  toU64,
  verifySignature,
} from '../../core/index.ts'
import {
  encodeFilledBlock,
  type MadeBlock,
  type MadeOperation,
  makeChain,
  makeKey,
  readRecording,
  signBlock,
} from '../../devnet/index.ts'
import { type Json, VectorCase } from '../core/vector-case.ts'
import { RECORDINGS } from '../devnet/fixture.ts'
import { hasCode } from '../suites/chunk-store-suite.ts'

const CHAIN = 77n
const NETWORK = { chainId: CHAIN, genesisTimestampMs: 0n }
const MAINNET = 77658377n
const SLOT = { period: 3, thread: 4 }
const PARENTS = Array.from({ length: THREAD_COUNT }, (_, thread) => computeGenesisBlock({ period: 0, thread }).id)
const producer = makeKey('verify-block.test producer')
const sender = makeKey('verify-block.test sender')

/** The record of a verified block, read as whoever opens a BODY reads it. */
function readRecord(block: VerifiedBlock, chainId = CHAIN): BlockRecord {
  const reader = new ByteReader(block.record)
  const record = readBlockRecord(reader, { ...NETWORK, chainId }, block.slot)
  reader.end()
  return record
}

/** What stands in SEALS verifies over what stands in BODY. */
function assertSealed(block: VerifiedBlock, record: BlockRecord): void {
  const signatures = Array.from({ length: block.seals.length / SEAL_BYTES }, (_, i) =>
    concatBytes(Uint8Array.of(0), block.seals.subarray(i * SEAL_BYTES, (i + 1) * SEAL_BYTES)),
  )
  const [own, ...ofOperations] = signatures
  const { publicKey, header, id, operations } = record
  assert.ok(own && verifySignature(publicKey, computeHeaderSignedHash(publicKey, header.slot, id.subarray(1)), own))
  assert.equal(ofOperations.length, operations.length)
  for (const [i, operation] of operations.entries()) {
    const signature = ofOperations[i]
    assert.ok(signature && verifySignature(operation.publicKey, operation.id.subarray(1), signature))
  }
}

function signOperation(content: Operation, chainId = CHAIN): MadeOperation {
  return showOperation(content, content, chainId)
}

/** An operation that was sent as `original` and is shown as `shown`. */
function showOperation(original: Operation, shown: Operation, chainId = CHAIN): MadeOperation {
  const { publicKey } = sender
  const bytes = encodeOperationContent(original)
  const id = computeOperationId(chainId, publicKey, bytes)
  const signature = sender.sign(id.subarray(1))
  const message = operationToProtobuf(chainId, { publicKey, signature, content: shown })
  const serializedSize = toU64(BigInt(bytes.length + 98))
  return {
    id,
    idText: formatOperationId(id),
    message: SignedOperationCodec.encode({ ...message, serializedSize }),
    thread: SLOT.thread,
  }
}

function transfer(nanoMas: bigint): MadeOperation {
  const body = { kind: 'transaction' as const, recipient: sender.address, amountNanoMas: nanoMas }
  return signOperation({ feeNanoMas: 1n, expirePeriod: 10n, body })
}

function deployment(datastore: readonly DatastoreEntry[]): Operation {
  const body = {
    kind: 'execute-sc' as const,
    maxGas: 1n,
    maxCoinsNanoMas: 0n,
    bytecode: Uint8Array.of(1, 2),
    datastore,
  }
  return { feeNanoMas: 1n, expirePeriod: 10n, body }
}

function entries(...keys: number[]): DatastoreEntry[] {
  return keys.map((key) => ({ key: Uint8Array.of(key), value: Uint8Array.of(key, key) }))
}

function blockOf(operations: readonly MadeOperation[], header: Partial<MadeBlock['header']> = {}): MadeBlock {
  return signBlock(producer, { slot: SLOT, parents: PARENTS, ...header }, operations)
}

/** A block as it is sent, after a change. */
function send(
  block: MadeBlock,
  change: (message: RawFilledBlockMessage) => RawFilledBlockMessage = (m) => m,
): Uint8Array {
  return RawFilledBlockCodec.encode(change(RawFilledBlockCodec.decode(encodeFilledBlock(block))))
}

function changeHeader(
  block: MadeBlock,
  change: (header: SignedBlockHeaderMessage) => SignedBlockHeaderMessage,
): Uint8Array {
  const header = SignedBlockHeaderCodec.encode(change(SignedBlockHeaderCodec.decode(block.headerMessage)))
  return send(block, (message) => ({ ...message, header }))
}

function changeOperation(
  bytes: Uint8Array | null | undefined,
  change: (m: SignedOperationMessage) => SignedOperationMessage,
) {
  return SignedOperationCodec.encode(change(SignedOperationCodec.decode(bytes ?? new Uint8Array(0))))
}

function assertRefused(code: ErrorCode, filledBlock: Uint8Array, expectedId?: string): void {
  assert.throws(() => verifyFilledBlock(filledBlock, CHAIN, expectedId), hasCode(code))
}

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
