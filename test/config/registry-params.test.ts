import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { baseRegistryPath, loadRegistryParams, readRegistryParams, toSnakeCase } from '../../config/index.ts'
import { computeConfigBounds, type ErrorCode, isArchiveError, REGISTRY_CONFIG_FIELDS } from '../../core/index.ts'

/** What is wrong, the line, the code, and what the message says. */
const BAD: readonly (readonly [string, string, ErrorCode, RegExp])[] = [
  ['no TOML', 'max_nodes =', 'CONFIG_SYNTAX', /:2:/],
  ['an unknown key', 'max_node = 1', 'CONFIG_KEY_UNKNOWN', /the nearest is max_nodes/],
  [
    'a key near none',
    'foo = 1',
    'CONFIG_KEY_UNKNOWN',
    /no setting foo of a registry; its settings are .*, max_nodes, /,
  ],
  ['a key that every object has', 'constructor = 1', 'CONFIG_SYNTAX', /unsafe/],
  ['a text for a number', 'max_nodes = "1"', 'CONFIG_VALUE_INVALID', /max_nodes = "1" .*number from 0 to 100000$/],
  ['a number with a point', 'max_nodes = 1.0', 'CONFIG_VALUE_INVALID', /max_nodes = 1\.0 is not allowed/],
  ['a fraction', 'max_nodes = 1.5', 'CONFIG_VALUE_INVALID', /a whole number .*, in digits without a point/],
  [
    'a whole number with an exponent',
    'min_stake = 1e9',
    'CONFIG_VALUE_INVALID',
    /a whole number from 0 to 1000000000000000, in digits without a point or an exponent$/,
  ],
  ['a number below 0', 'max_nodes = -1', 'CONFIG_VALUE_INVALID', /max_nodes = -1 .*whole number from 0 to 100000$/],
  ['a number for a truth value', 'require_anchors = 1', 'CONFIG_VALUE_INVALID', /true or false/],
  [
    'a u32 that is none',
    'samples_per_challenge = 4_294_967_296',
    'CONFIG_VALUE_INVALID',
    /samples_per_challenge = 4294967296 .*from 1 to 64$/,
  ],
  [
    'a number below 0 whose bounds depend on others',
    'admin_delay_periods = -1',
    'CONFIG_VALUE_INVALID',
    /from 0 to 54000$/,
  ],
  [
    'a number out of its bounds',
    'slash_percentage = 101',
    'REGISTRY_CONFIG_INVALID',
    /slash_percentage = 101 .*from 0 to 100/,
  ],
  ['a number out of another one', 'min_allocated_gb = 10_001', 'REGISTRY_CONFIG_INVALID', /from 1 to 10000/],
  [
    'anchors without a delay',
    'require_anchors = true',
    'REGISTRY_CONFIG_INVALID',
    /admin_delay_periods = 0 .*from 8100/,
  ],
]

describe('config/registry-params', () => {
  let dir: string

  before(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-params-'))
  })

  after(() => rmSync(dir, { recursive: true }))

  function write(lines: string, table = '[storage_registry]'): string {
    const file = join(dir, 'registry.toml')
    writeFileSync(file, `${table}\n${lines}\n`)
    return file
  }

  it('the shipped file has every setting of the contract in its order, each with a comment', () => {
    assert.deepEqual(Object.keys(readRegistryParams(baseRegistryPath())), REGISTRY_CONFIG_FIELDS)
    const lines = readFileSync(baseRegistryPath(), 'utf8').split('\n')
    for (const field of REGISTRY_CONFIG_FIELDS) {
      const at = lines.findIndex((line) => line.trim().startsWith(`${toSnakeCase(field)} = `))
      assert.match(lines[at - 1] ?? '', /^ {4}# /, field)
    }
  })

  it('what a file leaves out is as shipped', () => {
    const config = loadRegistryParams(write('max_nodes = 7\nrequire_anchors = true\nadmin_delay_periods = 10_800'))
    assert.deepEqual(config, {
      ...loadRegistryParams(undefined),
      maxNodes: 7n,
      requireAnchors: true,
      adminDelayPeriods: 10_800n,
    })
  })

  for (const [name, line, code, words] of BAD) {
    it(`error: ${name}, with the file`, () => {
      const file = write(line)
      assert.throws(
        () => loadRegistryParams(file),
        (error) => isArchiveError(error, code) && words.test(error.message) && error.message.includes(file),
      )
    })
  }

  it('error: whatever is no number, with bounds within which the contract would take one', () => {
    const shipped = loadRegistryParams(undefined)
    for (const field of REGISTRY_CONFIG_FIELDS.filter((name) => name !== 'requireAnchors')) {
      const { min, max } = computeConfigBounds({ ...shipped, maxAllocatedGb: 1_000_000n }, field)
      assert.throws(
        () => readRegistryParams(write(`${toSnakeCase(field)} = []`)),
        (error) => isArchiveError(error, 'CONFIG_VALUE_INVALID') && error.message.endsWith(` from ${min} to ${max}`),
        field,
      )
    }
  })

  it('error: a file that is not there, and one of another kind', () => {
    const refused = (file: string, code: ErrorCode) =>
      assert.throws(
        () => loadRegistryParams(file),
        (error) => isArchiveError(error, code),
      )
    refused(join(dir, 'none.toml'), 'CONFIG_PARAMS_MISSING')
    refused(write('enabled = true', '[distributed_storage]'), 'CONFIG_KEY_UNKNOWN')
    refused(write('', ''), 'CONFIG_VALUE_INVALID')
  })
})
