import { type Command, Option } from 'commander'
import { formatCoins } from '../core/units.ts'
import { add, type Run } from './add-command.ts'
import type { EconomicsCommandOptions } from './commands/economics.ts'
import { ECONOMICS_DEFAULTS } from './economics-defaults.ts'
import { parseAmount, parseCount, parseDecimal, parsePositive, parseShare } from './parse-arguments.ts'

/** What it costs and brings. */
export function addEconomics(program: Command, run: Run): void {
  const defaults = ECONOMICS_DEFAULTS
  add(
    program,
    'economics',
    'Compute what an operator earns and what the network costs, at prices that you give; exit code 1 when an honest operator loses.',
    'massa-storage economics --mas 0.02 --disk 4 --gb 500',
  )
    .option('--disk <usd>', 'price of a TB of disk in a month, USD', parseDecimal, defaults.disk)
    .option('--traffic <usd>', 'price of a TB of traffic, USD', parseDecimal, defaults.traffic)
    .option('--server <usd>', 'what the machine costs more in a month, USD', parseDecimal, defaults.server)
    .option('--mas <usd>', 'price of a MAS, USD', parsePositive, defaults.mas)
    .option('--cloud <usd>', 'price of a TB in a cloud database in a month, USD', parseDecimal, defaults.cloud)
    .option('--gb <gb>', 'GB that the node offers, and every other one', parseCount, defaults.gb)
    .option('--nodes <count>', 'nodes of the network', parseCount, defaults.nodes)
    .option('--challengers <count>', 'challengers of the network, up to 1000', parseCount, defaults.challengers)
    .option('--history-gb <gb>', 'GB of anchored history', parsePositive, defaults.historyGb)
    .option(
      '--frequency <periods>',
      'periods from one draw of a challenger to its next (default: challenge_frequency_periods)',
      parseCount,
    )
    .addOption(
      new Option('--fee <mas>', 'fee of an operation, MAS')
        .argParser(parseAmount)
        .default(defaults.fee, formatCoins(defaults.fee)),
    )
    .addOption(
      new Option('--missed <percent>', 'audits that an honest node misses, per cent')
        .argParser(parseShare)
        .default(defaults.missed, `${defaults.missed * 100}`),
    )
    .addOption(new Option('--production', 'the settings that ship for coins of value').conflicts(['params', 'address']))
    .addOption(new Option('--params <file>', 'TOML file with the settings of a registry').conflicts('address'))
    .option('--address <address>', 'another registry than the configured one')
    .action((options: EconomicsCommandOptions, command) =>
      run(async (context) => (await import('./commands/economics.ts')).economics(context, options))(command),
    )
}
