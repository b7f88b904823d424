import assert from 'node:assert/strict'
import type { ChallengeTerms, RegistryChallenge } from '../../../core/index.ts'
import { ChainProver } from '../../../storage-worker/challenge/chain-prover.ts'
import type { RegistryLogEntry } from '../../../storage-worker/registry-client.ts'
import type { RegistrySender } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { ManualClock } from '../../clocks.ts'

const NETWORK = { chainId: 77n, genesisTimestampMs: 0n }
const CHUNK = 'ab'.repeat(32)

describe('storage-worker/challenge/chain-prover', () => {
  it('reorganisation: a challenge that comes again in another block is proven as that one says', async () => {
    const clock = new ManualClock(0)
    let listen: (entry: RegistryLogEntry) => void = () => assert.fail()
    let issuedPeriod = 10n
    const made: ChallengeTerms[] = []
    const record = (): Partial<RegistryChallenge> => ({
      id: 'c',
      chunkId: CHUNK,
      nonce: 1n,
      samples: 2,
      issuedPeriod,
      deadline: 1_000_000n,
    })
    const client = { read: async () => record() } as unknown as RegistrySender['client']
    const prover = new ChainProver(
      1_000,
      { network: NETWORK, registry: 'AS1', address: 'AU1' },
      {
        registryLog: {
          listen: (listener) => {
            listen = listener
            return () => {}
          },
          look: async () => {},
          period: 10,
        },
        sender: { client, listUnderWay: () => [], send: async () => assert.fail('sent') },
        proofs: {
          make: async (terms) => {
            made.push(terms)
            return undefined
          },
        },
        clock,
        log: createLogger({ level: 'error', format: 'json', destination: { write: () => {} } }),
        onMargin: () => {},
        onLost: () => {},
      },
    )
    const issueIn = (period: number) =>
      listen({
        slot: { period, thread: 0 },
        event: { name: 'CHALLENGE_ISSUED', challengeId: 'c', nodeAddress: 'AU1', chunkId: CHUNK },
      })
    issueIn(10)
    await prover.look()
    issuedPeriod = 11n
    issueIn(11)
    await prover.look()
    assert.deepEqual(
      made.map(({ challenge }) => challenge.issuedPeriod),
      [10, 11],
    )
  })
})
