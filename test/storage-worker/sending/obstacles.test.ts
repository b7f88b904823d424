import assert from 'node:assert/strict'
import { ArchiveError, type ErrorCode } from '../../../core/index.ts'
import type { ChainPort } from '../../../storage-worker/chain-port.ts'
import { RegistryClient } from '../../../storage-worker/registry-client.ts'
import { listObstacles } from '../../../storage-worker/sending/list-obstacles.ts'
import { ObstacleWatch } from '../../../storage-worker/sending/obstacle-watch.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { StillClock } from '../../clocks.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { registerNode } from '../../sc/challenge-steps.ts'
import {
  ADMIN,
  call,
  deployRegistry,
  encodeConfig,
  MAS,
  NODE,
  OTHER_NODE,
  type User,
  userOf,
  type World,
} from '../../sc/registry-world.ts'
import { EngineRegistry } from '../eras/engine-registry.ts'
import { REGISTRY } from '../placement/made-registry.ts'

const FEE = 10_000_000n
/** Without coins. */
const POOR = userOf(99)
/** Where there is nothing. */
const NOWHERE = REGISTRY

describe('storage-worker/sending/obstacles on the shipped contract', () => {
  let world: World
  let failure: ErrorCode | undefined

  beforeEach(() => {
    world = deployRegistry({ maxNodes: 1n })
    failure = undefined
  })

  function open(address = world.contract): RegistryClient {
    const { chain } = new EngineRegistry(world).client
    const { ledger, slot } = world.engine
    const node: Pick<ChainPort, 'readStatus' | 'readBalance' | 'readBytecode'> = {
      readStatus: async () => {
        if (failure) throw new ArchiveError(failure, 'made')
        return { chainId: 77n, period: slot.period, finalPeriod: slot.period - 4, minimalFeeNanoMas: FEE }
      },
      readBalance: async (of) => ledger.balance(of),
      readBytecode: async () => undefined,
    }
    return new RegistryClient(address, { ...chain, ...node })
  }

  async function codesOf({ address }: User, minBalanceNanoMas = MAS, client = open()): Promise<string[]> {
    return (await listObstacles(client, { address, minBalanceNanoMas })).map(({ code }) => code)
  }

  for (const code of ['CHAIN_NODE_UNREACHABLE', 'CHAIN_NETWORK_MISMATCH'] as const) {
    it(`names ${code} alone: nothing else is asked of such a massa-node`, async () => {
      failure = code
      assert.deepEqual(await codesOf(NODE), [code])
    })
  }

  it('names a contract that is not there', async () => {
    assert.deepEqual(await codesOf(NODE, MAS, open(NOWHERE)), ['CONTRACT_NOT_FOUND'])
  })

  it('names the pause, what the registry lacks of the node, and what its wallet lacks', async () => {
    assert.deepEqual(await codesOf(NODE), ['REGISTRY_NODE_UNKNOWN'])
    assert.deepEqual(await codesOf(POOR), ['REGISTRY_NODE_UNKNOWN', 'CHAIN_BALANCE_SHORT'])
    registerNode(world, NODE)
    assert.deepEqual(await codesOf(NODE), [])
    assert.deepEqual(await codesOf(OTHER_NODE), ['REGISTRY_FULL'])
    const balance = world.engine.ledger.balance(NODE.address)
    assert.deepEqual(await codesOf(NODE, balance), [])
    call(world, ADMIN, 'setPaused', new ArgsWriter().bool(true).finish())
    assert.deepEqual(await codesOf(NODE, balance + 1n), ['REGISTRY_PAUSED', 'CHAIN_WALLET_LOW'])
    call(world, NODE, 'unregisterStorageNode')
    assert.deepEqual(await codesOf(NODE), ['REGISTRY_PAUSED', 'REGISTRY_NODE_LEAVING'])
  })

  it('names a stake that new settings made too small, from the call on that finds it so', async () => {
    registerNode(world, NODE)
    call(world, ADMIN, 'updateConfig', encodeConfig({ minStake: 100n * MAS }), MAS)
    assert.deepEqual(await codesOf(NODE), [])
    call(world, NODE, 'topUpStake', undefined, 1n)
    assert.deepEqual(await codesOf(NODE), ['REGISTRY_STAKE_LOW'])
    call(world, NODE, 'topUpStake', undefined, 100n * MAS)
    assert.deepEqual(await codesOf(NODE), [])
  })

  it('a watch says each once, with what to do, and when all have gone', async () => {
    const lines: { msg: string; action?: string; err?: { code: string } }[] = []
    const destination = { write: (text: string) => lines.push(JSON.parse(text)) }
    const log = createLogger({ level: 'info', format: 'json', destination })
    const { address } = NODE
    const options = { address, minBalanceNanoMas: MAS }
    const watch = new ObstacleWatch(options, { client: open(), clock: new StillClock(), log })
    const { ledger } = world.engine
    const lookTwice = async () => {
      await watch.look()
      await watch.look()
      return watch.obstacles.map(({ code }) => code)
    }
    assert.deepEqual(await lookTwice(), ['REGISTRY_NODE_UNKNOWN'])
    registerNode(world, NODE)
    assert.deepEqual(await lookTwice(), [])
    const balance = ledger.balance(address)
    ledger.setBalance(address, 0n)
    assert.deepEqual(await lookTwice(), ['CHAIN_BALANCE_SHORT'])
    ledger.setBalance(address, balance)
    assert.deepEqual(await lookTwice(), [])
    const gone = 'nothing keeps this node from earning any more'
    assert.deepEqual(
      lines.map(({ msg, err }) => err?.code ?? msg),
      ['REGISTRY_NODE_UNKNOWN', gone, 'CHAIN_BALANCE_SHORT', gone],
    )
    assert.match(lines[0]?.action ?? '', /massa-storage register/)
  })
})
