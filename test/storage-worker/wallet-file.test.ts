import assert from 'node:assert/strict'
import { createCipheriv, pbkdf2Sync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Account, PrivateKey } from '@massalabs/massa-web3'
import { parse, stringify } from 'yaml'
import { type ErrorCode, isArchiveError } from '../../core/index.ts'
import { computeKeyAddress, formatWallet, makeSecretKey, sealWallet } from '../../storage-worker/index.ts'
import { looksLikeWallet, MAX_WALLET_BYTES, openWallet, parseWallet } from '../../storage-worker/wallet-file.ts'
import { makeWallet } from '../devnet/node/face.ts'

const folder = new URL('../fixtures/wallet/', import.meta.url)
const EXPECTED = JSON.parse(readFileSync(new URL('expected.json', folder), 'utf8')) as Record<
  'password' | 'address' | 'secret_key' | 'public_key',
  string
>
const TEXT = readFileSync(new URL(`wallet_${EXPECTED.address}.yaml`, folder), 'utf8')
const FIELDS = parse(TEXT) as Record<string, unknown>
const OTHER = makeWallet('other')

const changed = (changes: Record<string, unknown>) => stringify({ ...FIELDS, ...changes })
const open = async (text: string, password = EXPECTED.password) =>
  openWallet(await parseWallet(text, 'FILE'), password, 'FILE')

async function refused(code: ErrorCode, promise: Promise<unknown>, message = /./): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert(isArchiveError(error, code), String(error))
    assert.match(error.message, message)
    const shown = `${error.stack}${JSON.stringify(error.context)}${String(error.cause)}`
    assert(!shown.includes(EXPECTED.secret_key.slice(1)), shown)
    return true
  })
}

describe('storage-worker/wallet-file', function () {
  // Each password takes a quarter of a second.
  this.timeout(30_000)

  it('opens the wallet that massa-client wrote', async () => {
    assert.equal(await open(TEXT), EXPECTED.secret_key)
    assert.equal((await parseWallet(TEXT, 'FILE')).address, EXPECTED.address)
    assert.equal(computeKeyAddress(EXPECTED.secret_key), EXPECTED.address)
  })

  it('writes the fields in the order and layout of massa-client', async () => {
    assert.equal(await formatWallet(await parseWallet(TEXT, 'FILE')), TEXT)
  })

  it('opens what massa-web3 sealed, and massa-web3 opens what it sealed', async () => {
    const account = await Account.fromPrivateKey(PrivateKey.fromString(OTHER.secret))
    const theirs = await account.toKeyStore('pass word é')
    assert.equal(
      await open(
        stringify({ ...theirs, Salt: [...(theirs.Salt ?? [])], Nonce: [...(theirs.Nonce ?? [])] }),
        'pass word é',
      ),
      OTHER.secret,
    )
    const ours = parse(await formatWallet(await sealWallet(OTHER.secret, 'pass word é'))) as Parameters<
      typeof Account.fromKeyStore
    >[0]
    assert.equal((await Account.fromKeyStore(ours, 'pass word é')).privateKey.toString(), OTHER.secret)
  })

  it('reads the other layouts of YAML that wallets are written in', async () => {
    const address = FIELDS.Address
    const flow = `---\n# a wallet\n${Object.entries(FIELDS)
      .map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
      .join('\r\n')}\n`
    assert.equal((await parseWallet(flow, 'FILE')).address, address)
    assert.equal((await parseWallet(JSON.stringify(FIELDS), 'FILE')).address, address)
    assert.equal((await parseWallet(`\uFEFF${TEXT}`, 'FILE')).address, address)
    assert.equal((await parseWallet(changed({ Nickname: 7 }), 'FILE')).nickname, '7')
    for (const text of [TEXT, flow, JSON.stringify(FIELDS), `\uFEFF${TEXT}`]) assert(looksLikeWallet(text))
    for (const text of [EXPECTED.secret_key, `${EXPECTED.secret_key}\n`, '', 'S1']) assert(!looksLikeWallet(text))
  })

  it('every seal has a salt and a nonce of its own, and the nickname or the address as name', async () => {
    const [one, two] = [
      await sealWallet(OTHER.secret, 'a'),
      await sealWallet(OTHER.secret, 'a', { nickname: 'yes: "x"' }),
    ]
    assert.notDeepEqual(one.salt, two.salt)
    assert.notDeepEqual(one.nonce, two.nonce)
    assert.equal(one.nickname, OTHER.address)
    assert.equal((await parseWallet(await formatWallet(two), 'FILE')).nickname, 'yes: "x"')
  })

  it('a key that is written with its public key behind it opens, as in massa-client', async () => {
    const account = await Account.fromPrivateKey(PrivateKey.fromString(OTHER.secret))
    const [salt, nonce] = [Buffer.alloc(16, 1), Buffer.alloc(12, 2)]
    const cipher = createCipheriv('aes-256-gcm', pbkdf2Sync('a', salt, 600_000, 32, 'sha256'), nonce)
    const long = Buffer.concat([account.privateKey.toBytes(), account.publicKey.toBytes().subarray(1)])
    const CipheredData = [...cipher.update(long), ...cipher.final(), ...cipher.getAuthTag()]
    assert.equal(CipheredData.length, 81)
    const fields = { ...(await account.toKeyStore('a')), Salt: [...salt], Nonce: [...nonce], CipheredData }
    assert.equal(await open(stringify(fields), 'a'), OTHER.secret)
  })

  it('error: another password, and any changed byte of what is encrypted, do not open it', async () => {
    await refused('WALLET_PASSWORD_WRONG', open(TEXT, 'Pw'), /^FILE does not open with this password$/)
    await refused('WALLET_PASSWORD_WRONG', open(TEXT, ''))
    for (const name of ['Salt', 'Nonce', 'CipheredData']) {
      const bytes = [...(FIELDS[name] as number[])]
      bytes[3] = (bytes[3] ?? 0) ^ 1
      await refused('WALLET_PASSWORD_WRONG', open(changed({ [name]: bytes })))
    }
  })

  it('error: an address or a public key of another key is refused', async () => {
    const other = parse(await formatWallet(await sealWallet(OTHER.secret, 'x'))) as Record<string, unknown>
    await refused('WALLET_FILE_INVALID', parseWallet(changed({ Address: other.Address }), 'FILE'), /its address is not/)
    // Both fit each other, and not the secret key: only the password shows it.
    const both = changed({ Address: other.Address, PublicKey: other.PublicKey })
    assert.equal((await parseWallet(both, 'FILE')).address, OTHER.address)
    await refused('WALLET_FILE_INVALID', open(both), /public key is not the one of its secret key/)
  })

  it('limit: each field at its length, one byte less and one more', async () => {
    for (const name of ['Salt', 'Nonce', 'CipheredData', 'PublicKey']) {
      const bytes = FIELDS[name] as number[]
      await parseWallet(changed({ [name]: bytes }), 'FILE')
      for (const wrong of [
        bytes.slice(1),
        [...bytes, 0],
        [],
        'text',
        undefined,
        null,
        bytes.map(() => 256),
        bytes.map(() => -1),
        bytes.map(() => 0.5),
      ]) {
        await refused('WALLET_FILE_INVALID', parseWallet(changed({ [name]: wrong }), 'FILE'), new RegExp(`${name} `))
      }
    }
  })

  it('limit: a file at the largest size and one past it', async () => {
    const pad = (length: number) => `${TEXT}#${'x'.repeat(length - TEXT.length - 1)}`
    assert.equal((await parseWallet(pad(MAX_WALLET_BYTES), 'FILE')).address, EXPECTED.address)
    await refused('WALLET_FILE_INVALID', parseWallet(pad(MAX_WALLET_BYTES + 1), 'FILE'), /longer than/)
  })

  it('error: what is no wallet is refused and not quoted', async () => {
    const texts = [
      '',
      'null',
      '[1, 2]',
      '{',
      'Version: 1',
      `key: ${EXPECTED.secret_key}: x\n  - : [`,
      `${TEXT}\nAddress: x\n`,
      'a: &a [1]\nb: *a\nc: [*a, *a, *a]',
      changed({ Version: 0 }),
      changed({ Version: 2 }),
      changed({ Version: '1' }),
      changed({ Address: 5 }),
      changed({ PublicKey: [1, ...(FIELDS.PublicKey as number[]).slice(1)] }),
    ]
    for (const text of texts)
      await refused('WALLET_FILE_INVALID', parseWallet(text, 'FILE'), /^FILE is no usable wallet: /)
  })

  it('a new key is another one each time, and its address is that of massa-web3', async () => {
    const [one, two] = [makeSecretKey(), makeSecretKey()]
    assert.notEqual(one, two)
    const account = await Account.fromPrivateKey(PrivateKey.fromString(one))
    assert.equal(computeKeyAddress(one), account.address.toString())
  })
})
