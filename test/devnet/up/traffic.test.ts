import assert from 'node:assert/strict'
import { type Clock, parsePublicKey, parseSignature } from '../../../core/index.ts'
import type { NodeReport } from '../../../devnet/node/index.ts'
import { makeTrafficSenders, Traffic } from '../../../devnet/up/traffic.ts'
import { ALICE, MAS, openChain, pass } from '../node/chain/made-chain.ts'

/** Of background traffic: five rounds of eight. */
const TURNS = 40
const SLOTS_PER_TURN = 8
const CHAIN_ID = 77n

interface SentForm {
  readonly creator_public_key: string
  readonly signature: string
  readonly serialized_content: readonly number[]
}

describe('devnet/up/traffic', function () {
  this.timeout(60_000)

  it('sells the rolls that it has bought: in a round, one call alone fails', async () => {
    const senders = makeTrafficSenders('a seed', CHAIN_ID)
    const accounts = senders.map(({ address }) => [address, 10_000n * MAS] as [string, bigint])
    const chain = openChain({ endorsements: 0, deltaF0: 40, accounts })
    let turns = 0
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    // Sleeping is what makes chain time pass.
    const clock: Clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      sleep: async () => {
        await pass(chain, SLOTS_PER_TURN)
        if (++turns >= TURNS) end()
      },
    }
    const call = async (method: string, params: readonly unknown[]): Promise<unknown> => {
      assert.equal(method, 'send_operations')
      return (params[0] as readonly SentForm[]).map((form) =>
        chain.accept(
          chain.check({
            publicKey: parsePublicKey(form.creator_public_key),
            signature: parseSignature(form.signature),
            content: Uint8Array.from(form.serialized_content),
          }),
        ),
      )
    }
    const report = async () => ({ lastSlot: chain.lastSlot }) as NodeReport
    // An address with no contract: calls are not what this is about.
    const traffic = new Traffic(
      { senders, registryAddress: ALICE.address, speed: 8 },
      { link: { call, report }, clock },
    )
    traffic.start()
    await ended
    await traffic.stop()

    const executed = [...chain.operations.values()].flatMap(({ operation, inclusion, creator }) =>
      inclusion ? [{ kind: operation.body.kind, success: inclusion.success, creator }] : [],
    )
    const sales = executed.filter(({ kind }) => kind === 'roll-sell')
    assert(sales.length >= 3, `${sales.length} sales`)
    assert(sales.every(({ success }) => success))
    assert.equal(new Set(sales.map(({ creator }) => creator)).size, sales.length, 'not always the same one sells')
    for (const { creator } of sales) assert(chain.deferredCreditsOf(creator).length > 0)
    assert.deepEqual(
      executed.filter(({ kind, success }) => !success && kind !== 'call-sc'),
      [],
    )
  })
})
