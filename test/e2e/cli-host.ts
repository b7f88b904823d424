import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type CliOptions, type CliResult, cleanEnvironment, LIMIT_MS } from './run-cli.ts'

const HOST = fileURLToPath(new URL('./cli-host.mjs', import.meta.url))
/** Below the limit of any file here, so that it is this that fails. */
const STOP_LIMIT_MS = 20_000

/**
 * One process that runs many commands of the built command line, one after another: most of what a command costs is
 * loading it. For what a process of its own would show as well; signals, pipes, users and `start` need `runCli`.
 */
export class CliHost {
  private readonly child: ChildProcess
  private readonly closed: Promise<unknown[]>
  private readonly channel: Duplex
  private readonly answers: AsyncIterator<string>
  private last: Promise<unknown> = Promise.resolve()
  private said = ''

  constructor() {
    this.child = spawn(process.execPath, [HOST], {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    this.closed = once(this.child, 'close')
    this.channel = this.child.stdio[3] as Duplex
    this.channel.on('error', () => {})
    this.answers = createInterface({ input: this.channel })[Symbol.asyncIterator]()
    for (const output of [this.child.stdout, this.child.stderr]) {
      output?.on('data', (bytes) => {
        this.said += bytes
      })
    }
  }

  /** As `runCli`, behind what was asked before. */
  run(args: readonly string[], options: Omit<CliOptions, 'uid' | 'limitMs'>): Promise<CliResult> {
    const answer = this.last.then(() => this.ask(args, options))
    this.last = answer.catch(() => {})
    return answer
  }

  private async ask(args: readonly string[], { cwd, env = {}, name }: CliOptions): Promise<CliResult> {
    const limit = setTimeout(() => this.child.kill('SIGKILL'), LIMIT_MS)
    try {
      this.channel.write(`${JSON.stringify({ args, name, cwd, env: { ...cleanEnvironment(), ...env } })}\n`)
      const { value, done } = await this.answers.next()
      if (done) throw new Error(`the process of the commands ended at '${args.join(' ')}':\n${this.said}`)
      return JSON.parse(value) as CliResult
    } finally {
      clearTimeout(limit)
    }
  }

  /** A command that printed past its outputs, or left anything that keeps a process alive, is found here. */
  async stop(): Promise<void> {
    const limit = setTimeout(() => this.child.kill('SIGKILL'), STOP_LIMIT_MS)
    this.channel.end()
    const [code, signal] = await this.closed
    clearTimeout(limit)
    assert.deepEqual({ code, signal, said: this.said }, { code: 0, signal: null, said: '' })
  }
}
