import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { contractDeploy } from '../../cli/commands/contract-deploy.ts'
import type { Context } from '../../cli/context.ts'
import { Output } from '../../cli/output.ts'
import type { Terminal } from '../../cli/terminal.ts'
import { loadConfig } from '../../config/index.ts'
import { PERIOD_MS } from '../../core/index.ts'
import { type Face, GENESIS_MS, makeRequestClock, startFace, type Wallet } from '../devnet/node/face.ts'

export interface CommandOptions {
  /** Who signs. */
  readonly wallet: Wallet
  readonly json?: boolean
  readonly quiet?: boolean
  /** What somebody at a terminal types at each question; without it there is nobody. */
  readonly answer?: string
  /** MASSA_STORAGE_*, beside the key. */
  readonly env?: Readonly<Record<string, string>>
}

/** What a command of this process was given, and what it printed. */
export interface TriedCommand {
  readonly context: Context
  readonly signal: AbortSignal
  readonly stdout: { text: string }
  readonly stderr: { text: string }
}

/** A chain with a registry, and a folder whose configuration names it: commands run in this process. */
export class RegistryPlace {
  readonly face: Face
  readonly dir: string
  private readonly clock: SkippingClock

  private constructor(face: Face, dir: string, clock: SkippingClock) {
    this.face = face
    this.dir = dir
    this.clock = clock
  }

  /** @param settings - lines below [storage_registry] */
  static async open(wallets: readonly [Wallet, ...Wallet[]], settings: string): Promise<RegistryPlace> {
    const clock = makeSkippingClock()
    const face = await startFace(clock, wallets)
    const place = new RegistryPlace(face, mkdtempSync(join(tmpdir(), 'massa-storage-registry-')), clock)
    mkdirSync(join(place.dir, 'config'))
    place.write(
      'config/config.toml',
      [
        '[distributed_storage]',
        '    [distributed_storage.node]',
        '        chain_id = 77',
        `        genesis_timestamp_ms = ${GENESIS_MS}`,
        '        poll_interval_ms = 100',
        '    [distributed_storage.contract]',
        `        json_rpc_url = "${face.url}"`,
        '',
      ].join('\n'),
    )
    const params = place.write('registry.toml', `[storage_registry]\n${settings}\n`)
    const { context, signal, stderr } = place.command({ wallet: wallets[0] })
    assert.equal(await contractDeploy(context, { params, yes: true }, signal), 0, stderr.text)
    return place
  }

  /** @returns the name, for a command */
  write(name: string, text: string): string {
    writeFileSync(join(this.dir, name), text)
    return name
  }

  command({ wallet, json = false, quiet = false, answer, env: more = {} }: CommandOptions): TriedCommand {
    const { dir: cwd } = this
    const [stdout, stderr] = [makeStream(), makeStream()]
    const env = { MASSA_STORAGE_SECRET_KEY: wallet.secret, ...more }
    const output = new Output({ json, quiet, noColor: true, stdout, stderr })
    const load: Context['load'] = (flags = {}) => loadConfig({ env, flags, cwd })
    const openTerminal = (): Terminal | undefined => (answer === undefined ? undefined : makeTerminal(stderr, answer))
    const context: Context = { output, env, cwd, file: undefined, flags: {}, load, openTerminal, at: () => context }
    return { context, stdout, stderr, signal: new AbortController().signal }
  }

  /** The next request finds the chain so much further on. */
  skipPeriods(count: number): void {
    this.clock.skip(count * PERIOD_MS)
  }

  balance(wallet: Wallet): bigint {
    return this.face.chain.engine.ledger.balance(wallet.address)
  }

  async close(): Promise<void> {
    await this.face.close()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

type SkippingClock = ReturnType<typeof makeSkippingClock>

function makeSkippingClock() {
  const requests = makeRequestClock(15_000)
  let skippedMs = 0
  const skip = (durationMs: number): void => {
    skippedMs += durationMs
  }
  return { nowMs: () => requests.nowMs() + skippedMs, skip }
}

function makeTerminal(stderr: { text: string }, answer: string): Terminal {
  const say = (text: string): void => {
    stderr.text += `${text}\n`
  }
  const question = (text: string): Promise<string> => {
    say(`${text}${answer}`)
    return Promise.resolve(answer)
  }
  return { say, question, close: () => {} }
}

function makeStream(): NodeJS.WriteStream & { text: string } {
  const stream = {
    text: '',
    write(text: string) {
      stream.text += text
      return true
    },
  }
  return stream as unknown as NodeJS.WriteStream & { text: string }
}
