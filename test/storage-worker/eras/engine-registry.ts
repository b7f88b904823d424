import {
  ArchiveError,
  encodeRegistryCall,
  parseRegistryRefusal,
  type RegistryCallArgs,
  type RegistryCallName,
  slotIndex,
  slotOfIndex,
} from '../../../core/index.ts'
import type { ChainPort, ReadOnlyAnswer } from '../../../storage-worker/chain-port.ts'
import { RegistryClient, type RegistryOutcome, readRegistryEvents } from '../../../storage-worker/registry-client.ts'
import { keyOf } from '../../sc/registry-records.ts'
import { ANYONE, call, MAX_GAS, type User, type World } from '../../sc/registry-world.ts'

interface Sent {
  readonly call: string
  readonly key: string
}

/** The registry of a world of the engine as a sidecar sees it: views, and calls that are tried before they are sent. */
export class EngineRegistry {
  readonly client: RegistryClient
  /** Calls that were sent, in their order. */
  readonly sent: Sent[] = []
  /** What happens before a call is tried. */
  beforeSend: () => void = () => undefined
  /** What happens behind a call that was executed; what it throws, `send` throws. */
  afterSend: () => void = () => undefined
  private readonly world: World
  private readonly user: User

  /** @param user - who sends, and pays */
  constructor(world: World, user: User = ANYONE) {
    this.world = world
    this.user = user
    const chain: Pick<ChainPort, 'callReadOnly' | 'listDatastoreKeys' | 'readDatastore' | 'readStatus'> = {
      readStatus: async () => {
        const { period } = world.engine.slot
        return { chainId: 77n, period, finalPeriod: period, minimalFeeNanoMas: 10_000_000n }
      },
      listDatastoreKeys: async (address, prefix) =>
        world.engine.ledger.keys(address, keyOf(prefix)).map((key) => new TextDecoder().decode(key)),
      callReadOnly: async (request) => this.read(request),
      readDatastore: async (address, keys) => keys.map((key) => world.engine.ledger.value(address, keyOf(key))),
    }
    this.client = new RegistryClient(world.contract, chain as ChainPort)
  }

  async send<N extends RegistryCallName>(order: {
    readonly key: string
    readonly call: N
    readonly args: RegistryCallArgs<N>
    readonly coinsNanoMas?: bigint
    readonly onSigned?: () => Promise<void>
  }): Promise<RegistryOutcome> {
    this.beforeSend()
    const { world, user } = this
    const { engine, contract } = world
    const parameter = encodeRegistryCall(order.call, order.args)
    const trial = engine.executeReadOnlyCall({
      caller: user.address,
      target: contract,
      functionName: order.call,
      parameter,
      maxGas: MAX_GAS,
      ...(order.coinsNanoMas === undefined ? {} : { coinsNanoMas: order.coinsNanoMas }),
    })
    if (!trial.success) throw refusalOf(trial.error)
    await order.onSigned?.()
    this.sent.push({ call: order.call, key: order.key })
    const { events } = call(world, user, order.call, parameter, order.coinsNanoMas)
    this.afterSend()
    const operationId = `O${this.sent.length}`
    return { operationId, isFinal: true, maxGas: 1n, feeNanoMas: 1n, events: readRegistryEvents(events) }
  }

  /** What is sent is executed at once. */
  listUnderWay(): string[] {
    return []
  }

  private read({
    functionName,
    parameter,
  }: {
    readonly functionName: string
    readonly parameter: Uint8Array
  }): ReadOnlyAnswer {
    const { engine, contract: target } = this.world
    const outcome = engine.executeReadOnlyCall({
      caller: ANYONE.address,
      target,
      functionName,
      parameter,
      maxGas: MAX_GAS,
    })
    if (!outcome.success) throw refusalOf(outcome.error)
    // A read-only call runs at the next slot.
    const { period } = slotOfIndex(slotIndex(engine.slot) + 1)
    return { returned: Uint8Array.from(outcome.returned), gasCost: outcome.gasUsed, events: [], period }
  }
}

function refusalOf(error: string | undefined): ArchiveError {
  return parseRegistryRefusal(error ?? '') ?? new ArchiveError('CHAIN_TRIAL_FAILED', error ?? 'it failed')
}
