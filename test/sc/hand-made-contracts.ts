import { ALLOCATOR, buildModule, leb } from '../devnet/engine/wasm-builder.ts'
import { ArgsWriter } from '../reference/args-writer.ts'
import { checkInvariants, readSurplus } from './registry-records.ts'
import { FEE, MAS, MAX_GAS, makeChain, REGISTRY_WASM, type User, type World } from './registry-world.ts'

/*
 * Contracts that stand between a user and the registry. Strings and buffers lie in their memory as AssemblyScript has
 * them: a pointer stands at the first byte, its length in bytes before it, strings in UTF-16.
 */

/** Host functions fill what they return in at 1,024. */
const FREE_AT = 32_768
const NAME_BYTES = 128
const CALL = { module: 'massa', name: 'assembly_script_call', type: 'iiiI>i' }
const I32_CONST = 0x41
const I64_CONST = 0x42
const LOCAL_GET = [0x20, 0]
const I32_ADD = 0x6a
const I64_LOAD = [0x29, 0, 0]
const FUNCTION = 0x10
const DROP = 0x1a

function withLength(bytes: Uint8Array): number[] {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return [...length, ...bytes]
}

const inMemory = (text: string) => withLength(Buffer.from(text, 'utf16le'))

/** A contract with 100 MAS that calls the registry with what anybody hands it, and with coins of its own. */
export function placeForwarder({ engine, contract }: World): string {
  const bytecode = buildModule({
    imports: [CALL],
    functions: [
      ...ALLOCATOR,
      {
        type: 'i>',
        export: 'forward',
        // call(registry, parameter + 12, parameter + 12 + NAME_BYTES + 4, *parameter)
        code: [
          ...[I32_CONST, ...leb(20)],
          ...[...LOCAL_GET, I32_CONST, ...leb(12), I32_ADD],
          ...[...LOCAL_GET, I32_CONST, ...leb(12 + NAME_BYTES + 4), I32_ADD],
          ...[...LOCAL_GET, ...I64_LOAD],
          ...[FUNCTION, 0, DROP],
        ],
      },
    ],
    data: [{ at: 16, bytes: inMemory(contract) }],
  })
  return engine.placeContract(bytecode, 100n * MAS)
}

/** What came of a call that `user` has a forwarder make; the invariants hold after it. */
export function forward(
  world: World,
  forwarder: string,
  by: { readonly user: User; readonly functionName: string; readonly parameter?: Uint8Array; readonly coins?: bigint },
) {
  const { engine } = world
  const { user, functionName, parameter = new Uint8Array(), coins = 0n } = by
  const name = Buffer.alloc(4 + NAME_BYTES)
  name.set(inMemory(functionName))
  const balances = () => [forwarder, user.address].map((address) => engine.ledger.balance(address)) as [bigint, bigint]
  const before = balances()
  const surplus = readSurplus(world)
  const { success, error, events } = engine.executeOperation({
    sender: user.address,
    feeNanoMas: FEE,
    body: {
      kind: 'call-sc',
      target: forwarder,
      functionName: 'forward',
      parameter: new ArgsWriter().u64(coins).raw(name).bytes(parameter).finish(),
      coinsNanoMas: 0n,
      maxGas: MAX_GAS,
    },
  })
  checkInvariants(world, surplus)
  const after = balances()
  return {
    code: success ? undefined : (/REGISTRY_[A-Z_]+/.exec(error ?? '')?.[0] ?? error),
    events: success ? events.map(({ data }) => data) : [],
    forwarderGain: after[0] - before[0],
    userGain: after[1] - before[1] + FEE,
  }
}

/** The registry, deployed by an operation that sends it coins before it calls the constructor. */
export function deployWithGift(deployer: User, parameter: Uint8Array, giftNanoMas: bigint): World {
  const engine = makeChain()
  const code = withLength(REGISTRY_WASM)
  const argsAt = FREE_AT + code.length
  const bytecode = buildModule({
    imports: [
      CALL,
      { module: 'massa', name: 'assembly_script_create_sc', type: 'i>i' },
      { module: 'massa', name: 'assembly_script_transfer_coins', type: 'iI>' },
    ],
    functions: [
      ...ALLOCATOR,
      {
        type: '>',
        export: 'main',
        // What createSC returns lies at 1,024 until call returns.
        code: [
          ...[I32_CONST, ...leb(FREE_AT + 4), FUNCTION, 1, DROP],
          ...[I32_CONST, ...leb(1024), I64_CONST, ...leb(Number(giftNanoMas)), FUNCTION, 2],
          ...[I32_CONST, ...leb(1024), I32_CONST, ...leb(20), I32_CONST, ...leb(argsAt + 4)],
          ...[I64_CONST, ...leb(Number(MAS)), FUNCTION, 0, DROP],
        ],
      },
    ],
    memory: { min: 3 },
    data: [
      { at: 16, bytes: inMemory('constructor') },
      { at: FREE_AT, bytes: code },
      { at: argsAt, bytes: withLength(parameter) },
    ],
  })
  const { success, error, events } = engine.executeOperation({
    sender: deployer.address,
    feeNanoMas: FEE,
    body: { kind: 'execute-sc', bytecode, datastore: [], maxGas: 3_900_000_000n, maxCoinsNanoMas: 100n * MAS },
  })
  const contract = events.at(-1)?.callStack.at(-1)
  if (!success || contract === undefined) throw new Error(error ?? 'no event of the contract')
  return { engine, contract }
}
