import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfigSources, type LoadedConfig, loadConfig } from '../../config/index.ts'
import { isArchiveError } from '../../core/index.ts'

/** A working directory for one configuration after the other. */
export class ConfigFolder {
  path = ''

  make(): void {
    this.path = mkdtempSync(join(tmpdir(), 'massa-storage-config-'))
  }

  remove(): void {
    rmSync(this.path, { recursive: true })
  }

  /** Without a file, environment or flags, but for those that are given. */
  readonly load = (sources: Partial<ConfigSources> = {}): LoadedConfig => {
    return loadConfig({ env: {}, flags: {}, cwd: this.path, ...sources })
  }

  readonly writeToml = (text: string, name = 'test.toml'): string => {
    const path = join(this.path, name)
    writeFileSync(path, text)
    return path
  }

  readonly loadToml = (text: string): LoadedConfig => this.load({ file: this.writeToml(text) })
}

export function assertRefused(act: () => unknown, code: string, message: RegExp): void {
  assert.throws(act, (error) => {
    assert.ok(isArchiveError(error), String(error))
    assert.equal(error.code, code, error.message)
    assert.match(error.message, message)
    return true
  })
}
