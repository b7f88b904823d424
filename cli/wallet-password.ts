import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PASSWORD_ENV } from '../config/index.ts'
import { ArchiveError } from '../core/index.ts'
import type { Context } from './context.ts'
import type { Output } from './output.ts'
import { askSecret, openSecretTerminal, type SecretTerminal } from './secret-prompt.ts'

const MAX_PASSWORD_BYTES = 4_096
/** What systemd's LoadCredential= calls it. */
const CREDENTIAL = 'wallet-password'

export interface PasswordRequest {
  /** What is asked at a terminal. */
  readonly question: string
  /** A new password is typed twice. */
  readonly isNew: boolean
}

/**
 * The password of a wallet: of `--password-file`, else MASSA_STORAGE_PASSWORD, else the systemd credential, else asked.
 *
 * @throws ArchiveError WALLET_PASSWORD_MISSING, WALLET_PASSWORD_INVALID; an AbortError when the question is not answered
 */
export async function readPassword(
  context: Context,
  request: PasswordRequest,
  terminal: SecretTerminal | undefined = openSecretTerminal(context.output.json),
): Promise<string> {
  const given = readGivenPassword(context)
  if (given !== undefined) return given
  if (!terminal) throw new ArchiveError('WALLET_PASSWORD_MISSING', 'the wallet needs a password, and there is none')
  const password = check(await askSecret(`${request.question}: `, terminal), 'the password')
  if (request.isNew && (await askSecret('Again: ', terminal)) !== password) {
    throw invalid('the second password differs from the first')
  }
  return password
}

function readGivenPassword({ env, cwd, output, passwordFile }: Context): string | undefined {
  if (passwordFile !== undefined) return readPasswordFile(resolve(cwd, passwordFile), output)
  const fromEnv = env[PASSWORD_ENV]
  if (fromEnv !== undefined && fromEnv !== '') return check(fromEnv, PASSWORD_ENV)
  const folder = env.CREDENTIALS_DIRECTORY
  if (folder === undefined || folder === '') return undefined
  const path = join(folder, CREDENTIAL)
  const text = readText(path)
  return text === undefined ? undefined : check(trimLineEnd(text), path)
}

function readPasswordFile(path: string, output: Output): string {
  const text = readText(path)
  if (text === undefined) throw invalid(`cannot read ${path} (ENOENT)`)
  const stats = statSync(path, { throwIfNoEntry: false })
  // A secret of a container is such a file: no reason to refuse it.
  if (stats?.isFile() && (stats.mode & 0o077) !== 0) output.warn(`${path} may be read by others: chmod 600 it`)
  return check(trimLineEnd(text), path)
}

/** undefined when there is no such file; never more than is allowed, also of a pipe. */
function readText(path: string): string | undefined {
  try {
    const handle = openSync(path, 'r')
    try {
      if (fstatSync(handle).isDirectory()) throw invalid(`${path} is a folder`)
      const bytes = Buffer.alloc(MAX_PASSWORD_BYTES + 3)
      let length = 0
      for (;;) {
        const count = readSync(handle, bytes, length, bytes.length - length, null)
        length += count
        if (count === 0 || length === bytes.length) return bytes.toString('utf8', 0, length)
      }
    } finally {
      closeSync(handle)
    }
  } catch (cause) {
    if (cause instanceof ArchiveError) throw cause
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unknown'
    if (reason === 'ENOENT') return undefined
    throw invalid(`cannot read ${path} (${reason})`)
  }
}

/** An editor or `echo` puts one at the end; a password does not end in one. */
function trimLineEnd(text: string): string {
  return text.replace(/\r?\n$/, '')
}

function check(password: string, where: string): string {
  if (password === '') throw invalid(`${where} is empty`)
  if (Buffer.byteLength(password) > MAX_PASSWORD_BYTES) {
    throw invalid(`${where} is longer than ${MAX_PASSWORD_BYTES} bytes`)
  }
  return password
}

function invalid(message: string): ArchiveError {
  return new ArchiveError('WALLET_PASSWORD_INVALID', message)
}
