import { readFileSync } from 'node:fs'
import { parseAddress, SignedBlockHeaderCodec } from '../../../../core/index.ts'
import { makeKey } from '../../../../devnet/index.ts'
import { DevnetChain } from '../../../../devnet/node/index.ts'
import { MAS, makeSender, reach, send } from '../chain/made-chain.ts'

/* A chain in which the recorded requests find what they found when they were recorded. */

const PROBE = readFileSync(new URL('../../../fixtures/contract-calls/probe-stub.wasm', import.meta.url))
const GENESIS_MS = 1_795_246_964_000
/** Of the first recorded request: slot (43, 11). */
export const NOW_MS = 1_795_247_657_723
const LAST_INDEX = 43 * 32 + 11

/** As they stand in the recorded requests. */
const CONTRACT = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const CALLER = 'AU12KzqG6QUuAmndZWsfXUNaPvQqG6uXC7HLjKPWfkFEYk4qEJfNY'
const RECORDED_SENDER = 'AU12bevuPqEBQx6rPLvZmSHKg5GpXV72ZW3WvDH8J1ifngn8br6SA'
const RECORDED_STAKER = 'AU1NQmBA9yg9T45RKtqpCyfk3bBuKxAWi8pz9huMqjRU22Y2y2ji'

const SENDER = makeSender('sender')
const STAKER = makeSender('staker')
const NOBODY = makeSender('nobody')

const KEYS = [
  [0],
  Array(255).fill(7),
  [...Buffer.from('alpha')],
  [...Buffer.from('created')],
  [...Buffer.from('hello')],
]

export interface Scene {
  readonly chain: DevnetChain
  /** The request with the ids of this chain in the place of the recorded ones. */
  translate(name: string, request: string): string
}

export async function makeScene(): Promise<Scene> {
  const chain = new DevnetChain({
    genesisTimestampMs: GENESIS_MS,
    accounts: [
      [SENDER.address, 100_000n * MAS],
      [STAKER.address, 500_000n * MAS],
      [CALLER, 99_999_070_000_000n],
    ],
    stakers: [
      { key: STAKER.key, rolls: 80n },
      { key: makeKey('another staker'), rolls: 12n },
    ],
    missRate: 0.05,
    // Fewer signatures than a node's: what is compared does not depend on them.
    endorsements: 2,
    deltaF0: 192,
  })
  for (const ledger of [chain.engine.ledger, chain.finalLedger]) {
    ledger.setBytecode(CONTRACT, PROBE)
    ledger.setBalance(CONTRACT, MAS)
    for (const key of KEYS) ledger.setValue(CONTRACT, Uint8Array.from(key), Buffer.from('2'))
  }
  const sent = new Map<string, string[]>()
  const sendAll = async (name: string, period: number) => {
    await reach(chain, period * 32)
    const call = (functionName: string, coinsNanoMas = 0n) => ({
      kind: 'call-sc' as const,
      target: parseAddress(CONTRACT),
      functionName,
      parameter: new Uint8Array(),
      maxGas: 100_000_000n,
      coinsNanoMas,
    })
    const transfer = send(chain, SENDER, { kind: 'transaction', recipient: NOBODY.key.address, amountNanoMas: MAS })
    const sale = send(chain, STAKER, { kind: 'roll-sell', rollCount: 1n })
    send(chain, SENDER, { kind: 'roll-buy', rollCount: 1n })
    send(chain, SENDER, call('receive'))
    send(chain, SENDER, call('zzz'))
    sent.set(name, name === 'old' ? [transfer, sale] : [transfer])
  }
  await sendAll('first', 1)
  await sendAll('old', 38)
  chain.missNext(19)
  await sendAll('late', 41)
  await reach(chain, LAST_INDEX)
  await sendAll('pooled', 43)
  await chain.advanceTo(NOW_MS)
  return { chain, translate: (name, request) => translate(chain, sent, { name, request }) }
}

/** Which operations a case asks for. */
const OPERATIONS_OF: Readonly<Record<string, string>> = {
  'operations: recent': 'pooled',
  'operations: some minutes old': 'old',
  'operations: first of the run (forgotten)': 'first',
  'operations: 128': 'late',
  'operations: 129': 'late',
  'events: by operation': 'first',
}

function translate(
  chain: DevnetChain,
  sent: ReadonlyMap<string, readonly string[]>,
  { name, request }: { readonly name: string; readonly request: string },
): string {
  const final = chain.latestFinalBlocks[24]
  const candidate = chain.bestParents[3]
  const blocks = new Map([
    ['B1QSBnoYwowayaQRfRxxb2b7FyjogKLwnbofAihWc3rR5oeBfd5', final?.id],
    ['B1EwWJtRmPDBquiHoo7qz4Scy8roDe7TktM6wuvJJbjHgL5DHQe', candidate?.id],
    ['E1xiP9BzQjE5LMF9yZw9KDAQewWZZhoEdo3h7pqDUeEzei49fR6', firstEndorsement(chain, final?.id)],
  ])
  const operations = sent.get(OPERATIONS_OF[name] ?? '') ?? []
  let taken = 0
  return request
    .replace(/\b[BE]1[1-9A-HJ-NP-Za-km-z]{40,}/g, (id) => blocks.get(id) ?? id)
    .replace(/\bO1[1-9A-HJ-NP-Za-km-z]{40,}/g, (id) => operations[taken++ % operations.length] ?? id)
    .replaceAll(RECORDED_SENDER, SENDER.address)
    .replaceAll(RECORDED_STAKER, STAKER.address)
    .replaceAll(`"original_caller_address":"${CALLER}"`, `"original_caller_address":"${SENDER.address}"`)
}

function firstEndorsement(chain: DevnetChain, blockId = ''): string | undefined {
  const header = chain.findBlock(blockId)?.headerMessage
  return header && SignedBlockHeaderCodec.decode(header).content?.endorsements?.[0]?.secureHash
}
