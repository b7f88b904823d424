import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const binOf = (name: string) => fileURLToPath(new URL(`../../bin/${name}.js`, import.meta.url))

export const BIN = binOf('massa-storage')
export const LIMIT_MS = 60_000

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd: string
  readonly env?: Record<string, string>
  /** The other name of the program. */
  readonly name?: 'massa-cli'
  /** Run as this user, which only root may. */
  readonly uid?: number
  /** Killed after so long; a minute by default. */
  readonly limitMs?: number
}

export interface RunningCli {
  readonly child: ChildProcess
  /** Resolves with everything printed once the process has ended. */
  readonly ended: Promise<CliResult>
  /** Resolves when stdout holds `text`; rejects when the process ends first. */
  waitFor(text: string): Promise<void>
}

/** The environment of this process with nothing of its settings. */
export function cleanEnvironment(): Record<string, string | undefined> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => name !== 'NODE_OPTIONS' && !name.startsWith('MASSA_STORAGE_') && name !== 'CREDENTIALS_DIRECTORY',
  )
  return { ...Object.fromEntries(inherited), NO_COLOR: '1' }
}

/** The built command line as its own process, with nothing of this process' settings. */
export function startCli(args: readonly string[], options: CliOptions): RunningCli {
  const child = spawn(process.execPath, [options.name ? binOf(options.name) : BIN, ...args], {
    cwd: options.cwd,
    env: { ...cleanEnvironment(), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.uid === undefined ? {} : { uid: options.uid, gid: options.uid }),
  })
  let stdout = ''
  let stderr = ''
  const waiting: { text: string; resolve: () => void; reject: (error: Error) => void }[] = []
  const look = (): void => {
    for (const entry of waiting) if (stdout.includes(entry.text)) entry.resolve()
  }
  child.stdout.on('data', (bytes) => {
    stdout += bytes
    look()
  })
  child.stderr.on('data', (bytes) => {
    stderr += bytes
  })
  const limit = setTimeout(() => child.kill('SIGKILL'), options.limitMs ?? LIMIT_MS)
  const ended = new Promise<CliResult>((resolve) => {
    child.once('close', (code, signal) => {
      clearTimeout(limit)
      if (signal) stderr += `\nended by ${signal}`
      resolve({ code, stdout, stderr })
      for (const { text, reject } of waiting) reject(new Error(`ended without '${text}':\n${stdout}\n${stderr}`))
    })
  })
  return {
    child,
    ended,
    waitFor: (text) =>
      new Promise((resolve, reject) => {
        waiting.push({ text, resolve, reject })
        look()
      }),
  }
}

export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, options).ended
}

/** What a command that succeeded answered with `--json`. */
export function answerOf<T>({ code, stdout, stderr }: CliResult): T {
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout) as T
}

/** One coded error of `--json`, no answer and no stack, and none of these secrets. */
export function assertRefused(
  result: CliResult,
  wanted: { readonly code: string; readonly exitCode: number; readonly secrets: readonly string[] },
): void {
  const { error } = JSON.parse(result.stderr) as { error: { code: string } }
  assert.equal(error.code, wanted.code, result.stderr)
  assert.equal(result.code, wanted.exitCode, result.stderr)
  assert.equal(result.stdout, '')
  assert(!/\n\s+at /.test(result.stderr))
  for (const secret of wanted.secrets) assert(!result.stderr.includes(secret))
}
