import { type Command, InvalidArgumentError, Option } from 'commander'
import { MAX_SPEED, MIN_SPEED } from '../devnet/node/process/speed-limits.ts'
import { add, type Run } from './add-command.ts'
import type { DevnetNodeOptions } from './commands/devnet-node.ts'
import type { NamedOrder } from './commands/devnet-orders.ts'
import type { DevnetUpOptions } from './commands/devnet-up.ts'
import { parseWhole } from './parse-arguments.ts'

const DEFAULT_SIDECARS = 4
const MAX_SIDECARS = 32
const DEFAULT_SPEED = 8

/** A whole Massa network on this machine. */
export function addDevnet(program: Command, run: Run): void {
  const devnet = add(program, 'devnet', 'Run a whole Massa storage network on this machine.', 'massa-storage devnet up')
  addUp(devnet, run)
  add(devnet, 'status', 'Show the running network.', 'massa-storage devnet status --json').action((_options, command) =>
    run(async (context) => (await import('./commands/devnet-orders.ts')).devnetStatus(context))(command),
  )
  add(devnet, 'down', 'End the running network.', 'massa-storage devnet down').action((_options, command) =>
    run(async (context, signal) => (await import('./commands/devnet-orders.ts')).devnetDown(context, signal))(command),
  )
  add(devnet, 'logs', 'Print the log of the node or of a sidecar.', 'massa-storage devnet logs sidecar-1 -f')
    .argument('[name]', 'node or sidecar-N', 'node')
    .option('-f, --follow', 'and go on until Ctrl-C')
    .action((name: string, options: { follow?: boolean }, command) =>
      run(async (context, signal) =>
        (await import('./commands/devnet-orders.ts')).devnetLogs(context, name, options, signal),
      )(command),
    )
  add(devnet, 'add', 'Add a sidecar, funded and registered.', 'massa-storage devnet add --retention 10')
    .option('--retention <periods>', 'keep the newest periods alone (default: all)', parseRetention)
    .action((options: { retention?: number }, command) =>
      run(async (context) => (await import('./commands/devnet-orders.ts')).devnetAdd(context, options))(command),
    )
  addOrder(devnet, run, 'remove', 'End a sidecar for good.')
  addOrder(devnet, run, 'kill', 'Kill a process as a crash does; it is started again.').option(
    '--stay',
    'not before `devnet start`',
  )
  addOrder(devnet, run, 'start', 'Start what was killed to stay dead.').option(
    '--empty',
    'a sidecar without its archive, as on a new disk',
  )
  addOrder(devnet, run, 'pause', 'Let a process stand still.')
  addOrder(devnet, run, 'resume', 'Let a paused process go on.')
  add(devnet, 'control', 'Order the node about.', `massa-storage devnet control miss '{"thread":7,"count":5}'`)
    .argument(
      '<order>',
      'pause, resume, speed, miss, fork, rates, restart, drop-streams, delay, hang, corrupt, broadcast',
    )
    .argument('[values]', 'JSON')
    .action((order: string, values: string | undefined, _options, command) =>
      run(async (context) => (await import('./commands/devnet-control.ts')).devnetControl(context, order, values))(
        command,
      ),
    )
  add(devnet, 'scenario', 'Play scenarios on the running network.', 'massa-storage devnet scenario missed-thread')
    .argument('[names...]', 'which (default: list them)')
    .action((names: string[], _options, command) =>
      run(async (context, signal) =>
        (await import('./commands/devnet-scenario.ts')).devnetScenario(context, names, signal),
      )(command),
    )
  addNode(devnet, run)
}

function addUp(devnet: Command, run: Run): void {
  add(
    devnet,
    'up',
    'Start node, contract and sidecars, and show them until Ctrl-C. --data-dir keeps the network.',
    'massa-storage devnet up -n 3 --speed 16 --data-dir my-network',
  )
    .option('-n, --sidecars <count>', 'sidecars of a new network', parseSidecars, DEFAULT_SIDECARS)
    .addOption(new Option('--speed <factor>', 'chain time to real time').argParser(parseSpeed).default(DEFAULT_SPEED))
    .addOption(new Option('--turbo', 'as fast as the sidecars follow').conflicts('speed'))
    .option('--auto-ports', 'take free ports where the usual ones are in use')
    .option('--registry-params <file>', 'TOML file with settings of its registry other than the usual ones')
    .option('--cuttable', 'lead links between sidecars through this process, so that scenarios can cut them')
    .option(
      '--sidecar <name=file>',
      'JavaScript that sidecar-N runs in place of this program; repeatable',
      collectProgram,
    )
    .addOption(
      new Option('--node-option <option>', 'further option of `devnet node`, repeatable')
        .argParser((text: string, before: string[] = []) => [...before, ...text.split(' ')])
        .hideHelp(),
    )
    .action((options: DevnetUpOptions, command) =>
      run(async (context, signal) => (await import('./commands/devnet-up.ts')).devnetUp(context, options, signal))(
        command,
      ),
    )
}

function addOrder(devnet: Command, run: Run, order: NamedOrder, description: string): Command {
  const what = order === 'remove' ? 'sidecar-N' : 'node or sidecar-N'
  return add(devnet, order, description, `massa-storage devnet ${order} sidecar-2`)
    .argument('<name>', what)
    .action((name: string, options: { stay?: boolean; empty?: boolean }, command) =>
      run(async (context) => (await import('./commands/devnet-orders.ts')).devnetOrder(context, order, name, options))(
        command,
      ),
    )
}

function addNode(devnet: Command, run: Run): void {
  add(devnet, 'node', 'Run the embedded massa-node alone.', 'massa-storage devnet node --speed 8 --data-dir my-chain')
    .option('--speed <factor>', 'chain time to real time, or turbo', parseNodeSpeed, 1)
    .option('--grpc-port <port>', 'public gRPC; 0 takes a free one', parsePort, 33_037)
    .option('--json-rpc-port <port>', 'public JSON-RPC; 0 takes a free one', parsePort, 33_035)
    .option('--control-port <port>', 'control; 0 takes a free one', parsePort, 33_039)
    .addOption(new Option('--chain-id <id>', 'chain id').argParser(parseWhole).default(77n, '77'))
    .option('--seed <text>', 'decides producers and stakers', 'devnet')
    .option('--genesis <ms>', 'of a new chain, ms since 1970 (default: now at speed 1, or five years ago)', parseTime)
    .option('--accounts <file>', 'JSON of addresses with their nanoMAS at genesis, as texts')
    .option('--no-broadcast', 'streams open and stay silent, as a massa-node is shipped')
    .option('--keep-periods <periods>', 'force_keep_final_periods of the node', parsePeriods, 30)
    .option('--endorsements <count>', 'in each header, 0 to 16', parseEndorsements, 16)
    .option('--miss-rate <share>', 'share of slots without a block', parseShare, 0.02)
    .option('--orphan-rate <share>', 'share of blocks with a rival that never becomes final', parseShare, 0.01)
    .addOption(new Option('--with-parent', 'end with the process that started it').hideHelp())
    .action((options: DevnetNodeOptions, command) =>
      run(async (context, signal) => (await import('./commands/devnet-node.ts')).devnetNode(context, options, signal))(
        command,
      ),
    )
}

function parseSpeed(text: string): number {
  const speed = /^\d{1,4}(?:\.\d{1,3})?$/.test(text) ? Number(text) : 0
  if (speed >= MIN_SPEED && speed <= MAX_SPEED) return speed
  throw new InvalidArgumentError(`'${text}' is not a factor from ${MIN_SPEED} to ${MAX_SPEED}, such as 8.`)
}

function parseNodeSpeed(text: string): number | 'turbo' {
  return text === 'turbo' ? text : parseSpeed(text)
}

function parseSidecars(text: string): number {
  return parseBetween(text, 1, MAX_SIDECARS)
}

/** `sidecar-N=FILE`, added to those before. */
function collectProgram(text: string, previous: ReadonlyMap<string, string> = new Map()): Map<string, string> {
  const [, name = '', file = ''] = /^(sidecar-[1-9]\d{0,2})=(.+)$/s.exec(text) ?? []
  if (name === '') throw new InvalidArgumentError(`'${text}' is not like sidecar-3=program.js.`)
  if (previous.has(name)) throw new InvalidArgumentError(`${name} has a program already.`)
  return new Map([...previous, [name, file]])
}

function parsePort(text: string): number {
  return parseBetween(text, 0, 65_535)
}

function parseTime(text: string): number {
  if (/^\d{1,14}$/.test(text)) return Number(text)
  throw new InvalidArgumentError(`'${text}' is not a time in ms since 1970.`)
}

function parseRetention(text: string): number {
  return parseBetween(text, 0, 999_999)
}

function parsePeriods(text: string): number {
  return parseBetween(text, 1, 1_000)
}

function parseEndorsements(text: string): number {
  return parseBetween(text, 0, 16)
}

function parseShare(text: string): number {
  const share = /^(?:0|1|0?\.\d{1,6})$/.test(text) ? Number(text) : Number.NaN
  if (share >= 0 && share <= 1) return share
  throw new InvalidArgumentError(`'${text}' is not a share from 0 to 1.`)
}

function parseBetween(text: string, least: number, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN
  if (number >= least && number <= most) return number
  throw new InvalidArgumentError(`'${text}' is not a number from ${least} to ${most}.`)
}
