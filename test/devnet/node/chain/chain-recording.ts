import {
  GetStatusResponseCodec,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  slotToProtobuf,
  toU64,
} from '../../../../core/index.ts'
import type { DevnetChain } from '../../../../devnet/node/index.ts'

const EXECUTION_STATUS_FINAL = 2

/** Writes a chain down as a recorder of a node's streams does: lines for readers of recordings. */
export class ChainRecording {
  private readonly chain: DevnetChain
  private readonly lines: object[] = []

  /** Begin before the first block. */
  constructor(chain: DevnetChain) {
    this.chain = chain
    chain.onBlockReceived((block) => {
      const msg = NewFilledBlocksResponseCodec.encode({ filledBlock: block.encodeFilled() })
      this.lines.push({ t: 0, stream: 'NewFilledBlocksServer', msg: toBase64(msg) })
    })
    chain.onSlotFinal(({ slot, block }) => {
      const executionOutput = { slot: slotToProtobuf(slot), ...(block ? { blockId: { value: block.id } } : {}) }
      const msg = NewSlotExecutionOutputsResponseCodec.encode({
        output: { status: EXECUTION_STATUS_FINAL, executionOutput },
      })
      this.lines.push({ t: 0, stream: 'NewSlotExecutionOutputsServer', msg: toBase64(msg) })
    })
  }

  toText(): string {
    const { chainId, genesisTimestampMs, finalSlot } = this.chain
    const response = GetStatusResponseCodec.encode({
      status: {
        chainId: toU64(chainId),
        lastExecutedFinalSlot: slotToProtobuf(finalSlot),
        config: { genesisTimestamp: { milliseconds: toU64(BigInt(genesisTimestampMs)) } },
      },
    })
    const status = { t: 0, rpc: 'GetStatus', request: '', response: toBase64(response) }
    return [status, ...this.lines].map((line) => `${JSON.stringify(line)}\n`).join('')
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}
