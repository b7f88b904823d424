import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { contractConfig, contractPending, contractUpgrade } from '../../cli/commands/contract-change.ts'
import { economics } from '../../cli/commands/economics.ts'
import { ECONOMICS_DEFAULTS } from '../../cli/economics-defaults.ts'
import { findPackageRoot } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'
import { makeWallet } from '../devnet/node/face.ts'
import { type CommandOptions, RegistryPlace } from './registry-place.ts'

const ADMIN = makeWallet('admin')

describe('cli/commands/contract-change', function () {
  this.timeout(180_000)
  let place: RegistryPlace

  before(async () => {
    place = await RegistryPlace.open([ADMIN], 'admin_delay_periods = 30')
  })

  after(() => place.close())

  const open = (options: Omit<CommandOptions, 'wallet'> = {}) => place.command({ wallet: ADMIN, ...options })
  const params = (line: string) => place.write('change.toml', `[storage_registry]\n${line}\n`)

  it('who is asked sees price and change, also with --quiet', async () => {
    const { context, signal, stderr } = open({ quiet: true, answer: 'no' })
    const announcing = contractConfig(context, 'announce', params('slash_percentage = 30'), { signal })
    await assert.rejects(announcing, (error) => isArchiveError(error, 'CLI_NOT_CONFIRMED'))
    assert.match(
      stderr.text,
      /^ {2}slash_percentage: 10 -> 30\nCosts at most 0\.\d+ MAS with the fee.*\nAnnounce the change\? \[yes\/no\]: no\n$/,
    )
  })

  it('economics goes by the settings on the chain', async () => {
    const { context, stdout } = open({ json: true })
    assert.equal(await economics(context, ECONOMICS_DEFAULTS), 0)
    const { source, input } = JSON.parse(stdout.text)
    assert.match(source, /^those of AS\w+ on the chain$/)
    assert.equal(input.settings.adminDelayPeriods, '30')
  })

  it('settings in force take back what is announced, and change nothing where nothing is', async () => {
    const inForce = params('slash_percentage = 10')
    const announce = async (file: string) => {
      const { context, signal, stdout, stderr } = open()
      await contractConfig(context, 'announce', file, { yes: true, signal })
      return { stdout: stdout.text, stderr: stderr.text }
    }
    const isUnchanged = (error: unknown) => isArchiveError(error, 'CONTRACT_UNCHANGED')
    await assert.rejects(announce(inForce), isUnchanged)
    await announce(place.write('other.toml', '[storage_registry]\nslash_percentage = 25\n'))
    const applying = open()
    await assert.rejects(
      contractConfig(applying.context, 'apply', inForce, { yes: true, signal: applying.signal }),
      (error) => isUnchanged(error) && /'announce' takes back what is announced/.test(String(error)),
    )
    const { stdout, stderr } = await announce(inForce)
    assert.match(stderr, /^ {2}in force already; what is announced, sha256 [0-9a-f]{64}, is taken back\nCosts at most/)
    assert.equal(stdout, 'Taken back: no settings are announced any more.\n')
    const { context, stdout: shown } = open({ json: true })
    await contractPending(context, 'config', {})
    assert.equal(JSON.parse(shown.text).pending, null)
    await assert.rejects(announce(inForce), isUnchanged)
  })

  it('code in force takes the place of code that is announced', async () => {
    const shipped = readFileSync(join(findPackageRoot(), 'massa-storage-sc', 'build', 'storage-registry.wasm'))
    writeFileSync(join(place.dir, 'new.wasm'), Buffer.concat([shipped, Uint8Array.of(0, 4, 3, 0x61, 0x62, 0x63)]))
    const announce = async (file: string | undefined) => {
      const { context, signal, stdout, stderr } = open()
      await contractUpgrade(context, 'announce', file, { yes: true, signal })
      return { stdout: stdout.text, stderr: stderr.text }
    }
    await announce('new.wasm')
    const { stdout, stderr } = await announce(undefined)
    const hash = createHash('sha256').update(shipped).digest('hex')
    assert.match(stderr, /\n {2}in force already; what is announced, sha256 [0-9a-f]{64}, is taken back\n/)
    assert.match(stdout, new RegExp(`^New code announced in period \\d+, sha256 ${hash}: `))
    await assert.rejects(announce(undefined), (error) => isArchiveError(error, 'CONTRACT_UNCHANGED'))
  })
})
