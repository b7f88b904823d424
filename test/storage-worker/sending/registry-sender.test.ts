import assert from 'node:assert/strict'
import { ArchiveError } from '../../../core/index.ts'
import type { FollowOptions, Quote, SignedBytes, SignedOperation } from '../../../storage-worker/chain-port.ts'
import type { CallOptions, RegistryClient, RegistryOutcome } from '../../../storage-worker/registry-client.ts'
import { OperationJournal } from '../../../storage-worker/sending/operation-journal.ts'
import { RegistrySender, type RegistrySenderModules } from '../../../storage-worker/sending/registry-sender.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { settle } from '../../turns.ts'
import { openMemoryLevel } from '../temp-store.ts'

const MAS = 1_000_000_000n
const CLAIM = { purpose: 'claim', key: 'claim', call: 'claimRewards', args: {} } as const
const SIGNED = {
  operationId: 'O1',
  sender: 'AU1',
  balanceNanoMas: 5n * MAS,
  expirePeriod: 9,
  feeNanoMas: 10_000_000n,
  maxGas: 2_100_000n,
}
const RESOLVE = {
  purpose: 'resolve',
  key: 'r',
  call: 'resolveExpiredChallenges',
  args: { challengeIds: ['c'] },
} as const
const PROOFS = { challengeIds: ['c'], merkleProofs: [Uint8Array.of(1)], signatures: [Uint8Array.of(2)] }
const BYTES = { data: Uint8Array.of(1, 2, 255), publicKey: 'P1', signature: '1S' }
const OUTCOME = { operationId: 'O1', isFinal: true, maxGas: 2_100_000n, feeNanoMas: 10_000_000n, events: [] }

/** A registry whose operations end as the test says. */
class FakeRegistry {
  readonly calls: string[] = []
  /** That left. */
  readonly sent: string[] = []
  readonly follows: string[] = []
  /** What is sent while it is followed. */
  readonly again: (SignedBytes | undefined)[] = []
  balanceNanoMas = 5n * MAS
  /** Of the newest call. */
  onExecuted: CallOptions['onExecuted']
  private readonly ends: { resolve(outcome: RegistryOutcome): void; reject(error: unknown): void }[] = []

  readonly chain = {
    readBalance: async () => this.balanceNanoMas,
    follow: ({ operationId }: SignedOperation, { signal, untilKnown, bytes, onExecuted }: FollowOptions) => {
      assert.equal(untilKnown, true)
      this.onExecuted = onExecuted
      this.follows.push(operationId)
      this.again.push(bytes)
      return this.next(signal)
    },
  }

  async quote(_name: string, _args: object, coinsNanoMas: bigint): Promise<Quote> {
    const { feeNanoMas, maxGas } = SIGNED
    return { feeNanoMas, maxGas, spendNanoMas: coinsNanoMas + feeNanoMas }
  }

  async call(name: string, _args: object, options: CallOptions): Promise<RegistryOutcome> {
    const { onSigned, onExecuted, signal, untilKnown } = options
    assert.equal(untilKnown, true)
    this.calls.push(name)
    this.onExecuted = onExecuted
    await onSigned?.(SIGNED, BYTES)
    this.sent.push(name)
    return this.next(signal)
  }

  /** Ends what was begun first. */
  end(outcome: RegistryOutcome | ArchiveError): void {
    const end = this.ends.shift()
    if (outcome instanceof ArchiveError) end?.reject(outcome)
    else end?.resolve(outcome)
  }

  private next(signal: AbortSignal | undefined): Promise<RegistryOutcome> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) reject(unknown())
      signal?.addEventListener('abort', () => reject(unknown()))
      this.ends.push({ resolve, reject })
    })
  }
}

function unknown(): ArchiveError {
  return new ArchiveError('CHAIN_OUTCOME_UNKNOWN', 'nobody can tell')
}

describe('storage-worker/sending/registry-sender', () => {
  async function open(
    journal?: RegistrySenderModules['journal'],
    onFinal?: (outcome: RegistryOutcome) => Promise<void>,
  ) {
    const registry = new FakeRegistry()
    const kept = journal ?? new OperationJournal(await openMemoryLevel('index'))
    const logged: string[] = []
    const destination = { write: (text: string) => logged.push(JSON.parse(text).msg) }
    const log = createLogger({ level: 'warn', format: 'json', destination })
    const sender = new RegistrySender(
      { address: 'AU1', minBalanceNanoMas: MAS },
      { client: registry as unknown as RegistryClient, journal: kept, log, ...(onFinal && { onFinal }) },
    )
    return { registry, journal: kept, sender, logged }
  }

  it('sends a call once however often it is ordered, and notes it before', async () => {
    const { registry, journal, sender } = await open()
    const both = [sender.send(CLAIM), sender.send(CLAIM)]
    await settle(20)
    assert.deepEqual(registry.calls, ['claimRewards'])
    const noted = { purpose: 'claim', key: 'claim', spendNanoMas: SIGNED.feeNanoMas, signed: SIGNED, bytes: BYTES }
    assert.deepEqual(await journal.list(), [noted])
    assert.deepEqual(sender.listUnderWay('claim'), ['claim'])
    assert.deepEqual(sender.listUnderWay('proof'), [])
    registry.end(OUTCOME)
    assert.deepEqual(await Promise.all(both), [OUTCOME, OUTCOME])
    assert.deepEqual(await journal.list(), [])
    const again = sender.send(CLAIM)
    await settle(20)
    registry.end(OUTCOME)
    await again
    assert.equal(registry.calls.length, 2)
  })

  it('sixteen calls that are under way at once, as many as there may be by hand, are no leak of listeners', async () => {
    const { registry, sender } = await open()
    const warnings: string[] = []
    const note = ({ name }: Error) => void warnings.push(name)
    process.on('warning', note)
    const all = Array.from({ length: 16 }, (_, i) => sender.send({ ...RESOLVE, key: `r${i}` }).catch(() => undefined))
    await settle(40)
    assert.equal(registry.sent.length, 16)
    await sender.stop()
    await Promise.all(all)
    process.off('warning', note)
    assert.deepEqual(warnings, [])
  })

  it('after a restart follows what was under way, with the same bytes to send, and no other', async () => {
    const { journal, sender } = await open()
    const cut = sender.send(CLAIM)
    cut.catch(() => undefined)
    await settle(20)
    await sender.stop()
    await assert.rejects(cut, { code: 'CHAIN_OUTCOME_UNKNOWN' })
    const later = await open(journal)
    await later.sender.resume()
    const known = later.sender.send(CLAIM)
    await settle(20)
    assert.deepEqual([later.registry.calls, later.registry.follows], [[], ['O1']])
    assert.deepEqual(later.registry.again, [BYTES])
    later.registry.end(OUTCOME)
    assert.deepEqual(await known, OUTCOME)
    assert.deepEqual(await journal.list(), [])
  })

  it('follows what the node may have taken, and forgets it once nobody can tell any more', async () => {
    const { registry, journal, sender } = await open()
    const sending = sender.send(CLAIM)
    sending.catch(() => undefined)
    await settle(20)
    registry.end(unknown())
    await settle(20)
    assert.deepEqual(registry.follows, ['O1'])
    assert.equal((await journal.list()).length, 1)
    registry.end(unknown())
    await assert.rejects(sending, { code: 'CHAIN_OUTCOME_UNKNOWN' })
    assert.deepEqual(await journal.list(), [])
  })

  it('crash: tells of what is final before it forgets it, and again when it ended in between', async () => {
    const told: string[] = []
    const die = async () => {
      told.push('first')
      throw new ArchiveError('STORE_VALUE_CORRUPT', 'killed')
    }
    const { registry, journal, sender } = await open(undefined, die)
    const cut = sender.send(CLAIM)
    cut.catch(() => undefined)
    await settle(20)
    registry.end(OUTCOME)
    await assert.rejects(cut, { code: 'STORE_VALUE_CORRUPT' })
    const later = await open(journal, async ({ operationId }) => void told.push(operationId))
    await later.sender.resume()
    await settle(20)
    later.registry.end(OUTCOME)
    await settle(20)
    assert.deepEqual(told, ['first', 'O1'])
    assert.deepEqual(await journal.list(), [])
  })

  it('error: what failed or expired is forgotten and may be sent again', async () => {
    for (const code of ['CHAIN_OPERATION_EXPIRED', 'REGISTRY_NOTHING_TO_CLAIM'] as const) {
      const { registry, journal, sender } = await open()
      const sending = sender.send(CLAIM)
      sending.catch(() => undefined)
      await settle(20)
      registry.end(new ArchiveError(code, 'no'))
      await assert.rejects(sending, { code })
      assert.deepEqual(await journal.list(), [])
      assert.deepEqual(sender.listUnderWay('claim'), [])
    }
  })

  it('error: on a full disk proofs are sent all the same, and nothing else', async () => {
    const full = async () => {
      throw new ArchiveError('STORE_DISK_FULL', 'made')
    }
    const { registry, sender, logged } = await open({ put: full, delete: full, list: async () => [] })
    await assert.rejects(sender.send(CLAIM), { code: 'STORE_DISK_FULL' })
    const proving = sender.send({ purpose: 'proof', key: 'p', call: 'submitProofs', args: PROOFS })
    await settle(20)
    registry.end(OUTCOME)
    assert.deepEqual(await proving, OUTCOME)
    assert.deepEqual([registry.sent, logged], [['submitProofs'], ['a proof is sent that could not be noted']])
  })

  it('limit: below what is kept for proofs it sends proofs and claims alone', async () => {
    const { registry, sender } = await open()
    registry.balanceNanoMas = MAS + SIGNED.feeNanoMas + 4n
    await assert.rejects(sender.send({ ...RESOLVE, coinsNanoMas: 5n }), { code: 'CHAIN_WALLET_LOW' })
    assert.deepEqual(registry.calls, [])
    const sending = sender.send({ ...RESOLVE, coinsNanoMas: 4n })
    await settle(20)
    registry.end(OUTCOME)
    await sending
    registry.balanceNanoMas = 0n
    const claiming = sender.send(CLAIM)
    await settle(20)
    registry.end(OUTCOME)
    await claiming
    assert.deepEqual(registry.calls, ['resolveExpiredChallenges', 'claimRewards'])
  })

  it('limit: what was under way at a restart counts as spent, too, until a block has it', async () => {
    const { journal, sender } = await open()
    const cut = sender.send({ ...RESOLVE, coinsNanoMas: 2n * MAS })
    cut.catch(() => undefined)
    await settle(20)
    await sender.stop()
    const { registry, sender: later } = await open(journal)
    await later.resume()
    const order = { ...RESOLVE, key: 'other' }
    registry.balanceNanoMas = 3n * MAS
    await assert.rejects(later.send(order), { code: 'CHAIN_WALLET_LOW' })
    registry.balanceNanoMas = MAS + SIGNED.feeNanoMas
    registry.onExecuted?.(OUTCOME)
    later.send(order).catch(assert.fail)
    await settle(20)
    assert.deepEqual(registry.sent, ['resolveExpiredChallenges'])
  })

  it('limit: what is under way counts as spent until the balance is without it', async () => {
    const { registry, sender } = await open()
    const [coinsNanoMas, spend] = [MAS / 4n, MAS / 4n + SIGNED.feeNanoMas]
    registry.balanceNanoMas = MAS + 2n * spend
    const send = (key: number) => sender.send({ ...RESOLVE, key: `${key}`, coinsNanoMas })
    const low: unknown[] = []
    const sending = [1, 2, 3, 4].map((key) => send(key).catch((error: unknown) => low.push(error)))
    await settle(20)
    assert.deepEqual([registry.calls.length, low.length], [2, 2])
    registry.balanceNanoMas -= spend
    await assert.rejects(send(5), { code: 'CHAIN_WALLET_LOW' })
    registry.onExecuted?.(OUTCOME)
    await assert.rejects(send(6), { code: 'CHAIN_WALLET_LOW' })
    registry.balanceNanoMas += spend
    sending.push(send(7).catch(assert.fail))
    await settle(20)
    assert.equal(registry.calls.length, 3)
    for (let sent = 0; sent < 3; sent++) registry.end(OUTCOME)
    await Promise.all(sending)
    // All are over: nothing is held back for them.
    const last = [send(8), send(9)]
    await settle(20)
    assert.equal(registry.calls.length, 5)
    for (let sent = 0; sent < 2; sent++) registry.end(OUTCOME)
    await Promise.all(last)
  })
})
