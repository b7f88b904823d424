import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { ROLES } from '../adversary/devnet/casting.ts'
import { cleanEnvironment } from './run-cli.ts'

const PROGRAMS = new URL('../../dist/.test/adversary/sidecars/', import.meta.url)

/** Programs, each once. */
function listCast(): Set<string> {
  return new Set(ROLES.flatMap(({ programs }) => programs.filter((program) => program !== undefined)))
}

describe('e2e/adversary-programs', () => {
  it('each finds what it replaces of the sidecar, and is our own command line otherwise', async () => {
    const urls = [...listCast()].map((program) => new URL(`${program}.js`, PROGRAMS).href)
    // All in one process: what each replaces, it finds replaced by those before.
    const script = `for (const url of ${JSON.stringify(urls)}) await import(url)`
    const args = ['--input-type=module', '--eval', script, '--', 'massa-storage', '--version']
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: cleanEnvironment() })
    assert.match(stdout, /^(?:\d+\.\d+\.\d+.*\n)+$/)
    assert.equal(stdout.trim().split('\n').length, urls.length)
  })

  it('each is cast', () => {
    const folder = new URL('../adversary/sidecars/', import.meta.url)
    const isProgram = (file: string) => readFileSync(new URL(file, folder), 'utf8').includes('\nawait runTwisted(')
    const programs = readdirSync(folder).filter(isProgram)
    const cast = [...listCast(), 'frequent-challenger'].map((program) => `${program}.ts`)
    assert.deepEqual(programs.sort(), cast.sort())
  })
})
