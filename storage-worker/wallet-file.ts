import { createCipheriv, createDecipheriv, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import {
  ArchiveError,
  computeAddress,
  computePublicKey,
  concatBytes,
  equalBytes,
  formatAddress,
  formatSecretKey,
  parseSecretKey,
} from '../core/index.ts'

/*
 * The wallet file of massa-client and Massa Station (massalabs/massa-standards, wallet/file-format.md): YAML, the secret key
 * under AES-256-GCM with a key that PBKDF2-SHA256 makes of the password. massa-web3 has it too, but believes the public key
 * and the address that stand in the file, and would have to be loaded for an address.
 */

const VERSION = 1
const ITERATIONS = 600_000
const KEY_BYTES = 32
const SALT_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSIONED_KEY_BYTES = 33
/** Keys were once written with the public key behind them; a node cuts it off. */
const LEGACY_KEY_BYTES = 65
/** One takes 800 bytes. */
export const MAX_WALLET_BYTES = 16_384

/** The content of a wallet file whose address belongs to its public key. */
export interface WalletFile {
  readonly nickname: string
  /** AU... */
  readonly address: string
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly ciphered: Uint8Array
  /** With its version byte. */
  readonly publicKey: Uint8Array
}

/** Whether a text means to be a wallet file, and not a bare key. */
export function looksLikeWallet(text: string): boolean {
  return /^\uFEFF?\s*(?:---|#|\{|"?\w+"?\s*:)/.test(text)
}

/**
 * Reads a wallet file. The address needs no password.
 *
 * @param where - for messages
 * @throws ArchiveError WALLET_FILE_INVALID, also when the address is not that of the public key
 */
export async function parseWallet(text: string, where: string): Promise<WalletFile> {
  const fields = await parseYaml(text, where)
  const { Version, Nickname, Address } = fields
  if (Version !== VERSION) throw invalid(where, `its version is not ${VERSION}`)
  const wallet: WalletFile = {
    nickname: typeof Nickname === 'string' || typeof Nickname === 'number' ? `${Nickname}` : '',
    address: typeof Address === 'string' ? Address : '',
    salt: readBytes(fields, 'Salt', [SALT_BYTES], where),
    nonce: readBytes(fields, 'Nonce', [NONCE_BYTES], where),
    ciphered: readBytes(fields, 'CipheredData', [VERSIONED_KEY_BYTES + TAG_BYTES, LEGACY_KEY_BYTES + TAG_BYTES], where),
    publicKey: readBytes(fields, 'PublicKey', [VERSIONED_KEY_BYTES], where),
  }
  if (wallet.publicKey[0] !== 0) throw invalid(where, 'its public key is of an unknown version')
  if (formatAddress(computeAddress(wallet.publicKey)) !== wallet.address) {
    throw invalid(where, 'its address is not the one of its public key')
  }
  return wallet
}

/**
 * The secret key in a wallet, S1...
 *
 * @throws ArchiveError WALLET_PASSWORD_WRONG; WALLET_FILE_INVALID when the key is not the one of the public key
 */
export async function openWallet(wallet: WalletFile, password: string, where: string): Promise<string> {
  const plain = await decipher(wallet, password, where)
  if (plain[0] !== 0) throw invalid(where, 'its secret key is of an unknown version')
  const key = plain.subarray(0, VERSIONED_KEY_BYTES)
  if (!equalBytes(computePublicKey(key), wallet.publicKey)) {
    throw invalid(where, 'its public key is not the one of its secret key')
  }
  return formatSecretKey(key)
}

/** A new wallet around a secret key (S1...), with salt and nonce of its own. */
export async function sealWallet(
  secretKey: string,
  password: string,
  options: { readonly nickname?: string | undefined } = {},
): Promise<WalletFile> {
  const key = parseSecretKey(secretKey)
  const publicKey = computePublicKey(key)
  const address = formatAddress(computeAddress(publicKey))
  const [salt, nonce] = [randomBytes(SALT_BYTES), randomBytes(NONCE_BYTES)]
  const cipher = createCipheriv('aes-256-gcm', await deriveKey(password, salt), nonce)
  const ciphered = Buffer.concat([cipher.update(key), cipher.final(), cipher.getAuthTag()])
  return { nickname: options.nickname ?? address, address, salt, nonce, ciphered, publicKey }
}

/** The text of a wallet file, as massa-client writes it. */
export async function formatWallet(wallet: WalletFile): Promise<string> {
  const { stringify } = await import('yaml')
  const fields = {
    Version: VERSION,
    Nickname: wallet.nickname,
    Address: wallet.address,
    Salt: [...wallet.salt],
    Nonce: [...wallet.nonce],
    CipheredData: [...wallet.ciphered],
    PublicKey: [...wallet.publicKey],
  }
  return stringify(fields, { indentSeq: false, lineWidth: 0 })
}

/** A secret key that nobody had before. */
export function makeSecretKey(): string {
  return formatSecretKey(concatBytes(Uint8Array.of(0), randomBytes(VERSIONED_KEY_BYTES - 1)))
}

/** The address that a secret key (S1...) signs for. */
export function computeKeyAddress(secretKey: string): string {
  return formatAddress(computeAddress(computePublicKey(parseSecretKey(secretKey))))
}

async function decipher({ ciphered, salt, nonce }: WalletFile, password: string, where: string): Promise<Uint8Array> {
  const at = ciphered.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', await deriveKey(password, salt), nonce)
  decipher.setAuthTag(ciphered.subarray(at))
  const plain = decipher.update(ciphered.subarray(0, at))
  try {
    decipher.final()
  } catch {
    throw new ArchiveError('WALLET_PASSWORD_WRONG', `${where} does not open with this password`)
  }
  return plain
}

/** A quarter of a second, off the main thread. */
function deriveKey(password: string, salt: Uint8Array): Promise<Buffer> {
  return promisify(pbkdf2)(password, salt, ITERATIONS, KEY_BYTES, 'sha256')
}

async function parseYaml(text: string, where: string): Promise<Readonly<Record<string, unknown>>> {
  if (text.length > MAX_WALLET_BYTES) throw invalid(where, `it is longer than ${MAX_WALLET_BYTES} bytes`)
  const { parseDocument } = await import('yaml')
  try {
    const document = parseDocument(text.replace(/^\uFEFF/, ''), { prettyErrors: false, logLevel: 'silent' })
    const value: unknown = document.errors.length > 0 ? undefined : document.toJS({ maxAliasCount: 0 })
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Said below: what the parser would quote may be a secret in the wrong file.
  }
  throw invalid(where, 'it is not YAML with the fields of a wallet')
}

function readBytes(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  lengths: readonly number[],
  where: string,
): Uint8Array {
  const value = fields[name]
  if (!Array.isArray(value) || !value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)) {
    throw invalid(where, `${name} is not a list of bytes`)
  }
  if (!lengths.includes(value.length))
    throw invalid(where, `${name} has ${value.length} bytes, not ${lengths.join(' or ')}`)
  return Uint8Array.from(value as number[])
}

function invalid(where: string, why: string): ArchiveError {
  return new ArchiveError('WALLET_FILE_INVALID', `${where} is no usable wallet: ${why}`, { why })
}
