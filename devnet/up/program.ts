import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot, PASSWORD_ENV } from '../../config/index.ts'
import { ArchiveError } from '../../core/index.ts'

/** Tells a devnet node the token of its control. */
export const CONTROL_TOKEN_ENV = 'DEVNET_CONTROL_TOKEN'

/** How our own command line is started as a process. */
export interface Program {
  /** Arguments for Node. */
  readonly nodeArguments: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path of a JavaScript file that Node runs in its place, with the same arguments. */
  readonly file?: string | undefined
}

/** What commands of a network run with: none of the settings of whoever started it. */
export function withoutSettings(env: Program['env']): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !name.startsWith('MASSA_STORAGE_') && name !== 'CREDENTIALS_DIRECTORY' && name !== 'NODE_OPTIONS',
    ),
  )
}

/** A process that goes on. */
export interface LoggedRun {
  readonly args: readonly string[]
  readonly cwd: string
  readonly log: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts `massa-storage` with its output in a log. It has a channel to this process, and ends when that closes.
 *
 * A Ctrl-C reaches the whole group of a terminal: only we tell it to end, so it is in a group of its own.
 */
export function spawnLogged(program: Program, run: LoggedRun): ChildProcess {
  const child = spawn(process.execPath, [...program.nodeArguments, program.file ?? findBin(), ...run.args], {
    cwd: run.cwd,
    env: { ...withoutSettings(program.env), ...run.env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const log = createWriteStream(run.log, { flags: 'a', mode: 0o600 })
  // A full disk costs the log, not the network.
  log.on('error', () => {})
  child.stdout?.pipe(log, { end: false })
  child.stderr?.pipe(log, { end: false })
  child.once('close', () => log.end())
  return child
}

/** A command of an operator, by the command line that he would use. */
export interface OperatorCommand {
  readonly args: readonly string[]
  readonly cwd: string
  readonly password: string
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Runs `massa-storage ... --json` to its end.
 *
 * @returns what it answers
 * @throws ArchiveError DEVNET_STEP_FAILED with what it said; an AbortError
 */
export async function runCommand(program: Program, command: OperatorCommand, signal: AbortSignal): Promise<unknown> {
  signal.throwIfAborted()
  const { args, cwd, password, env } = command
  const child = spawn(process.execPath, [...program.nodeArguments, findBin(), ...args, '--json'], {
    cwd,
    env: { ...withoutSettings(program.env), [PASSWORD_ENV]: password, ...env } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  const end = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  try {
    const { code, stdout, stderr } = await collect(child)
    signal.throwIfAborted()
    if (code === 0) return parseLast(stdout)
    const said = stderr.trim() || stdout.trim() || `exit code ${code}`
    const name = args.filter((arg) => /^[a-z]/.test(arg)).slice(0, 2)
    throw new ArchiveError('DEVNET_STEP_FAILED', `massa-storage ${name.join(' ')} failed: ${said}`, { said })
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function collect(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (bytes) => {
    stdout += bytes
  })
  child.stderr?.on('data', (bytes) => {
    stderr += bytes
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

function parseLast(stdout: string): unknown {
  const line = stdout.trim().split('\n').at(-1) ?? ''
  try {
    return JSON.parse(line)
  } catch (cause) {
    throw new ArchiveError('DEVNET_STEP_FAILED', `not JSON: ${line.slice(0, 200)}`, {}, cause)
  }
}

function findBin(): string {
  return join(findPackageRoot(), 'bin', 'massa-storage.js')
}
