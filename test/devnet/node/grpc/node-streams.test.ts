import assert from 'node:assert/strict'
import { encodeHeaderContent, fromU64, headerFromProtobuf, SignedBlockHeaderCodec } from '../../../../core/index.ts'
import { NodeStreams } from '../../../../devnet/node/grpc/node-streams.ts'
import type { ChainBlock } from '../../../../devnet/node/index.ts'
import { SignedBlockMessageCodec } from '../../../../telemetry/grpc/messages.ts'
import { readWireFields } from '../../../../telemetry/grpc/wire.ts'
import { ALICE, openChain, pass, send, transfer } from '../chain/made-chain.ts'

/** Of a key and a signature. */
const SIGNED_BYTES = 33 + 65
const OPERATION_ID_BYTES = 33

describe('devnet/node/grpc/node-streams', () => {
  it('a block says its size: signed header, count and ids of operations, and once more a key and a signature', async () => {
    const chain = openChain({ endorsements: 0, deltaF0: 40 })
    const streams = new NodeStreams(chain, { enableBroadcast: true })
    const messages: Uint8Array[] = []
    const sink = { closed: false, send: async (message: Uint8Array) => void messages.push(message) }
    const rest = { write: () => true, drained: async () => {}, onClose: () => {}, end: assert.fail }
    streams.feeds.NewBlocks.open({ ...sink, ...rest }).setFilters(new Uint8Array(0))
    const blocks: ChainBlock[] = []
    chain.onBlockReceived((block) => blocks.push(block))
    for (let i = 1; i <= 200; i++) send(chain, ALICE, transfer(BigInt(i)))
    await pass(chain, 33)
    await new Promise((resolve) => setImmediate(resolve))
    streams.stop()
    const sizes = messages.map((message) => {
      const [field] = readWireFields(message)
      return Number(fromU64(SignedBlockMessageCodec.decode(field?.payload ?? new Uint8Array(0)).serializedSize))
    })
    assert.deepEqual(
      sizes,
      blocks.map(({ headerMessage, operationIds }) => {
        const { content } = headerFromProtobuf(SignedBlockHeaderCodec.decode(headerMessage))
        const countBytes = operationIds.length < 128 ? 1 : 2
        const headerBytes = SIGNED_BYTES + encodeHeaderContent(content).length
        return headerBytes + countBytes + operationIds.length * OPERATION_ID_BYTES + SIGNED_BYTES
      }),
    )
    assert(blocks.some(({ operationIds }) => operationIds.length === 200))
  })
})
