import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import {
  computeAddress,
  type ExecutionOutputMessage,
  formatAddress,
  formatHash,
  fromU64,
  NewFilledBlocksResponseCodec,
  NewSlotExecutionOutputsResponseCodec,
  type Operation,
  operationFromProtobuf,
  parseBlockId,
  parseHash,
  parseOperationId,
  RawFilledBlockCodec,
  SignedBlockHeaderCodec,
  SignedOperationCodec,
  slotFromProtobuf,
  slotIndex,
  slotOfIndex,
} from '../../../core/index.ts'
import { ContractEngine, type ContractEvent, toEngineOperation } from '../../../devnet/engine/index.ts'

/** The run that `replay` plays; its first operation with a contract is in period 2. */
const RECORDING = new URL('../../../devnet/recordings/sandbox.ndjson.gz', import.meta.url)
const GENESIS_TIMESTAMP_MS = 1_795_246_964_000n
const STARTING_BALANCE = 100_000n * 1_000_000_000n
/** The one recipient of the run that exists without having sent anything. */
const RECIPIENT = 'AU1VnPpmZ98ySyQLWew9FUMCGJxM9QMoBoZsypvpKYCciXyC2X9u'
/** What the chain began with. */
const STAKER = 'AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji'
const STATUS_SUCCESS = 1

interface SentOperation {
  readonly id: string
  readonly sender: Uint8Array
  readonly operation: Operation
}

describe('devnet/engine against the recorded operations of a real node', () => {
  it('gives every operation of the run the same outcome and the same events, slot by slot', function () {
    this.timeout(60_000)
    const { outputs, blocks } = readRun()
    const first = Math.min(...outputs.keys())
    const senders = [...blocks.values()].flatMap((operations) => operations.map(({ sender }) => formatAddress(sender)))
    const engine = new ContractEngine({
      nodeVersion: 'MAIN.3.0',
      // The chain was minutes old.
      deferredGasPriceNanoMas: 0n,
      genesisTimestampMs: GENESIS_TIMESTAMP_MS,
      slot: slotOfIndex(first),
      executionTrailHash: parseHash(trailOf(outputs.get(first))),
      rolls: { counts: new Map([[STAKER, 100n]]), credits: [] },
      accounts: [...new Set([...senders, RECIPIENT])].map((address) => [address, STARTING_BALANCE] as const),
    })
    const executed = new Set<string>()
    const counts = { operations: 0, failed: 0, events: 0, deferred: 0 }
    for (let index = first + 1; outputs.has(index); index++) {
      const output = outputs.get(index)
      const blockId = output?.blockId?.value
      const due = engine.setSlot(slotOfIndex(index), blockId ? parseBlockId(blockId) : undefined)
      assert.equal(formatHash(engine.executionTrailHash), trailOf(output))
      const events = due.flatMap((outcome) => outcome.events)
      counts.deferred += due.length
      for (const { id, sender, operation } of blocks.get(blockId ?? '') ?? []) {
        // A block may hold an operation again that an earlier one had; it is passed over.
        if (executed.has(id)) continue
        executed.add(id)
        const outcome = engine.executeOperation(toEngineOperation(sender, operation, parseOperationId(id)))
        const told = output?.stateChanges?.executedOpsChanges?.find(({ operationId }) => operationId === id)
        assert.equal(outcome.success, told?.value?.status === STATUS_SUCCESS, `${id}: ${outcome.error}`)
        events.push(...outcome.events)
        counts.operations++
        if (!outcome.success) counts.failed++
      }
      counts.events += events.length
      assert.deepEqual(events.map(printEvent), (output?.events ?? []).map(printRecorded))
    }
    assert.deepEqual(counts, { operations: 1499, failed: 63, events: 290, deferred: 1 })
  })
})

function readRun(): {
  readonly outputs: ReadonlyMap<number, ExecutionOutputMessage>
  readonly blocks: ReadonlyMap<string, readonly SentOperation[]>
} {
  const outputs = new Map<number, ExecutionOutputMessage>()
  const blocks = new Map<string, readonly SentOperation[]>()
  for (const line of gunzipSync(readFileSync(RECORDING)).toString('utf8').trim().split('\n')) {
    const { stream, msg } = JSON.parse(line) as { stream?: string; msg?: string }
    if (stream === undefined || msg === undefined) continue
    const bytes = Buffer.from(msg, 'base64')
    if (stream === 'NewFilledBlocksServer') {
      const { header, operations } = RawFilledBlockCodec.decode(
        NewFilledBlocksResponseCodec.decode(bytes).filledBlock ?? new Uint8Array(),
      )
      const { secureHash } = SignedBlockHeaderCodec.decode(header ?? new Uint8Array())
      blocks.set(secureHash ?? '', (operations ?? []).map(readOperation))
    } else {
      const { output } = NewSlotExecutionOutputsResponseCodec.decode(bytes)
      const execution = output?.executionOutput
      if (execution) outputs.set(slotIndex(slotFromProtobuf(execution.slot)), execution)
    }
  }
  return { outputs, blocks }
}

/** Its id is the node's own: messages have lost the order of a datastore, on which it depends. */
function readOperation(entry: { operationId?: string; operation?: Uint8Array }): SentOperation {
  const signed = operationFromProtobuf(SignedOperationCodec.decode(entry.operation ?? new Uint8Array()))
  return { id: entry.operationId ?? '', sender: computeAddress(signed.publicKey), operation: signed.content }
}

function trailOf(output: ExecutionOutputMessage | undefined): string {
  return output?.stateChanges?.executionTrailHashChange?.set?.value ?? ''
}

function printEvent({ data, callStack, indexInSlot, isError, originOperationId }: ContractEvent): unknown {
  return { data, callStack, indexInSlot, isError, operation: originOperationId ?? '' }
}

function printRecorded({ context, data }: NonNullable<ExecutionOutputMessage['events']>[number]): unknown {
  return {
    data: Buffer.from(data ?? []).toString('utf8'),
    callStack: context?.callStack ?? [],
    indexInSlot: Number(fromU64(context?.indexInSlot)),
    isError: context?.isFailure ?? false,
    operation: context?.originOperationId?.value ?? '',
  }
}
