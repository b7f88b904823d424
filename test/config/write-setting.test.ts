import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkSettingWritable, loadConfig, setInText, writeSetting } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'

const KEY = 'storage_registry_address'
const ADDRESS = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'
const LINE = `${KEY} = "${ADDRESS}"`

/** Name, before, after. */
const CASES: readonly (readonly [string, string, string])[] = [
  [
    'a value is replaced, its comment stays',
    `[distributed_storage]\n  ${KEY} = "" # none\n`,
    `[distributed_storage]\n  ${LINE} # none\n`,
  ],
  ['a value in single quotes is one, too', `[distributed_storage]\n${KEY} = 'x'\n`, `[distributed_storage]\n${LINE}\n`],
  [
    'a key that is not there goes below the header',
    '# mine\n[distributed_storage]\n    enabled = true\n[other]\na = 1',
    `# mine\n[distributed_storage]\n    ${LINE}\n    enabled = true\n[other]\na = 1`,
  ],
  [
    'the key of another table is left alone',
    `[other]\n${KEY} = "a"\n[distributed_storage]\n`,
    `[other]\n${KEY} = "a"\n[distributed_storage]\n    ${LINE}\n`,
  ],
  [
    'a table that is not there is added',
    '[distributed_storage.node]\nchain_id = 77',
    `[distributed_storage.node]\nchain_id = 77\n\n[distributed_storage]\n    ${LINE}\n`,
  ],
  ['an empty file gets the table', '', `[distributed_storage]\n    ${LINE}\n`],
]

describe('config/write-setting', () => {
  let dir: string

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-setting-'))
  })

  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  for (const [name, before, after] of CASES) {
    it(name, () => {
      assert.equal(setInText(before, KEY, ADDRESS), after)
      const file = join(dir, 'config.toml')
      writeFileSync(file, before)
      writeSetting(file, KEY, ADDRESS)
      assert.equal(loadConfig({ file, env: {}, flags: {}, cwd: dir }).config.storageRegistryAddress, ADDRESS)
    })
  }

  /** Name, before, after, for a setting of a table. */
  const TABLE_CASES: readonly (readonly [string, string, string])[] = [
    [
      'a table that is there',
      '[distributed_storage]\n\n    [distributed_storage.contract]\n        fee_nano_mas = 1\n',
      '[distributed_storage]\n\n    [distributed_storage.contract]\n        key_file = "a b"\n        fee_nano_mas = 1\n',
    ],
    [
      'a value that is there',
      '[distributed_storage.contract]\nkey_file = "" # none\n',
      '[distributed_storage.contract]\nkey_file = "a b" # none\n',
    ],
    [
      'no such table',
      '[distributed_storage]\n    enabled = true\n',
      '[distributed_storage]\n    enabled = true\n\n[distributed_storage.contract]\n    key_file = "a b"\n',
    ],
    ['an empty file', '', '[distributed_storage.contract]\n    key_file = "a b"\n'],
  ]
  for (const [name, before, after] of TABLE_CASES) {
    it(`a setting of a table goes into ${name}`, () => {
      assert.equal(setInText(before, 'contract.key_file', 'a b'), after)
      const file = join(dir, 'config.toml')
      writeFileSync(file, before)
      writeSetting(file, 'contract.key_file', 'a b')
      assert.equal(loadConfig({ file, env: {}, flags: {}, cwd: dir }).config.contract.keyFile, 'a b')
    })
  }

  it('error: a table that stands there in another way is left alone', () => {
    const file = join(dir, 'config.toml')
    for (const text of [
      '[distributed_storage]\ncontract.key_file = ""\n',
      '[distributed_storage]\ncontract = { key_file = "" }\n',
    ]) {
      writeFileSync(file, text)
      const isRefused = (error: unknown) => isArchiveError(error, 'CONFIG_FILE_UNWRITABLE')
      assert.throws(() => writeSetting(file, 'contract.key_file', 'x'), isRefused)
      assert.throws(() => checkSettingWritable(file, 'contract.key_file'), isRefused)
      assert.equal(readFileSync(file, 'utf8'), text)
    }
  })

  it('makes a file that is not there, and its folder', () => {
    const file = join(dir, 'config', 'config.toml')
    writeSetting(file, KEY, ADDRESS)
    assert.equal(readFileSync(file, 'utf8'), `[distributed_storage]\n    ${LINE}\n`)
    assert.deepEqual(readdirSync(join(dir, 'config')), ['config.toml'])
  })

  it('keeps the mode of the file', () => {
    const file = join(dir, 'config.toml')
    writeFileSync(file, '')
    chmodSync(file, 0o600)
    writeSetting(file, KEY, ADDRESS)
    assert.equal(statSync(file).mode & 0o777, 0o600)
  })

  it('finds out whether it can write, and leaves nothing behind', () => {
    const file = join(dir, 'config.toml')
    checkSettingWritable(file, KEY)
    assert.deepEqual(readdirSync(dir), [])
    writeFileSync(file, 'a = 1')
    checkSettingWritable(file, KEY)
    assert.equal(readFileSync(file, 'utf8'), 'a = 1')
  })

  it('error: a setting that stands there in a way it does not read, and the file stays as it is', () => {
    const file = join(dir, 'config.toml')
    for (const text of [`distributed_storage.${KEY} = ""\n`, `[distributed_storage]\n${KEY} = """\n"""\n`]) {
      writeFileSync(file, text)
      for (const attempt of [() => writeSetting(file, KEY, ADDRESS), () => checkSettingWritable(file, KEY)]) {
        assert.throws(attempt, (error) => isArchiveError(error, 'CONFIG_FILE_UNWRITABLE'))
      }
      assert.equal(readFileSync(file, 'utf8'), text)
    }
  })

  it('error: a place that cannot be written', () => {
    mkdirSync(join(dir, 'folder'))
    writeFileSync(join(dir, 'file'), '')
    for (const path of [join(dir, 'folder'), join(dir, 'file', 'config.toml')]) {
      for (const attempt of [() => writeSetting(path, KEY, ADDRESS), () => checkSettingWritable(path, KEY)]) {
        assert.throws(attempt, (error) => isArchiveError(error, 'CONFIG_FILE_UNWRITABLE'))
      }
    }
  })
})
