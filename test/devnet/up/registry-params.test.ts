import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadRegistryParams } from '../../../config/index.ts'
import { checkRegistryConfig, isArchiveError } from '../../../core/index.ts'
import { KeptDescription } from '../../../devnet/up/kept-description.ts'
import { NetworkFiles } from '../../../devnet/up/network-files.ts'
import {
  checkSidecarCount,
  computeResponseTimeout,
  readDevnetParams,
  writeRegistryParams,
} from '../../../devnet/up/registry-params.ts'

describe('devnet/up/registry-params', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'massa-storage-params-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('gives a challenged node a minute by the clock on the wall, as far as a registry allows', () => {
    const timeouts = ([0.5, 1, 8, 1_000, 'turbo'] as const).map(computeResponseTimeout)
    assert.deepEqual(timeouts, [60_000, 60_000, 480_000, 3_600_000, 3_600_000])
  })

  it('writes what `contract deploy --params` takes', () => {
    const config = loadRegistryParams(writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }))
    checkRegistryConfig(config)
    assert.deepEqual(config, { ...loadRegistryParams(undefined), challengeResponseTimeout: 480_000n })
  })

  function write(...lines: readonly string[]): string {
    const file = join(folder, 'own.toml')
    writeFileSync(file, ['[storage_registry]', ...lines].join('\n'))
    return file
  }

  it('deploys with what a file says, and else as usual', () => {
    const params = readDevnetParams(
      write('require_anchors = true', 'admin_delay_periods = 8_100', 'slash_percentage = 20'),
    )
    const file = writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }, params)
    assert.deepEqual(loadRegistryParams(file), {
      ...loadRegistryParams(undefined),
      ...{ requireAnchors: true, adminDelayPeriods: 8_100n, slashPercentage: 20n, challengeResponseTimeout: 480_000n },
    })
    const own = readDevnetParams(write('challenge_response_timeout = 64_000'))
    const second = writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }, own)
    assert.equal(loadRegistryParams(second).challengeResponseTimeout, 64_000n)
  })

  it('keeps the largest number that a registry takes as it is', () => {
    const stake = `min_stake = 0\nmax_reward_per_period = ${10n ** 13n}\nmin_allocated_gb = 1`
    assert.equal(readDevnetParams(write(stake)).max_reward_per_period, 10 ** 13)
  })

  for (const [what, lines, code, said] of [
    ['GB that its sidecars do not offer', ['min_allocated_gb = 2'], 'DEVNET_PARAMS_INVALID', /offer 1 GB/],
    ['one nanoMAS more stake than they have', ['min_stake = 500_000_000_001'], 'DEVNET_PARAMS_INVALID', /500 MAS/],
    ['the same by the GB', ['stake_per_gb = 500_000_000_001'], 'DEVNET_PARAMS_INVALID', /500 MAS/],
    [
      'anchors without a delay',
      ['require_anchors = true'],
      'REGISTRY_CONFIG_INVALID',
      /own\.toml.*admin_delay_periods/,
    ],
    ['a setting that there is not', ['require_anchor = true'], 'CONFIG_KEY_UNKNOWN', /require_anchors/],
  ] as const) {
    it(`error: ${what}`, () => {
      assert.throws(
        () => readDevnetParams(write(...lines)),
        (error) => isArchiveError(error, code) && said.test(error.message),
      )
    })
  }

  it('limit: a stake of half of what a sidecar has, as many nodes as there are sidecars', () => {
    assert.equal(readDevnetParams(write('min_stake = 500_000_000_000')).min_stake, 500_000_000_000)
    checkSidecarCount({ max_nodes: 3 }, 3)
    assert.throws(() => checkSidecarCount({ max_nodes: 3 }, 4), { code: 'DEVNET_PARAMS_INVALID' })
  })

  it('goes on with the settings that a network was begun with, and takes others until its registry is deployed', () => {
    const open = () => KeptDescription.open(new NetworkFiles(join(folder, 'net')), 'a seed')
    open().keepRegistryParams({ max_nodes: 3 })
    open().keepRegistryParams({ max_nodes: 4, require_anchors: true })
    open().change({ registryAddress: 'AS1' })
    assert.deepEqual(open().value.registryParams, { max_nodes: 4, require_anchors: true })
    open().keepRegistryParams({ require_anchors: true, max_nodes: 4 })
    for (const [params, said] of [
      [{ max_nodes: 5, require_anchors: true }, /has max_nodes = 4, and the file gives 5/],
      [{ max_nodes: 4 }, /has require_anchors = true, and the file does not give it/],
      [{ max_nodes: 4, require_anchors: true, min_stake: 0 }, /was given no min_stake, and the file gives 0/],
    ] as const) {
      assert.throws(
        () => open().keepRegistryParams(params),
        (error) => isArchiveError(error, 'DEVNET_PARAMS_INVALID') && said.test(error.message),
      )
    }
  })

  it('error: a directory that is a file', () => {
    writeFileSync(join(folder, 'operator'), '')
    assert.throws(() => writeRegistryParams({ directory: join(folder, 'operator'), speed: 8 }), {
      code: 'DEVNET_DIRECTORY_INVALID',
    })
  })
})
