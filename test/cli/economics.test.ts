import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { economics } from '../../cli/commands/economics.ts'
import type { Context } from '../../cli/context.ts'
import { ECONOMICS_DEFAULTS, type EconomicsOptions } from '../../cli/economics-defaults.ts'
import { parseDecimal, parsePositive, parseShare } from '../../cli/parse-arguments.ts'
import { loadRegistryParams, productionRegistryPath, readRegistryParams } from '../../config/index.ts'
import { makeCommand } from './command-place.ts'

const REFUSED = { name: 'InvalidArgumentError', code: 'commander.invalidArgument' }

describe('cli/economics', () => {
  let dir: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-economics-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  async function ask(
    options: Partial<EconomicsOptions> & { readonly production?: boolean; readonly params?: string } = {},
    json = true,
  ) {
    const { context, printed } = makeCommand(dir, {}, { json })
    const code = await economics({ ...context, cwd: dir } as Context, { ...ECONOMICS_DEFAULTS, ...options })
    return { code, ...printed }
  }

  it('leaves an honest operator in profit, with the shipped settings and with those for production', async () => {
    for (const production of [false, true]) {
      const { code, stdout } = await ask({ production })
      const { source, margin, input, faults } = JSON.parse(stdout)
      assert.equal(code, 0)
      assert(margin.marginUsd > 0)
      assert.deepEqual(faults, [])
      assert.equal(input.settings.requireAnchors, production)
      assert.match(
        source,
        production ? /^those that ship for coins of value$/ : /^those that ship, for a private network$/,
      )
    }
  })

  it('says which parameter is wrong, what would do, and exits with 1', async () => {
    const { code, stdout } = await ask({ mas: 0.0001 }, false)
    assert.equal(code, 1)
    assert.match(
      stdout,
      /\nAn honest operator loses money: reward_per_gb_per_period = 1,000,000 is wrong, [\d,]+ would do; or the price of a MAS is 0\.0001 USD, 0\.\d+ USD would do\.\n/,
    )
    assert.match(
      stdout,
      /^Settings: those that ship, for a private network\.\n\nAn operator of 100 GB, one of 10, in a month\n/,
    )
  })

  it('counts distributions of rewards as the sidecar makes them, whatever a challenger draws', async () => {
    const { context, printed } = makeCommand(dir, {
      challenge_frequency_periods: 1,
      reward_distribution_periods: 5_400,
    })
    await economics({ ...context, cwd: dir } as Context, ECONOMICS_DEFAULTS)
    const { input } = JSON.parse(printed.stdout)
    assert.equal(input.distributionPeriods, 5_400)
    assert.equal(input.challengeFrequencyPeriods, 1)
  })

  it('says when no rate that a registry takes would do', async () => {
    const { stdout } = await ask({ mas: 1e-9 }, false)
    assert.match(stdout, /would do, but a registry takes at most 10,000,000,000; or the price of a MAS/)
  })

  it('takes the settings of a file', async () => {
    writeFileSync(join(dir, 'dear.toml'), '[storage_registry]\nreward_per_gb_per_period = 7\n')
    const { code, stdout } = await ask({ params: 'dear.toml' })
    const { source, input, leastRateNanoMas, faults } = JSON.parse(stdout)
    assert.equal(code, 1)
    assert.equal(source, 'those of dear.toml')
    assert.equal(input.settings.rewardPerGbPerPeriod, '7')
    assert.deepEqual(faults[0].changes, [{ parameter: 'rewardPerGbPerPeriod', found: '7', enough: leastRateNanoMas }])
  })

  it('error: refuses what the registry would not take', async () => {
    await assert.rejects(ask({ gb: 10_001 }), { code: 'CLI_USAGE', message: /--gb 10001.*1 to 10000 GB/ })
    await assert.rejects(ask({ nodes: 10_001 }), { code: 'CLI_USAGE', message: /--nodes 10001/ })
    await assert.rejects(ask({ challengers: 1_001 }), { code: 'CLI_USAGE', message: /--challengers 1001: .* 1000/ })
    assert.notEqual((await ask({ challengers: 1_000, frequency: 1 })).code, 2)
    await assert.rejects(ask({ params: 'none.toml' }), { code: 'CONFIG_PARAMS_MISSING' })
    assert.equal((await ask({ gb: 10_000, nodes: 10_000 })).code, 0)
  })

  it('error: prices are decimal numbers, shares below 100 per cent', () => {
    assert.equal(parseDecimal('0.5'), 0.5)
    assert.equal(parseDecimal('0'), 0)
    assert.equal(parsePositive('250'), 250)
    assert.equal(parseShare('1'), 0.01)
    assert.equal(parseShare('99.5'), 0.995)
    for (const text of ['-1', '1e3', '', 'x', '1,5', '.5', '5.', 'NaN', 'Infinity', '1234567890', '0x10']) {
      assert.throws(() => parseDecimal(text), REFUSED, text)
    }
    assert.throws(() => parsePositive('0.0'), REFUSED)
    assert.throws(() => parseShare('100'), REFUSED)
  })
})

describe('config/production_registry.toml', () => {
  it('has what base_registry.toml recommends for production, and nothing else', () => {
    assert.deepEqual(readRegistryParams(productionRegistryPath()), {
      challengeResponseTimeout: 160_000n,
      requireAnchors: true,
      minChallengeIntervalPeriods: 225n,
      stakePerGb: 5_400_000_000n,
      placementLagEras: 42,
      adminDelayPeriods: 10_800n,
    })
    // Within the bounds of the contract.
    assert(loadRegistryParams(productionRegistryPath()).requireAnchors)
  })
})
