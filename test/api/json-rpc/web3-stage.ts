import assert from 'node:assert/strict'
import { Args } from '@massalabs/massa-web3'
import { createApi, listen } from '../../../api/index.ts'
import { slotOfIndex, THREAD_COUNT } from '../../../core/index.ts'
import { listEndorsements } from '../../../devnet/node/json-rpc/forms/block-form.ts'
import { MAS } from '../../devnet/node/face.ts'
import { BOB, COUNTER, openWeb3Face, type Web3Face } from '../../devnet/node/massa-web3/web3-face.ts'
import { archiveChain } from './chain-archive.ts'
import { type Case, type Client, connect, type Known, type Sent } from './web3-cases.ts'

/** A devnet's node, an archive of its chain, and massa-web3 at each of the two. */
export interface Web3Stage {
  readonly face: Web3Face
  readonly atNode: Client
  readonly atArchive: Client
  readonly known: Known
  close(): Promise<void>
}

/** Operations of all kinds are sent, executed, and archived. */
export async function openWeb3Stage(): Promise<Web3Stage> {
  const face = await openWeb3Face({ endorsements: 2, deltaF0: 192, skipsEmptyBlocks: false, missRate: 0.1 })
  const { operations, counter } = await send(face)
  face.pass(4)
  await face.api.status()
  const { network, periods, history } = await archiveChain(face.chain)
  const archive = createApi({
    dataDirNames: new Set(),
    status: async () => ({ problems: [] }),
    query: {} as never,
    history: {
      history,
      identity: { network, version: 'massa-storage/test', nodeId: 'N1' },
      nowMs: () => face.clock.nowMs(),
    },
  })
  return {
    face,
    atNode: connect(face.url),
    atArchive: connect(await listen(archive, { host: '127.0.0.1', port: 0 })),
    known: { ...know(face, periods), operations, counter },
    close: async () => {
      await archive.close()
      await face.close()
    },
  }
}

/** What a case gives, or the text of its error. */
export async function outcomeOf(
  ask: Case[1],
  client: Client,
  known: Known,
): Promise<{ value: unknown } | { error: string }> {
  try {
    return { value: await ask(client, known) }
  } catch (error) {
    return { error: String(error) }
  }
}

/** One of each kind, in one period or two. */
async function send(face: Web3Face): Promise<{ operations: Record<Sent, string>; counter: string }> {
  const counter = await face.deploy(COUNTER, new Args().addU64(0n), { coins: MAS })
  const step = new Args().addU64(1n)
  // A node shows the keys sorted.
  const datastore = new Map([9, 3, 5].map((key) => [Uint8Array.of(key), Uint8Array.of(1)]))
  const operations = {
    transfer: (await face.provider.transfer(BOB.address, MAS)).id,
    call: (await counter.call('increment', step)).id,
    'failed call': (await counter.call('increment', new Args(), { maxGas: 50_000_000n })).id,
    'roll buy': (await face.provider.buyRolls(1n)).id,
    'failed roll sale': (await (await face.providerOf(BOB)).sellRolls(1n)).id,
    'failed bytecode': (await face.provider.executeSC({ byteCode: COUNTER, maxGas: 50_000_000n })).id,
    'failed bytecode with a datastore in disorder': (
      await face.provider.executeSC({ byteCode: COUNTER, maxGas: 50_000_000n, datastore })
    ).id,
  }
  face.execute()
  return { operations, counter: counter.address }
}

function know({ chain }: Web3Face, periods: readonly number[]): Omit<Known, 'operations' | 'counter'> {
  const [first, last] = [periods[0] ?? assert.fail('nothing archived'), periods.at(-1) ?? 0]
  const blocks = chain.listBlocks(first * THREAD_COUNT, (last + 1) * THREAD_COUNT)
  const made = new Set(blocks.map(({ slotIndex }) => slotIndex))
  const slots = Array.from({ length: periods.length * THREAD_COUNT }, (_, i) => first * THREAD_COUNT + i)
  return {
    blocks: blocks.map(({ id }) => id),
    endorsements: blocks.flatMap((block) => listEndorsements(block).map(({ id }) => id)),
    made: blocks[0]?.slot ?? assert.fail('no block'),
    missed: slotOfIndex(slots.find((index) => !made.has(index)) ?? assert.fail('no slot is missed')),
    start: { period: first, thread: 0 },
    end: { period: last + 1, thread: 0 },
  }
}
