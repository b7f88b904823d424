import { tmpdir } from 'node:os'
import { ECONOMICS_DEFAULTS, type EconomicsOptions } from '../../../cli/economics-defaults.ts'
import { makeEconomicsInput } from '../../../cli/economics-input.ts'
import { type EconomicsReport, makeReport } from '../../../cli/economics-report.ts'
import { describeVerdict, listTables } from '../../../cli/economics-tables.ts'
import { loadConfig, loadRegistryParams, productionRegistryPath } from '../../../config/index.ts'
import type { RegistryConfig } from '../../../core/index.ts'
import { percent, type Row, significant, table, whole } from '../scale/page-table.ts'

const PRIVATE = loadRegistryParams(undefined)
const PRODUCTION = loadRegistryParams(productionRegistryPath())
const MAS_PRICES_USD = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1] as const
const SIZES_GB = [10, 100, 1_000] as const
const NETWORKS = [3, 10, 30, 100] as const
const FREQUENCIES = [1, 10, 100, 1_000] as const

/** docs/ECONOMICS.md: what the command answers for its defaults and some others, the same on every machine. */
export function renderEconomics(note: string): string {
  return [
    '# Economics',
    '',
    note,
    '',
    'What an honest operator earns and what the network costs, as `massa-storage economics` computes it: arithmetic over the settings of a',
    'registry, at prices that are inputs. No price here was looked up but that of the cloud: give your own.',
    '',
    '## Inputs',
    '',
    ...table(['option', 'default', 'what', 'from'], listInputs(), '---'),
    '',
    'Settings are read from the chain where a registry is configured, else they are those of `config/base_registry.toml`; with',
    '`--production` those of `config/production_registry.toml`, with `--params FILE` those of a file. `challenge_frequency_periods` and',
    '`min_challenge_interval` are those of the configuration. The exit code is 1 when an honest operator loses, or fees take more than a tenth.',
    '',
    'All nodes are alike, and each sends its part of what anybody may send: issuing, pruning, distributing, anchoring. One that issues',
    'no challenges has less to pay. Rewards are distributed every `reward_distribution_periods`, and claimed once a week. A node sends and receives its',
    'part of the copies of a quiet chain, 1 MB of audits a day, gossip of 70 % of a quiet chain ([SCALE](SCALE.md)), and in a month a tenth of what it holds is',
    'read. A record costs 0.0001 MAS a byte while it is there; those of eras stay for good.',
    '',
    '## With the settings of a private network',
    '',
    ...renderReport(report({}, PRIVATE), PRIVATE),
    '## With the settings for production',
    '',
    'Only what anchored history fills is paid for.',
    '',
    ...renderReport(report({}, PRODUCTION), PRODUCTION),
    '## The price of a MAS',
    '',
    'Settings for production. The margin is of an operator of so many GB in a month, USD; *least* is the `reward_per_gb_per_period` that a node of',
    '100 GB needs, *cloud* the one at which the rewards of all cost as much as the database. Where *least* is below *cloud* there is a rate with which',
    'operators earn, and the network costs less than the cloud.',
    '',
    ...table(
      ['USD for a MAS', ...SIZES_GB.map((gb) => `${whole(gb)} GB`), 'rewards, of the cloud', 'least', 'cloud'],
      MAS_PRICES_USD.map(listPrice),
    ),
    '',
    '## How often nodes may be challenged',
    '',
    'Settings for production, 0.01 MAS for each operation, one challenger (ten that draw every 100 periods are as one that draws every 10): share of the',
    'reward that fees take when it draws every so many periods, and the most frequent draw that leaves them at a tenth, with the audits of a node in a day that it gives. A node is audited at most',
    'once in `min_challenge_interval`, 24 times a day, so fees bind only where nodes are small, or MAS are few. What challenges find: [DETECTION](DETECTION.md).',
    '',
    ...table(
      ['', ...FREQUENCIES.map((frequency) => `every ${whole(frequency)}`), 'a tenth at every', 'audits a day'],
      [100, 10, 1].flatMap((gb) => NETWORKS.map((nodes) => listFrequencies(gb, nodes))),
    ),
    '',
    '## Where an operator loses',
    '',
    'What the command says, with the settings for production but for the options given.',
    '',
    ...table(['options', 'answer'], listLosses(), '---'),
    '',
  ].join('\n')
}

function report(options: Partial<EconomicsOptions>, settings: RegistryConfig): EconomicsReport {
  // No file, no environment: the shipped configuration.
  const { config } = loadConfig({ env: {}, flags: {}, cwd: tmpdir() })
  return makeReport(makeEconomicsInput({ ...ECONOMICS_DEFAULTS, ...options }, settings, config))
}

function renderReport(found: EconomicsReport, settings: RegistryConfig): string[] {
  const tables = listTables(found).flatMap(({ title, rows: [head = [], ...rows], texts }) => {
    return [`### ${title}`, '', ...table(head, rows, texts.length > 0 ? '---' : '---:'), '']
  })
  return [...tables, ...describeVerdict(found, settings).map((line) => `- ${line}`), '']
}

function listInputs(): Row[] {
  const { disk, traffic, server, mas, cloud, gb, nodes, challengers, historyGb, missed } = ECONOMICS_DEFAULTS
  return [
    ['`--disk`', `${disk}`, 'USD for a TB of disk in a month', 'made up: a rented disk'],
    [
      '`--traffic`',
      `${traffic}`,
      'USD for a TB of traffic',
      'made up: what a rented machine pays beyond what is included',
    ],
    ['`--server`', `${server}`, 'USD in a month, what the sidecar adds to a massa-node', 'made up'],
    ['`--mas`', `${mas}`, 'USD for a MAS', 'made up: give the one of today'],
    [
      '`--cloud`',
      `${cloud}`,
      'USD for a TB in a month in a central cloud database',
      'list price of Amazon DynamoDB, storage alone: 0.25 USD a GB and month',
    ],
    ['`--gb`', `${gb}`, 'GB that each node offers', 'made up'],
    ['`--nodes`', `${nodes}`, 'nodes', 'made up'],
    ['`--challengers`', `${challengers}`, 'challengers, each of which draws', 'as the seed has it'],
    [
      '`--history-gb`',
      `${historyGb}`,
      'GB of anchored history',
      'a quiet year: 0.48 GB a day, blocks without operations',
    ],
    ['`--frequency`', '', 'periods from one draw of a challenger to its next', '`challenge_frequency_periods`'],
    ['`--fee`', '0.01', 'MAS for each operation', 'the least that nodes take'],
    ['`--missed`', `${missed * 100}`, 'per cent of audits that an honest node misses', 'made up'],
  ]
}

function listPrice(usdPerMas: number): Row {
  const { network, leastRateNanoMas } = report({ mas: usdPerMas }, PRODUCTION)
  const { paidUsd, cloudUsd, rateAsCloudNanoMas } = network.quiet
  return [
    `${usdPerMas}`,
    ...SIZES_GB.map((gb) => report({ mas: usdPerMas, gb }, PRODUCTION).margin.marginUsd.toFixed(2)),
    `${significant(paidUsd / cloudUsd)} x`,
    whole(Number(leastRateNanoMas)),
    whole(Number(rateAsCloudNanoMas)),
  ]
}

function listFrequencies(gb: number, nodes: number): Row {
  const { advice } = report({ gb, nodes }, PRODUCTION)
  return [
    `${whole(nodes)} nodes of ${gb} GB`,
    ...FREQUENCIES.map((frequency) => percent(report({ gb, nodes, frequency }, PRODUCTION).margin.feeShare)),
    ...(advice ? [whole(advice.frequencyPeriods), significant(advice.auditsPerDay)] : ['never', '0']),
  ]
}

function listLosses(): Row[] {
  const cases: readonly (readonly [string, Partial<EconomicsOptions>])[] = [
    ['--mas 0.0005', { mas: 0.0005 }],
    ['--gb 5', { gb: 5 }],
    ['--history-gb 5', { historyGb: 5 }],
    ['--server 0 --disk 1 --history-gb 1 --frequency 1', { server: 0, disk: 1, historyGb: 1, frequency: 1 }],
  ]
  return cases.map(([text, options]) => {
    const found = report(options, PRODUCTION)
    return [`\`${text}\``, describeVerdict(found, PRODUCTION)[0] ?? '']
  })
}
