import assert from 'node:assert/strict'
import { ArchiveError, type ChallengeTerms, type RegistryChallenge } from '../../../core/index.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import type { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'
import { CHUNK, HeardLog, NETWORK } from './heard-log.ts'

const ANSWER = { proof: new Uint8Array(3), signature: { publicKey: new Uint8Array(33), signature: new Uint8Array(65) } }

describe('storage-worker/challenge/chain-prover', () => {
  const record = (id: string, changes: Partial<RegistryChallenge> = {}) =>
    ({
      id,
      chunkId: CHUNK,
      nonce: 1n,
      samples: 2,
      issuedPeriod: 10n,
      deadline: 400_000n,
      resolved: false,
      ...changes,
    }) as RegistryChallenge

  function open(
    read: (challengeId: string) => RegistryChallenge,
    {
      make = async () => ANSWER,
    }: { readonly make?: (terms: ChallengeTerms) => Promise<typeof ANSWER | undefined> } = {},
  ) {
    const clock = new ManualClock(0)
    const registryLog = new HeardLog()
    const sent: string[] = []
    const underWay: string[] = []
    let lost = 0
    const client = { read: async (_: string, args: { challengeId: string }) => read(args.challengeId) }
    const sender = {
      client: client as unknown as RegistrySender['client'],
      listUnderWay: () => underWay,
      send: ({ key }: { readonly key: string }) => {
        sent.push(key)
        underWay.push(key)
        return new Promise<never>(() => {})
      },
    }
    const log = createLogger({ level: 'error', format: 'json', destination: { write: () => {} } })
    const prover = new ChainProver(
      1_000,
      { network: NETWORK, registry: 'AS1', address: 'AU1' },
      { registryLog, sender, proofs: { make }, clock, log, onMargin: () => {}, onLost: () => lost++ },
    )
    const look = async () => {
      await prover.look()
      clock.advance(16_000)
      registryLog.period++
    }
    return { prover, registryLog, sent, underWay, look, lost: () => lost }
  }

  it('reorganisation: a challenge that comes again in another block is proven as that one says', async () => {
    let issuedPeriod = 10n
    const made: number[] = []
    const { registryLog, sent, look } = open((id) => record(id, { issuedPeriod }), {
      make: async ({ challenge }) => {
        made.push(challenge.issuedPeriod)
        return ANSWER
      },
    })
    registryLog.issue('c', 10)
    await look()
    issuedPeriod = 11n
    registryLog.issue('c', 11)
    await look()
    assert.deepEqual(made, [10, 11])
    // The first proof is still followed: whoever waited for it would come too late.
    assert.deepEqual(sent, ['proof c/10', 'proof c/11'])
  })

  it('reorganisation: one that is gone with its block keeps no other from being proven, and may come again', async () => {
    let isBack = false
    const { registryLog, prover, sent, look } = open((id) => {
      if (id === 'dropped' && !isBack) throw new ArchiveError('REGISTRY_CHALLENGE_UNKNOWN', 'made')
      return record(id)
    })
    registryLog.issue('dropped', 10)
    registryLog.issue('good', 10)
    await look()
    assert.deepEqual(sent, ['proof good/10'])
    // The block that was dropped is in the chain again: nothing is told of it anew.
    isBack = true
    await look()
    assert.deepEqual(sent, ['proof good/10', 'proof dropped/10'])
    registryLog.issue('good', 10, true)
    registryLog.finalPeriod = 10
    await look()
    assert.equal(prover.openCount, 1)
  })

  it('reorganisation: what passed in a block that is dropped is proven again', async () => {
    const { registryLog, prover, sent, underWay, look, lost } = open((id) => record(id))
    registryLog.issue('c', 10)
    await look()
    registryLog.end('c', 11, 'CHALLENGE_PASSED')
    underWay.pop()
    registryLog.issue('c', 10, true)
    registryLog.finalPeriod = 10
    await look()
    assert.equal(await prover.findOpen('c'), undefined)
    assert.deepEqual([sent, prover.openCount], [['proof c/10'], 0])
    registryLog.finalPeriod = 11
    await look()
    assert.deepEqual([sent, prover.openCount], [['proof c/10', 'proof c/10'], 1])
    registryLog.end('c', 13, 'CHALLENGE_EXPIRED', true)
    registryLog.finalPeriod = 13
    underWay.pop()
    await look()
    assert.deepEqual([sent.length, prover.openCount, lost()], [2, 0, 1])
  })

  it('one whose end was never told is let go when it is final that it is over', async () => {
    const { registryLog, prover, look } = open((id) => record(id, { resolved: true }))
    registryLog.issue('c', 1, true)
    await look()
    assert.equal(prover.openCount, 1)
    registryLog.finalPeriod = 10
    await look()
    assert.equal(prover.openCount, 0)
  })
})
