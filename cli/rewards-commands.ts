import type { Command } from 'commander'
import { add, type Run } from './add-command.ts'
import type { RegistryOptions } from './commands/contract-show.ts'
import type { ClaimOptions } from './commands/rewards-claim.ts'
import { parseCount } from './parse-arguments.ts'

const ANOTHER_REGISTRY = 'another registry than the configured one'
const NODE = 'address of the node, or its first 6 or more characters (default: that of the wallet)'

/** What a node of the registry earned. */
export function addRewards(program: Command, run: Run): void {
  const rewards = add(program, 'rewards', 'Show and claim what a storage node earned.', 'massa-storage rewards show')
  add(rewards, 'show', 'Show what the registry holds for a node.', 'massa-storage rewards show')
    .argument('[node]', NODE)
    .option('--address <address>', ANOTHER_REGISTRY)
    .action((node: string | undefined, options: RegistryOptions, command) =>
      run(async (context) => (await import('./commands/rewards.ts')).rewardsShow(context, node, options))(command),
    )
  add(
    rewards,
    'explain',
    'Show how the rewards of a node came about, and check the sum against the registry.',
    'massa-storage rewards explain AU12mXo',
  )
    .argument('[node]', NODE)
    .option('--address <address>', ANOTHER_REGISTRY)
    .action((node: string | undefined, options: RegistryOptions, command) =>
      run(async (context) => (await import('./commands/rewards.ts')).rewardsExplain(context, node, options))(command),
    )
  add(rewards, 'claim', 'Have what has vested paid out to the wallet.', 'massa-storage rewards claim')
    .option('--address <address>', ANOTHER_REGISTRY)
    .option('-y, --yes', 'spend without asking')
    .action((options: Omit<ClaimOptions, 'signal'>, command) =>
      run(async (context, signal) =>
        (await import('./commands/rewards-claim.ts')).rewardsClaim(context, { ...options, signal }),
      )(command),
    )
  const example = 'massa-storage rewards history --limit 50'
  add(
    rewards,
    'history',
    'Show what the running sidecar distributed and claimed by itself, and what was claimed by hand.',
    example,
  )
    .option('-n, --limit <count>', 'how many at most, up to 1000', parseCount, 20)
    .action((options: { limit: number }, command) =>
      run(async (context, signal) =>
        (await import('./commands/rewards-history.ts')).rewardsHistory(context, options, signal),
      )(command),
    )
}
