import { readBaseSettings } from '../../config/index.ts'
import { ERA_PERIODS, formatMas, PERIOD_MS } from '../../core/index.ts'
import { ArgsWriter, stringsArg, u64Arg } from '../reference/args-writer.ts'
import { addChallenger, CHUNK_ID, issueArgs, NONCE, passAudit } from './challenge-steps.ts'
import {
  ADMIN,
  ANYONE,
  CHALLENGER,
  call,
  deployRegistry,
  FEE,
  goTo,
  MAS,
  NODE,
  REGISTRY_WASM,
  type World,
} from './registry-world.ts'

/*
 * What a node, a challenger and a deployer spend, measured by calls of the shipped wasm at the default configuration.
 */

const YEAR_PERIODS = (365 * 24 * 3600 * 1000) / PERIOD_MS
const DRAW_PERIODS = Number(readDefault('challenge_frequency_periods'))
const INTERVAL_PERIODS = Number(readDefault('min_challenge_interval')) / PERIOD_MS
const CLAIMS_A_YEAR = 52
const RATE_NANO_MAS = readDefault('reward_per_gb_per_period')
const NETWORK_SIZES = [1, 10, 100] as const

export type CostRow = readonly [what: string, mas: string, comesBack: string]

export interface CostTables {
  /** Of a node, from registering to the end of its first year. */
  readonly year: readonly CostRow[]
  /** Of one challenge, by who pays. */
  readonly challenge: readonly CostRow[]
  readonly deploy: readonly CostRow[]
}

export function measureCosts(): CostTables {
  const world = deployRegistry()
  call(world, ANYONE, 'fundRewards', undefined, 100_000n * MAS)
  addChallenger(world, CHALLENGER)
  const registered = spent(world, NODE, 'registerStorageNode', u64Arg(10), 11n * MAS) - 10n * MAS
  const metadata = new ArgsWriter()
    .strings(['/dns4/node.example.net/tcp/31244'])
    .string('https://node.example.net')
    .string('EU')
    .string('example')
    .finish()
  const described = spent(world, NODE, 'updateNodeMetadata', metadata, MAS)
  goTo(world, 2 * ERA_PERIODS)
  const describedAgain = spent(world, NODE, 'updateNodeMetadata', metadata, MAS)
  const challenge = (challengeId: string) => issueArgs({ challengeId, node: NODE, chunkId: CHUNK_ID, nonce: NONCE })
  const first = spent(world, CHALLENGER, 'issueChallenge', challenge('a'.repeat(64)), MAS)
  const second = spent(world, CHALLENGER, 'issueChallenge', challenge('b'.repeat(64)), MAS)
  goTo(world, 2 * ERA_PERIODS + 10)
  const resolved = spent(world, ANYONE, 'resolveExpiredChallenges', stringsArg(['a'.repeat(64), 'b'.repeat(64)]))
  passAudit(world, 'c')
  const claimed = call(world, NODE, 'claimRewards').gainNanoMas
  if (resolved !== 0n || claimed <= 0n) throw new Error('resolving must be free, and claiming pay')
  const distributed = spent(world, ANYONE, 'distributeRewards', u64Arg(200), MAS)
  return {
    year: [
      ['stake', formatMas(10n * MAS), 'when it leaves, less what is slashed'],
      [`fee of registerStorageNode, and the bytes of its records`, both(registered), 'all but the fee, when it leaves'],
      [
        'fees of two updateNodeMetadata, and their bytes',
        `${formatMas(2n * FEE)} + ${formatMas(described + describedAgain)}`,
        'all but the fees, when it leaves',
      ],
      ...NETWORK_SIZES.map((nodes): CostRow => {
        const audits = auditsOf(nodes)
        return [`fees of ${audits} submitProofs, in a network of ${nodes}`, formatMas(BigInt(audits) * FEE), 'no']
      }),
      [`fees of ${CLAIMS_A_YEAR} claimRewards`, formatMas(BigInt(CLAIMS_A_YEAR) * FEE), 'no'],
      ...NETWORK_SIZES.map((nodes): CostRow => {
        const operations = 1 + 2 + auditsOf(nodes) + CLAIMS_A_YEAR
        return [`**all fees of the year, in a network of ${nodes}**`, formatMas(BigInt(operations) * FEE), 'no']
      }),
      ['fees of two unregisterStorageNode, when it leaves', formatMas(2n * FEE), 'no'],
      ['for comparison: reward of a GB, all audits passed', formatMas(BigInt(YEAR_PERIODS) * RATE_NANO_MAS), 'is paid'],
    ],
    challenge: [
      ['challenger: first challenge of a period', both(first), 'all but the fee, by prune'],
      ['challenger: another one in the same period', both(second), 'all but the fee, by prune'],
      ['node: submitProof, or submitProofs of up to 8', formatMas(FEE), 'no'],
      ['anyone: resolveExpiredChallenges of up to 8', formatMas(FEE), 'no'],
      ['challenger: prune of up to 20', formatMas(FEE), 'it brings the bytes back'],
      ['anyone: distributeRewards of a period', both(distributed), 'all but the fee, by prune'],
    ],
    deploy: [
      ['bytecode', formatMas(BigInt(REGISTRY_WASM.length) * 100_000n), 'no'],
      ['address and first records', formatMas(firstRecords()), 'no'],
    ],
  }
}

/** What a call took from its caller beside the fee. */
function spent(world: World, ...[user, name, args, coins]: [typeof NODE, string, Uint8Array, bigint?]): bigint {
  return -call(world, user, name, args, coins).gainNanoMas
}

function both(storageNanoMas: bigint): string {
  return `${formatMas(FEE)} + ${formatMas(storageNanoMas)}`
}

/** A number of config/base_config.toml. */
function readDefault(name: string): bigint {
  const setting = readBaseSettings().get(name)
  if (!setting) throw new Error(`there is no setting ${name}`)
  return BigInt(setting.defaultText.replaceAll('_', ''))
}

/** Draws of a year that name one node of so many, but no more than its interval lets through. */
function auditsOf(nodes: number): number {
  return Math.floor(Math.min(YEAR_PERIODS / DRAW_PERIODS / nodes, YEAR_PERIODS / INTERVAL_PERIODS))
}

/** What a deployment takes beside the bytecode and the fee. */
function firstRecords(): bigint {
  const { engine, contract } = deployRegistry()
  const total = 1_000_000n * MAS - engine.ledger.balance(ADMIN.address)
  return total - FEE - engine.ledger.balance(contract) - BigInt(REGISTRY_WASM.length) * 100_000n
}
