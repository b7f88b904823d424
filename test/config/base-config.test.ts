import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  baseConfigPath,
  findNetworkName,
  findPackageRoot,
  KNOWN_NETWORKS,
  listSettings,
  readBaseSettings,
  readPackageVersion,
} from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'

describe('config/base_config.toml', () => {
  it('has every setting of the schema in its order, each with a comment and a default', () => {
    const settings = readBaseSettings()
    assert.deepEqual(
      [...settings.keys()],
      listSettings().map(({ path }) => path),
    )
    for (const [path, { comment, defaultText }] of settings) {
      assert.ok(comment.length > 0 && defaultText.length > 0, path)
    }
  })

  it('indents by 4 spaces for each table and writes long numbers with underscores', () => {
    for (const line of readFileSync(baseConfigPath(), 'utf8').split('\n')) {
      assert.equal((/^ */.exec(line)?.[0].length ?? 0) % 4, 0, line)
      assert.doesNotMatch(line, /= \d{5,}/, line)
    }
  })
})

describe('config/package-root', () => {
  it('is found from the sources and from dist', () => {
    const root = findPackageRoot()
    assert.ok(existsSync(join(root, 'config', 'base_config.toml')))
    assert.equal(findPackageRoot(pathToFileURL(join(root, 'dist', 'config', 'package-root.js')).href), root)
  })

  it('error: says so where there is none', () => {
    assert.throws(
      () => findPackageRoot('file:///nowhere/a.js'),
      (error) => isArchiveError(error, 'CONFIG_FILE_MISSING'),
    )
  })

  it('gives the version of package.json', () => {
    assert.match(readPackageVersion(), /^\d+\.\d+\.\d+/)
  })
})

describe('config/networks', () => {
  it('names a network only when chain id and genesis timestamp both fit', () => {
    assert.equal(findNetworkName(KNOWN_NETWORKS.mainnet), 'mainnet')
    assert.equal(findNetworkName(KNOWN_NETWORKS.buildnet), 'buildnet')
    assert.equal(findNetworkName({ ...KNOWN_NETWORKS.mainnet, genesisTimestampMs: 0n }), undefined)
    assert.equal(findNetworkName({ ...KNOWN_NETWORKS.mainnet, chainId: 77n }), undefined)
  })
})
