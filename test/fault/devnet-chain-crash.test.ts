import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { slotIndex, toHex } from '../../core/index.ts'
import { DevnetChain, openStoredChain } from '../../devnet/node/index.ts'
import { reach } from '../devnet/node/chain/made-chain.ts'
import { noise } from '../storage-worker/synthetic-period.ts'
import { TempFolders } from '../storage-worker/temp-store.ts'
import { KILLED_CHAIN, operationAfter } from './devnet-chain-acts.ts'
import { programPath } from './program-path.ts'

const WRITER = programPath('devnet-chain-writer')
/** 100 by hand. */
const ROUNDS = Number(process.env.MASSA_STORAGE_CHAIN_ROUNDS ?? 6)
const ROUND_TIMEOUT_MS = 30_000
const PERIOD = 32

describe('fault: a devnet chain is killed', () => {
  const folders = new TempFolders()
  afterEach(() => folders.clean())

  it(`goes on with the blocks, operations and final state that it showed (${ROUNDS} kills)`, async function () {
    this.timeout(ROUND_TIMEOUT_MS * (ROUNDS + 2))
    const seed = process.env.MASSA_STORAGE_TEST_SEED ?? '1'
    const directory = await folders.make()
    const told = new Told()
    for (let round = 0; round < ROUNDS; round++) {
      const random = noise(`${seed} ${round}`, 2)
      await told.listen(start(directory), 1 + 2 * (random[0] ?? 0) + (random[1] ?? 0) / 8)
    }
    await check(directory, told, `seed ${seed}`)
  })
})

/** What the writers said: never one thing and then another. */
class Told {
  /** Ids of the blocks of a slot, the one on the chain first. */
  readonly blocks = new Map<string, string>()
  readonly included = new Set<string>()
  readonly trails = new Map<number, string>()
  readonly accepted = new Set<string>()

  /** Until the process is dead; kills it after so many lines. */
  async listen(child: ChildProcess, killAfterLines: number): Promise<void> {
    assert.ok(child.stdout)
    const exit = once(child, 'exit')
    let lines = 0
    let lastIndex = -1
    let lastFinal: number | undefined
    for await (const line of createInterface({ input: child.stdout })) {
      const [kind = '', first = '', second = '', third = ''] = line.split(' ')
      if (kind === 'B') {
        const index = Number(first)
        assert(index >= lastIndex)
        const place = index === lastIndex ? `${index} rival` : first
        lastIndex = index
        assert.equal(this.blocks.get(place) ?? second, second, `another block at ${place}`)
        this.blocks.set(place, second)
        for (const id of third.split(',')) this.included.add(id)
      } else if (kind === 'F') {
        const index = Number(first)
        if (lastFinal !== undefined) assert.equal(index, lastFinal + 1)
        lastFinal = index
        assert.equal(this.trails.get(index) ?? second, second, `another state after ${first}`)
        this.trails.set(index, second)
      } else if (kind === 'O') this.accepted.add(first)
      if (++lines >= killAfterLines) child.kill('SIGKILL')
    }
    const [code, signal] = await exit
    assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`)
  }
}

function start(directory: string): ChildProcess {
  return spawn(process.execPath, [WRITER, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** A chain in memory that is never killed makes the same blocks of the same operations, and comes to the same state. */
async function check(directory: string, told: Told, when: string): Promise<void> {
  const stored = await openStoredChain(directory, KILLED_CHAIN)
  try {
    const last = slotIndex(stored.lastSlot)
    for (const place of told.blocks.keys())
      assert(Number(place.split(' ')[0]) <= last, `block ${place} is lost, ${when}`)
    const never = new DevnetChain(KILLED_CHAIN)
    const made = new Map<string, string>()
    const trails = new Map<number, string>()
    never.onBlockReceived(({ slotIndex: index, id, isRival }) => made.set(isRival ? `${index} rival` : `${index}`, id))
    never.onSlotFinal(({ slotIndex: index, executionTrailHash }) => trails.set(index, toHex(executionTrailHash)))
    const wasAccepted = (id: string) => told.accepted.has(id) || told.included.has(id) || stored.operations.has(id)
    for (let index = PERIOD; index <= last; index++) {
      await reach(never, index)
      const operation = operationAfter(never)
      if (operation && wasAccepted(operation.id)) never.accept(operation)
    }
    for (const [place, id] of told.blocks) assert.equal(made.get(place), id, `block ${place}, ${when}`)
    for (const [index, trail] of told.trails) assert.equal(trails.get(index), trail, `trail of ${index}, ${when}`)
    for (const id of told.accepted) {
      assert.deepEqual(stored.findExecution(id), never.findExecution(id), `operation ${id}, ${when}`)
      assert.equal(stored.operations.get(id)?.isPooled, never.operations.get(id)?.isPooled, `operation ${id}, ${when}`)
    }
    for (const [ledger, other] of [
      [stored.finalLedger, never.finalLedger],
      [stored.engine.ledger, never.engine.ledger],
    ] as const) {
      assert.deepEqual([...ledger.addresses()].sort(), [...other.addresses()].sort())
      for (const address of ledger.addresses()) assert.equal(ledger.balance(address), other.balance(address))
    }
    assert(told.accepted.size > ROUNDS && told.trails.size > ROUNDS && made.size > told.trails.size)
  } finally {
    await stored.close()
  }
}
