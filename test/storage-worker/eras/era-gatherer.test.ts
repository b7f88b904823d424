import assert from 'node:assert/strict'
import { ArchiveError, computeEraText, type EraStatement, verifyText } from '../../../core/index.ts'
import {
  EraGatherer,
  FAILED_AGAIN_MS,
  OPEN_ERAS,
  SAID_AGAIN_MS,
  SILENT_AGAIN_MS,
} from '../../../storage-worker/eras/era-gatherer.ts'
import type { SignedEra } from '../../../storage-worker/peers/own-eras.ts'
import type { Fetched, SaidEra } from '../../../storage-worker/peers/peer-client.ts'
import { createLogger } from '../../../telemetry/index.ts'
import { SetClock } from '../../devnet/set-clock.ts'
import { userOf } from '../../sc/registry-world.ts'
import { NETWORK, REGISTRY } from '../placement/made-registry.ts'
import { saidBy, signatureOf } from './said-eras.ts'

const ERA = 7
const OWN = 0

function truthOf(era: number): EraStatement {
  const root = new Uint8Array(32).fill(era)
  const said = { era, eraRoot: root, totalBytes: 1_000n, totalChunks: 128n, nextPlacementRoot: root }
  return { chainId: NETWORK.chainId, contract: REGISTRY, ...said }
}

const TRUTH = truthOf(ERA)
const LIE: EraStatement = { ...TRUTH, eraRoot: new Uint8Array(32).fill(0xee) }

/** Nodes are users of the tests of the contract, by number; the PeerId of 3 is `peer 3`. */
class World {
  readonly clock = new SetClock()
  nodes = [0, 1, 2, 3, 4, 5, 6, 7, 8]
  connected = [1]
  readonly placement = { inForce: { era: ERA + 1 }, isCurrent: true }
  readonly anchored = new Set<number>(Array.from({ length: ERA }, (_, era) => era))
  readonly answers = new Map<number, (era: number) => Fetched<SaidEra>>()
  sign = async (era: number): Promise<SignedEra | undefined> => {
    const signed = this.signed.get(era) ?? { statement: truthOf(era), signature: signatureOf(OWN, truthOf(era)) }
    this.signed.set(era, signed)
    return signed
  }
  readonly signed = new Map<number, SignedEra>()
  readonly asked: string[] = []
  readonly wrong: string[] = []
  readonly logged: Record<string, unknown>[] = []
  readonly gatherer = new EraGatherer(
    { network: NETWORK, registry: REGISTRY, ownAddress: userOf(OWN).address },
    {
      own: { sign: (era) => this.sign(era) },
      client: {
        fetchEra: async (peer, { chainId, contract, era, address }) => {
          const number = Number(peer.slice(5))
          assert.deepEqual([address, chainId, contract], [userOf(number).address, NETWORK.chainId, REGISTRY])
          this.asked.push(`${number} of ${era}`)
          return (this.answers.get(number) ?? ((of) => ({ status: 'ok', value: saidBy(number, truthOf(of)) })))(era)
        },
      },
      placement: this.placement,
      anchors: { isAnchored: (era) => this.anchored.has(era) },
      ports: {
        listPeers: () => this.connected.map((number) => ({ peer: `peer ${number}`, address: userOf(number).address })),
        isNode: (address) => this.nodes.some((number) => userOf(number).address === address),
        onWrong: (peer) => this.wrong.push(peer),
      },
      clock: this.clock,
      log: createLogger({
        level: 'info',
        format: 'json',
        destination: { write: (text) => this.logged.push(JSON.parse(text)) },
      }),
    },
  )

  says(number: number, value: SaidEra): void {
    this.answers.set(number, () => ({ status: 'ok', value }))
  }

  async look(): Promise<string[]> {
    await this.gatherer.look()
    return this.asked.splice(0)
  }

  /** Numbers of those whose signature is here; each verifies. */
  signers(era = ERA): number[] {
    const open = this.gatherer.listOpen().find((each) => each.era === era)
    return [...(open?.signatures ?? [])].map(([address, signature]) => {
      assert.ok(open && verifyText(computeEraText(open.statement), signature))
      return this.nodes.findIndex((number) => userOf(number).address === address)
    })
  }

  differing(): number[] {
    const [open] = this.gatherer.listOpen()
    return this.nodes.filter((number) => open?.differing.has(userOf(number).address))
  }
}

describe('storage-worker/eras/era-gatherer', () => {
  let world: World
  beforeEach(() => {
    world = new World()
  })

  it('asks each connected node of the registry about an era that is over, and keeps who says the same', async () => {
    world.connected = [OWN, 1, 30, 2]
    assert.deepEqual(await world.look(), ['1 of 7', '2 of 7'])
    assert.deepEqual(world.signers(), [0, 1, 2])
    assert.deepEqual(world.gatherer.listOpen()[0]?.statement, TRUTH)
    assert.deepEqual(await world.look(), [])
    // By then it has heard of others, too.
    world.clock.timeMs += SAID_AGAIN_MS
    world.says(1, saidBy(1, TRUTH, [3, 4]))
    assert.deepEqual(await world.look(), ['1 of 7', '2 of 7'])
    assert.deepEqual(world.signers(), [0, 1, 2, 3, 4])
  })

  it('limit: four are asked at a time; who is silent, busy or has it not is asked again after two periods', async () => {
    world.connected = [1, 2, 3, 4, 5]
    world.answers.set(1, () => ({ status: 'notHeld' }))
    world.answers.set(2, () => ({ status: 'busy' }))
    world.answers.set(3, () => {
      throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'away')
    })
    assert.deepEqual(await world.look(), ['1 of 7', '2 of 7', '3 of 7', '4 of 7'])
    assert.deepEqual(await world.look(), ['5 of 7'])
    assert.deepEqual(world.signers(), [0, 4, 5])
    world.clock.timeMs += SILENT_AGAIN_MS
    assert.deepEqual(await world.look(), ['1 of 7', '2 of 7', '3 of 7'])
    assert.deepEqual(world.wrong, [])
  })

  it('another root: no signature of it is kept, and it is known who says so, until it says the same', async () => {
    world.connected = [1, 2]
    world.says(2, saidBy(2, LIE, [3, 4]))
    await world.look()
    assert.deepEqual([world.signers(), world.differing(), world.wrong], [[0, 1], [2], []])
    world.answers.delete(2)
    world.clock.timeMs += SAID_AGAIN_MS
    await world.look()
    assert.deepEqual([world.signers(), world.differing()], [[0, 1, 2], []])
  })

  it('lying peer: a signature of another text under the name of a node counts nothing, nor what follows it, and costs', async () => {
    const said = saidBy(1, TRUTH, [2, 3, 4])
    const forged = { address: userOf(3).address, signature: signatureOf(3, LIE) }
    world.says(1, { ...said, others: said.others.map((other, i) => (i === 1 ? forged : other)) })
    await world.look()
    assert.deepEqual([world.signers(), world.wrong], [[0, 1, 2], ['peer 1']])
  })

  it('limit: signatures of strangers are not kept, those of nodes that left go; of each node there is one', async () => {
    world.says(1, saidBy(1, TRUTH, [31, 2, 32]))
    world.connected = [1, 2]
    await world.look()
    assert.deepEqual(world.signers(), [0, 1, 2])
    world.nodes = [0, 2]
    world.connected = []
    await world.look()
    assert.deepEqual(world.gatherer.listOpen()[0]?.signatures.size, 2)
  })

  it('hands on what others signed, a part at a time, each of them in turn, never its own twice', async () => {
    world.connected = [1, 2, 3, 4]
    await world.look()
    const list = (limit: number) =>
      world.gatherer
        .listOthers(ERA, limit)
        .map((signature) => [1, 2, 3, 4].find((number) => verifyIs(signature, number)) ?? 0)
    assert.deepEqual(
      [list(3), list(3), list(9)],
      [
        [1, 2, 3],
        [4, 1, 2],
        [3, 4, 1, 2],
      ],
    )
    assert.deepEqual(world.gatherer.listOthers(ERA + 1, 9), [])
  })

  it('an era that is anchored is done with; one that stayed open is asked for in the next ones, for four of them', async () => {
    world.anchored.delete(ERA - OPEN_ERAS)
    world.anchored.delete(ERA - OPEN_ERAS + 1)
    const eras = () => world.gatherer.listOpen().map(({ era }) => era)
    await world.look()
    assert.deepEqual(eras(), [ERA - OPEN_ERAS + 1, ERA])
    world.placement.inForce = { era: ERA + 2 }
    world.anchored.add(ERA)
    assert.deepEqual(await world.look(), ['1 of 8'])
    assert.deepEqual(eras(), [ERA + 1])
  })

  it('what is said of an era anew, since a period of it was mended, is asked for anew', async () => {
    world.signed.set(ERA, { statement: LIE, signature: signatureOf(OWN, LIE) })
    await world.look()
    assert.deepEqual([world.signers(), world.differing()], [[0], [1]])
    world.signed.delete(ERA)
    assert.deepEqual(await world.look(), ['1 of 7'])
    assert.deepEqual([world.signers(), world.differing()], [[0, 1], []])
  })

  it('nothing is asked while no placement is in force, it is out of date, or the era is not complete here', async () => {
    const { sign } = world
    world.sign = async () => undefined
    assert.deepEqual(await world.look(), [])
    world.sign = sign
    world.placement.isCurrent = false
    assert.deepEqual(await world.look(), [])
    world.placement.isCurrent = true
    assert.deepEqual(await world.look(), ['1 of 7'])
  })

  it('error: a damaged period of the era is told of once, and tried again after a minute', async () => {
    const { sign } = world
    let tries = 0
    world.sign = async () => {
      tries++
      throw new ArchiveError('STORE_VALUE_CORRUPT', 'made', { period: 900 })
    }
    for (let i = 0; i < 3; i++) await world.look()
    assert.equal(tries, 1)
    world.clock.timeMs += FAILED_AGAIN_MS
    await world.look()
    assert.equal(tries, 2)
    assert.deepEqual(
      world.logged.map(({ level, era, code }) => [level, era, code]),
      [['warn', ERA, 'STORE_VALUE_CORRUPT']],
    )
    world.sign = sign
    world.clock.timeMs += FAILED_AGAIN_MS
    assert.deepEqual(await world.look(), ['1 of 7'])
  })
})

function verifyIs(signature: ReturnType<typeof signatureOf>, number: number): boolean {
  return Buffer.compare(signature.publicKey, signatureOf(number, TRUTH).publicKey) === 0
}
