import assert from 'node:assert/strict'
import {
  Account,
  Address,
  OperationManager,
  OperationType,
  PrivateKey,
  type PublicKey,
  Signature,
} from '@massalabs/massa-web3'
import fc from 'fast-check'
import {
  computeAddress,
  computeOperationHash,
  encodeOperationContent,
  formatAddress,
  formatPublicKey,
  formatSecretKey,
  formatSignature,
  type Operation,
  parseAddress,
  parseOperationContent,
  parsePublicKey,
  parseSignature,
  signText,
  toHex,
  verifySignature,
  verifyText,
} from '../../../core/index.ts'

const USER = 'AU12UN5gcQ5gck2oCtw8YWEX9FcSXAxFVosCJiv7rXYK8qi68t268'
const CONTRACT = 'AS12Z4zTFAaSoJtgbGdtqoAss9XF7JQ9EkS2b5xKX6Vmv8M3UJgdc'
const SEED = new Uint8Array(32).fill(3)
const u64 = fc.oneof(fc.bigInt(0n, 300n), fc.bigInt(0n, (1n << 64n) - 1n))
const base = { fee: u64, expirePeriod: fc.nat(0x7fff_ffff) }
/** massa-web3 writes lengths of parameters with a 32-bit routine and joins arrays slowly: small ones say as much. */
const bytes = fc.uint8Array({ maxLength: 300 })

type Theirs = Parameters<typeof OperationManager.serialize>[0]
interface Pair {
  readonly ours: Operation
  readonly theirs: Theirs
}

/** The same operation in our words and in massa-web3's, for every kind. */
const KINDS: Readonly<Record<Operation['body']['kind'], fc.Arbitrary<Pair>>> = {
  transaction: fc.record({ ...base, amount: u64, to: fc.constantFrom(USER, CONTRACT) }).map(({ to, ...op }) =>
    pair(
      op,
      { kind: 'transaction', recipient: parseAddress(to), amountNanoMas: op.amount },
      {
        type: OperationType.Transaction,
        amount: op.amount,
        recipientAddress: Address.fromString(to),
      },
    ),
  ),
  'roll-buy': fc
    .record({ ...base, amount: u64 })
    .map((op) =>
      pair(op, { kind: 'roll-buy', rollCount: op.amount }, { type: OperationType.RollBuy, amount: op.amount }),
    ),
  'roll-sell': fc
    .record({ ...base, amount: u64 })
    .map((op) =>
      pair(op, { kind: 'roll-sell', rollCount: op.amount }, { type: OperationType.RollSell, amount: op.amount }),
    ),
  'execute-sc': fc
    .record({
      ...base,
      maxGas: u64,
      maxCoins: u64,
      bytecode: bytes,
      datastore: fc.array(fc.record({ key: fc.uint8Array({ maxLength: 255 }), value: bytes }), { maxLength: 6 }),
    })
    .map(({ bytecode, datastore, ...op }) =>
      pair(
        op,
        {
          kind: 'execute-sc',
          maxGas: op.maxGas,
          maxCoinsNanoMas: op.maxCoins,
          bytecode,
          datastore: datastore.map((entry) => ({ ...entry })),
        },
        {
          type: OperationType.ExecuteSmartContractBytecode,
          maxGas: op.maxGas,
          maxCoins: op.maxCoins,
          contractDataBinary: bytecode,
          datastore: new Map(datastore.map(({ key, value }) => [key, value])),
        },
      ),
    ),
  'call-sc': fc
    .record({ ...base, maxGas: u64, coins: u64, name: fc.string({ maxLength: 255 }), parameter: bytes })
    .map(({ name, parameter, ...op }) =>
      pair(
        op,
        {
          kind: 'call-sc',
          maxGas: op.maxGas,
          coinsNanoMas: op.coins,
          target: parseAddress(CONTRACT),
          functionName: name,
          parameter,
        },
        {
          type: OperationType.CallSmartContractFunction,
          maxGas: op.maxGas,
          coins: op.coins,
          address: CONTRACT,
          func: name,
          parameter,
        },
      ),
    ),
}

describe('core/massa against massa-web3', () => {
  let key: PrivateKey
  let publicKey: PublicKey

  before(async () => {
    key = PrivateKey.fromString(formatSecretKey(Uint8Array.of(0, ...SEED)))
    publicKey = await key.getPublicKey()
  })

  for (const [kind, arbitrary] of Object.entries(KINDS)) {
    it(`${kind}: the same bytes, which parse back, the same hash, and its signatures verify`, async () => {
      await fc.assert(
        fc.asyncProperty(arbitrary, u64, async ({ ours, theirs }, chainId) => {
          const content = encodeOperationContent(ours)
          assert.equal(toHex(content), toHex(OperationManager.serialize(theirs)))
          assert.deepEqual(parseOperationContent(content), ours)
          const keyBytes = parsePublicKey(publicKey.toString())
          const hash = computeOperationHash(chainId, keyBytes, content)
          const signature = await new OperationManager(key).sign(chainId, theirs)
          assert(verifySignature(keyBytes, hash, parseSignature(signature.toString())))
          const another = computeOperationHash(chainId ^ 1n, keyBytes, content)
          assert(!verifySignature(keyBytes, another, parseSignature(signature.toString())))
        }),
        { numRuns: 40 },
      )
    })
  }

  it('keys and addresses have the same texts', async () => {
    const account = await Account.fromPrivateKey(key)
    const keyBytes = parsePublicKey(account.publicKey.toString())
    assert.equal(formatPublicKey(keyBytes), account.publicKey.toString())
    assert.equal(formatAddress(computeAddress(keyBytes)), account.address.toString())
  })

  it('texts signed by either are valid for the other', async () => {
    const text = 'massa-storage/proof/1:00ff'
    const ours = signText(SEED, text)
    assert.equal(formatPublicKey(ours.publicKey), publicKey.toString())
    const theirs = await key.sign(new TextEncoder().encode(text))
    assert.equal(formatSignature(ours.signature), theirs.toString())
    assert(verifyText(text, { publicKey: ours.publicKey, signature: parseSignature(theirs.toString()) }))
    const back = Signature.fromString(formatSignature(ours.signature))
    assert(await publicKey.verify(new TextEncoder().encode(text), back))
  })
})

function pair(
  { fee, expirePeriod }: { fee: bigint; expirePeriod: number },
  body: Operation['body'],
  theirs: object,
): Pair {
  return {
    ours: { feeNanoMas: fee, expirePeriod: BigInt(expirePeriod), body },
    theirs: { fee, expirePeriod, ...theirs } as Theirs,
  }
}
