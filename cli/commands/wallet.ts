import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checkSettingWritable, type LoadedConfig, SECRET_KEY_ENV, writeSetting } from '../../config/index.ts'
import { ArchiveError, formatCoins, parseAddress } from '../../core/index.ts'
import { computeKeyAddress, formatWallet, makeSecretKey, sealWallet } from '../../storage-worker/wallet-file.ts'
import { checkKey, readWalletAddress, readWalletKey } from '../../storage-worker/wallet-key.ts'
import { writeNewWallet } from '../../storage-worker/write-wallet.ts'
import { findKeySource, openChain } from '../chain-access.ts'
import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { askSecret, openSecretTerminal } from '../secret-prompt.ts'
import { readPassword } from '../wallet-password.ts'

const KEY_FILE = 'contract.key_file'

export interface NewWalletOptions {
  readonly file?: string
  readonly nickname?: string
}

/** A new key in a new wallet file, which the configuration then names unless it names another. */
export async function walletCreate(context: Context, options: NewWalletOptions): Promise<number> {
  const loaded = context.load()
  const secretKey = makeSecretKey()
  const path = choosePath(context, options, secretKey)
  const password = await readPassword(context, { question: 'Password of the new wallet', isNew: true })
  return write(context, loaded, { secretKey, password, path, nickname: options.nickname })
}

/** A key of a wallet file, of a file with a bare key, of the environment or from the terminal, in a new wallet file. */
export async function walletImport(
  context: Context,
  file: string | undefined,
  options: NewWalletOptions,
): Promise<number> {
  const loaded = context.load()
  if (options.file !== undefined) refuseExisting(resolve(context.cwd, options.file))
  const { secretKey, password: known } = await readKeyToImport(context, file)
  const path = choosePath(context, options, secretKey)
  const password = known ?? (await readPassword(context, { question: 'Password of the new wallet', isNew: true }))
  return write(context, loaded, { secretKey, password, path, nickname: options.nickname })
}

/** With the password of the wallet that it comes from, which stays. */
async function readKeyToImport(
  context: Context,
  file: string | undefined,
): Promise<{ readonly secretKey: string; readonly password?: string }> {
  if (file === undefined && !context.env[SECRET_KEY_ENV]) return { secretKey: await askKey(context) }
  let password: string | undefined
  const secretKey = await readWalletKey({
    file: file === undefined ? '' : resolve(context.cwd, file),
    env: file === undefined ? context.env : {},
    onWarning: (text) => context.output.warn(text),
    readPassword: async (from) => {
      password = await readPassword(context, { question: `Password of ${from}`, isNew: false })
      return password
    },
  })
  if (secretKey === undefined) throw noKey()
  return { secretKey, ...(password === undefined ? {} : { password }) }
}

async function askKey(context: Context): Promise<string> {
  const terminal = openSecretTerminal(context.output.json)
  if (!terminal) throw noKey()
  const typed = await askSecret('Secret key (S1...): ', terminal)
  if (typed.trim() === '') throw noKey()
  return checkKey(typed, 'what was typed')
}

function noKey(): ArchiveError {
  return new ArchiveError('CHAIN_KEY_MISSING', 'no key is given to import: name its file')
}

/** @throws ArchiveError WALLET_FILE_EXISTS before anything is asked */
function choosePath({ cwd }: Context, { file }: NewWalletOptions, secretKey: string): string {
  const path = resolve(cwd, file ?? join('wallets', `wallet_${computeKeyAddress(secretKey)}.yaml`))
  refuseExisting(path)
  return path
}

function refuseExisting(path: string): void {
  if (existsSync(path)) throw new ArchiveError('WALLET_FILE_EXISTS', `${path} exists`, { path })
}

interface NewWallet {
  readonly secretKey: string
  readonly password: string
  readonly path: string
  readonly nickname: string | undefined
}

async function write(context: Context, loaded: LoadedConfig, plan: NewWallet): Promise<number> {
  const { output } = context
  const { path, secretKey, password, nickname } = plan
  const configFile = loaded.file ?? join(context.cwd, 'config', 'config.toml')
  const used = loaded.config.contract.keyFile
  if (used === '') checkSettingWritable(configFile, KEY_FILE)
  const wallet = await sealWallet(secretKey, password, { nickname })
  await writeNewWallet(path, await formatWallet(wallet))
  if (used === '') writeSetting(configFile, KEY_FILE, path)
  output.value({ address: wallet.address, file: path, configuredIn: used === '' ? configFile : null })
  output.line(wallet.address)
  output.remark(`Written to ${path}. Keep a copy and the password: nobody can restore either.`)
  output.remark(
    used === ''
      ? `${configFile} names it as ${KEY_FILE}.`
      : `The configuration goes on using ${used}; set ${KEY_FILE} = "${path}" to use this one.`,
  )
  return EXIT_CODES.ok.code
}

/** Which address signs. */
export async function walletAddress(context: Context): Promise<number> {
  const address = needAddress(await readWalletAddress(findKeySource(context, context.load())))
  context.output.value({ address })
  context.output.line(address)
  return EXIT_CODES.ok.code
}

/** The coins of an address as the node's last blocks leave them, and as they are for good. */
export async function walletBalance(context: Context, wanted: string | undefined): Promise<number> {
  const { output } = context
  if (wanted !== undefined) parseAddress(wanted)
  const chain = await openChain(context, context.load(), false)
  const address = wanted ?? needAddress(chain.account)
  await chain.readStatus()
  const { candidate, final } = await chain.readBalances(address)
  output.value({ address, balanceNanoMas: candidate.toString(), finalBalanceNanoMas: final.toString() })
  output.table([
    ['address', address],
    ['balance', `${formatCoins(candidate)} MAS`],
    ['final', `${formatCoins(final)} MAS`],
  ])
  return EXIT_CODES.ok.code
}

/** @throws ArchiveError CHAIN_KEY_MISSING */
export function needAddress(address: string | undefined): string {
  if (address === undefined) throw new ArchiveError('CHAIN_KEY_MISSING', 'no wallet is configured')
  return address
}
