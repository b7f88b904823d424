import { JsonRpcPublicProvider, Operation, PublicAPI } from '@massalabs/massa-web3'
import { SLOT_MS, type Slot, slotIndex, THREAD_COUNT } from '../../../core/index.ts'
import { GENESIS_MS } from '../../devnet/node/face.ts'
import { ALICE, NOBODY } from '../../devnet/node/massa-web3/web3-face.ts'

const UNKNOWN_BLOCK = 'B127Z9Bqpvw9spCv1t8HJs9ZVhdx5zM5rEymcxXkqdCRM1C6ySQW'
const UNKNOWN_OPERATION = 'O12fxbmaVz5rophPjVFta7Ckhc6sMJJV9BSe1FNNRfPbr6Z4SSN1'
const UNKNOWN_ENDORSEMENT = 'E1tLhTfCHR5sgrHfRNySzLp1U4gEvNenSeqZq6asW277rf3UvAw'
/** What was sent before anything is asked. */
export const SENT = [
  'transfer',
  'call',
  'failed call',
  'roll buy',
  'failed roll sale',
  'failed bytecode',
  'failed bytecode with a datastore in disorder',
] as const
export type Sent = (typeof SENT)[number]

/** What the cases ask for. */
export interface Known {
  readonly operations: Readonly<Record<Sent, string>>
  readonly counter: string
  readonly blocks: readonly string[]
  readonly endorsements: readonly string[]
  /** With and without a block. */
  readonly made: Slot
  readonly missed: Slot
  /** Of what is archived. */
  readonly start: Slot
  readonly end: Slot
}

/** massa-web3, as it is published, at one of the two. */
export interface Client {
  readonly api: PublicAPI
  readonly provider: JsonRpcPublicProvider
}

export type Case = readonly [name: string, ask: (client: Client, known: Known) => Promise<unknown>]

export const listSent = ({ operations }: Known) => Object.values(operations)
const inRange = ({ start, end }: Known) => ({ start, end })

export const OF_OPERATIONS: readonly Case[] = SENT.flatMap((sent) => [
  [`the operation of a ${sent}`, ({ api }, { operations }) => api.getOperation(operations[sent])] as const,
  [`the status of a ${sent}`, ({ provider }, { operations }) => provider.getOperationStatus(operations[sent])] as const,
  [
    `the block of a ${sent}`,
    async ({ api }, { operations }) => api.getBlock((await api.getOperation(operations[sent])).in_blocks[0] ?? ''),
  ] as const,
  [`the events of a ${sent}`, ({ provider }, { operations }) => provider.getEvents({ operationId: operations[sent] })],
])

/** Questions about what both know, and about what nobody does. */
export const CASES: readonly Case[] = [
  ...OF_OPERATIONS,
  ['several operations', ({ api }, known) => api.getOperations(listSent(known))],
  ['an operation twice', ({ api }, known) => api.getOperations([...listSent(known), known.operations.call])],
  ['operations, one unknown', ({ api }, known) => api.getOperations([UNKNOWN_OPERATION, ...listSent(known)])],
  ['no operation', ({ api }) => api.getOperations([])],
  ['the status of an unknown operation', ({ api }) => api.getOperationStatus(UNKNOWN_OPERATION)],
  ['error: a malformed operation id', ({ api }) => api.getOperation('O1')],
  ['error: 129 operations', ({ api }, known) => api.getOperations(Array(129).fill(known.operations.call))],
  ['128 operations', ({ api }, known) => api.getOperations(Array(128).fill(known.operations.call))],
  ['waiting for final execution', ({ provider }, known) => wait(provider, known.operations.call)],
  ['waiting for a failure', ({ provider }, known) => wait(provider, known.operations['failed call'])],
  ['the final events of a call', ({ provider }, known) => eventsOf(provider, known.operations.call)],
  ['all blocks', ({ api }, { blocks }) => api.getMultipleBlocks([...blocks])],
  ['blocks, one unknown', ({ api }, { blocks }) => api.getMultipleBlocks([UNKNOWN_BLOCK, blocks[0] ?? ''])],
  ['an unknown block', ({ api }) => api.getBlock(UNKNOWN_BLOCK)],
  ['error: a malformed block id', ({ api }) => api.getBlock('B1')],
  ['a block by slot', ({ api }, { made }) => api.getBlockcliqueBlock(made)],
  ['no block at a missed slot', ({ api }, { missed }) => api.getBlockcliqueBlock(missed)],
  ['no block in the future', ({ api }) => api.getBlockcliqueBlock({ period: 1_000_000, thread: 0 })],
  ['no block beyond 2^53', ({ api }) => api.getBlockcliqueBlock({ period: 2 ** 63, thread: 0 })],
  ['no events beyond 2^53', ({ provider }) => provider.getEvents({ start: { period: 2 ** 63, thread: 0 } })],
  ['no events before genesis', ({ provider }) => provider.getEvents({ end: { period: 0, thread: 0 } })],
  ['no graph beyond 2^53', ({ api }) => api.getGraphInterval(2 ** 63, 2 ** 63 + 2 ** 20)],
  ['no block in thread 32', ({ api }, { made }) => api.getBlockcliqueBlock({ ...made, thread: THREAD_COUNT })],
  ['error: thread 256', ({ api }, { made }) => api.getBlockcliqueBlock({ ...made, thread: 256 })],
  ['an endorsement', ({ api }, { endorsements }) => api.getEndorsement(endorsements[0] ?? '')],
  ['several endorsements', ({ api }, { endorsements }) => api.getMultipleEndorsements(endorsements.slice(0, 128))],
  ['an unknown endorsement', ({ api }) => api.getEndorsement(UNKNOWN_ENDORSEMENT)],
  ['error: a malformed endorsement id', ({ api }) => api.getEndorsement('E1')],
  ['error: 129 endorsements', ({ api }) => api.getMultipleEndorsements(Array(129).fill(UNKNOWN_ENDORSEMENT))],
  ['the graph of what is archived', ({ api }, { start, end }) => api.getGraphInterval(timeOf(start), timeOf(end))],
  ['the graph of a slot', ({ api }, { made }) => api.getGraphInterval(timeOf(made), timeOf(made) + 1)],
  ['the graph before genesis', ({ api }) => api.getGraphInterval(0, GENESIS_MS)],
  ['events by slots', ({ provider }, known) => provider.getEvents(inRange(known))],
  [
    'events by contract',
    ({ provider }, known) => provider.getEvents({ ...inRange(known), smartContractAddress: known.counter }),
  ],
  [
    'events by caller',
    ({ provider }, known) => provider.getEvents({ ...inRange(known), callerAddress: ALICE.address }),
  ],
  ['events of errors', ({ provider }, known) => provider.getEvents({ ...inRange(known), isError: true })],
  ['events of successes', ({ provider }, known) => provider.getEvents({ ...inRange(known), isError: false })],
  ['final events', ({ provider }, known) => provider.getEvents({ ...inRange(known), isFinal: true })],
  ['events that are not final', ({ provider }, known) => provider.getEvents({ ...inRange(known), isFinal: false })],
  ['events of nobody', ({ provider }) => provider.getEvents({ callerAddress: NOBODY.address })],
  ['events, asked for by nothing but that they are final', ({ provider }) => provider.getEvents({ isFinal: true })],
  ['events of an unknown operation', ({ provider }) => provider.getEvents({ operationId: UNKNOWN_OPERATION })],
  ['error: events of what is no address', ({ provider }) => provider.getEvents({ callerAddress: 'AU1' })],
  ['the network', async ({ provider }) => ({ ...(await provider.networkInfos()), url: '' })],
  ['the least fee', ({ api }) => api.getMinimalFee()],
  ['the chain id', ({ api }) => api.getChainId()],
  ['the period of now', ({ api }) => api.fetchPeriod()],
  ['the slot of now', ({ api }) => api.getCurrentSlot()],
  [
    'the constants of the network',
    async ({ provider }) => {
      const { config, nextSlot, currentCycle, currentTime } = await provider.getNodeStatus()
      // That of mainnet, and that of this devnet.
      return { config: { ...config, deltaF0: 0 }, nextSlot, currentCycle, currentTime }
    },
  ],
]

export function connect(url: string): Client {
  const api = new PublicAPI(url, { retry: { retries: 0, delay: 0 } })
  return { api, provider: new JsonRpcPublicProvider(api) }
}

/** massa-web3 looks again and again until it is final. */
function wait(provider: JsonRpcPublicProvider, id: string): Promise<unknown> {
  return operationOf(provider, id).waitFinalExecution(1_000, 5)
}

function eventsOf(provider: JsonRpcPublicProvider, id: string): Promise<unknown> {
  return operationOf(provider, id).getFinalEvents()
}

/** It asks for reading alone. */
function operationOf(provider: JsonRpcPublicProvider, id: string): Operation {
  return new Operation(provider as ConstructorParameters<typeof Operation>[0], id)
}

function timeOf(slot: Slot): number {
  return GENESIS_MS + slotIndex(slot) * SLOT_MS
}
