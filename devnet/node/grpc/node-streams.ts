import { status } from '@grpc/grpc-js'
import { readBlockFilters } from '../../../telemetry/grpc/block-requests.ts'
import { NewBlocksRequest, NewEndorsementsRequest, NewOperationsRequest } from '../../../telemetry/grpc/messages.ts'
import { EVERYTHING } from '../../../telemetry/grpc/request-checks.ts'
import { RpcError } from '../../../telemetry/grpc/rpc-error.ts'
import { encodeSignedBlock } from '../../../telemetry/grpc/signed-block.ts'
import { OUTPUT_STATUS } from '../../../telemetry/grpc/status-codes.ts'
import { encodeWireField } from '../../../telemetry/grpc/wire.ts'
import type { ChainBlock } from '../chain/chain-block.ts'
import type { DevnetChain } from '../chain/devnet-chain.ts'
import type { KnownOperation } from '../chain/known-operation.ts'
import { BroadcastRing } from './broadcast-ring.ts'
import { endorsementsOf, type MadeEndorsement, readEndorsementFilters } from './endorsement-answers.ts'
import { readOperationFilters } from './operation-answers.ts'
import { BroadcastOutput, selectOutputs } from './output-filters.ts'
import { createFeed, type Selector, type StreamFeed } from './stream-feed.ts'

/** What a node keeps for who is slow, of each kind (facts: massa-node 1.3). */
const BLOCKS_KEPT = 128
const OUTPUTS_KEPT = 5000
const OPERATIONS_KEPT = 5000
const ENDORSEMENTS_KEPT = 2000
/** OpType. */
const OPERATION_TYPES = { transaction: 1, 'roll-buy': 2, 'roll-sell': 3, 'execute-sc': 4, 'call-sc': 5 } as const

export type NewsRpc = 'NewBlocks' | 'NewFilledBlocks' | 'NewEndorsements' | 'NewOperations' | 'NewSlotExecutionOutputs'

/** What a node broadcasts, by the names of the calls: of blocks received, operations taken, slots executed. */
export class NodeStreams {
  readonly feeds: Readonly<Record<NewsRpc, StreamFeed>>
  private readonly endings: readonly (() => void)[]

  constructor(chain: DevnetChain, options: { readonly enableBroadcast: boolean }) {
    const blocks = new BroadcastRing<ChainBlock>(BLOCKS_KEPT)
    const endorsements = new BroadcastRing<MadeEndorsement>(ENDORSEMENTS_KEPT)
    const operations = new BroadcastRing<KnownOperation>(OPERATIONS_KEPT)
    const outputs = new BroadcastRing<BroadcastOutput>(OUTPUTS_KEPT)
    this.feeds = {
      NewBlocks: createFeed({
        ring: blocks,
        select: (request) => selectBlocks(request, encodeBlock),
        // The only stream that tells (massa-grpc, new_blocks.rs).
        lossError: (lost) => new RpcError(status.DATA_LOSS, `error on receive new block: channel lagged by ${lost}`),
      }),
      NewFilledBlocks: createFeed({ ring: blocks, select: (request) => selectBlocks(request, encodeFilledBlock) }),
      NewEndorsements: createFeed({ ring: endorsements, select: selectEndorsements }),
      NewOperations: createFeed({ ring: operations, select: selectOperations }),
      NewSlotExecutionOutputs: createFeed({ ring: outputs, select: selectOutputs }),
    }
    if (!options.enableBroadcast) {
      this.endings = []
      return
    }
    this.endings = [
      chain.onBlockReceived((block) => {
        if (endorsements.isHeard) for (const endorsement of endorsementsOf(block)) endorsements.publish(endorsement)
        if (blocks.isHeard) blocks.publish(block)
      }),
      chain.onOperationReceived((operation) => {
        if (operations.isHeard) operations.publish(operation)
      }),
      chain.onSlotExecuted((output) => {
        if (outputs.isHeard) outputs.publish(new BroadcastOutput(output, OUTPUT_STATUS.candidate))
      }),
      chain.onSlotFinal((output) => {
        if (outputs.isHeard) outputs.publish(new BroadcastOutput(output, OUTPUT_STATUS.final))
      }),
    ]
  }

  /** Nothing is broadcast any more. */
  stop(): void {
    for (const end of this.endings) end()
  }
}

function selectBlocks(request: Uint8Array, encode: (block: ChainBlock) => Uint8Array): Selector<ChainBlock> {
  const { ids, creators, range = EVERYTHING } = readBlockFilters(NewBlocksRequest.read(request).filters)
  return (block) => {
    const isWanted =
      (ids?.has(block.id) ?? true) &&
      (creators?.has(block.creator) ?? true) &&
      block.slotIndex >= range.from &&
      block.slotIndex < range.to
    return isWanted ? encode(block) : undefined
  }
}

function selectOperations(request: Uint8Array): Selector<KnownOperation> {
  const { ids, creators, types } = readOperationFilters(NewOperationsRequest.read(request).filters)
  return ({ id, creator, operation, message }) => {
    const isWanted =
      (ids?.has(id) ?? true) &&
      (creators?.has(creator) ?? true) &&
      (types?.has(OPERATION_TYPES[operation.body.kind]) ?? true)
    return isWanted ? encodeWireField(1, message) : undefined
  }
}

function selectEndorsements(request: Uint8Array): Selector<MadeEndorsement> {
  const { ids, creators, blocks } = readEndorsementFilters(NewEndorsementsRequest.read(request).filters)
  return ({ id, creator, endorsedBlock, message }) => {
    const isWanted = (ids?.has(id) ?? true) && (creators?.has(creator) ?? true) && (blocks?.has(endorsedBlock) ?? true)
    return isWanted ? encodeWireField(1, message) : undefined
  }
}

/** Encoded once, however many listen. */
const filledBlocks = new WeakMap<ChainBlock, Uint8Array>()

function encodeFilledBlock(block: ChainBlock): Uint8Array {
  const message = filledBlocks.get(block) ?? encodeWireField(1, block.encodeFilled())
  filledBlocks.set(block, message)
  return message
}

function encodeBlock({ headerMessage, operationIds }: ChainBlock): Uint8Array {
  return encodeWireField(1, encodeSignedBlock(headerMessage, operationIds))
}
