import assert from 'node:assert/strict'
import { parseAddress } from '../../../../core/index.ts'
import { JsonRpcError } from '../../../../telemetry/json-rpc/index.ts'
import { ALICE, openChain, reach, sign, transfer } from './made-chain.ts'

const CONTRACT = 'AS12umT6fgVWXVSjXXVEdkfd14Gkc8ienLH2m3NHA4VgbQAgpdd7p'

describe('devnet/node/chain, what is checked of an operation before it is accepted', () => {
  const chain = openChain({ endorsements: 0, skipsEmptyBlocks: true })

  before(() => reach(chain, 2 * 32))

  const call = (maxGas: bigint) =>
    ({
      kind: 'call-sc',
      target: parseAddress(CONTRACT),
      functionName: 'x',
      parameter: new Uint8Array(),
      maxGas,
      coinsNanoMas: 0n,
    }) as const
  const execute = (maxGas: bigint) =>
    ({ kind: 'execute-sc', bytecode: new Uint8Array(4), maxGas, maxCoinsNanoMas: 0n, datastore: [] }) as const
  const refused = (sent: ReturnType<typeof sign>, code: number, words: RegExp) =>
    assert.throws(
      () => chain.check(sent),
      (error) => error instanceof JsonRpcError && error.code === code && words.test(error.message),
    )

  it('limit: gas that a block has, and one unit more', () => {
    chain.check(sign(chain, ALICE, call(4_294_167_295n)))
    refused(sign(chain, ALICE, call(4_294_167_296n)), -32016, /Upper gas limit for CallSC operation is 4294167295\./)
    chain.check(sign(chain, ALICE, execute(3_980_167_295n)))
    refused(
      sign(chain, ALICE, execute(3_980_167_296n)),
      -32016,
      /Upper gas limit for ExecuteSC operation is 3980167295\./,
    )
  })

  it('error: of several faults the first is told: gas, expiry, fee, signature', () => {
    const all = { feeNanoMas: 0n, expirePeriod: 1 }
    const forge = (sent: ReturnType<typeof sign>) => ({ ...sent, signature: sent.signature.map((byte) => byte ^ 1) })
    refused(forge(sign(chain, ALICE, call(2n ** 63n), all)), -32016, /Upper gas limit/)
    refused(forge(sign(chain, ALICE, transfer(1n), all)), -32016, /expire_period is lower/)
    refused(forge(sign(chain, ALICE, transfer(1n), { feeNanoMas: 0n })), -32000, /fee is too low/)
    const forged = sign(chain, ALICE, transfer(1n))
    refused(
      { ...forged, signature: sign(chain, ALICE, transfer(2n)).signature },
      -32013,
      /Signature verification failed/,
    )
  })
})
