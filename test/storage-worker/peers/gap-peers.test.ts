import assert from 'node:assert/strict'
import { ArchiveError, formatBlockId } from '../../../core/index.ts'
import { GapFiller, type GapPeer } from '../../../storage-worker/peers/gap-filler.ts'
import type { PeerClient } from '../../../storage-worker/peers/peer-client.ts'
import { AutoClock } from '../../clocks.ts'

const TIMEOUT_MS = 30_000
const DAY_MS = 86_400_000
const STRANGERS = 22
const LOOK_MS = 300_000

describe('storage-worker/peers: whom a gap filler asks first', () => {
  const idOf = (n: number) => formatBlockId(Uint8Array.of(0, ...new Array(32).fill(n)))
  const peer = (name: string, isRegistered = false): GapPeer => ({ peer: name, firstPeriod: 0, isRegistered })
  const silent = Array.from({ length: STRANGERS }, (_, i) => peer(`silent ${i}`))

  /** A chain of five blocks that lack, newest first. @param answersMs of each peer that gives them; the others say nothing */
  function open(peers: readonly GapPeer[], answersMs: Record<string, number>) {
    const clock = new AutoClock()
    const beganMs = clock.monotonicMs()
    const asked: string[] = []
    /** Seconds after which each block was here. */
    const came: number[] = []
    const left = [5, 4, 3, 2, 1]
    let underWay = 0
    let mostUnderWay = 0
    const fetchBlocks = async (name: string, wanted: readonly unknown[]) => {
      asked.push(name)
      mostUnderWay = Math.max(mostUnderWay, ++underWay)
      const answerMs = answersMs[name]
      await clock.sleep(answerMs ?? TIMEOUT_MS)
      underWay--
      if (answerMs === undefined) throw new ArchiveError('PROTOCOL_PEER_UNREACHABLE', 'silent')
      return wanted.map(() => new Uint8Array(1))
    }
    const filler = new GapFiller(
      { network: { chainId: 77n, genesisTimestampMs: 0n } },
      {
        client: { fetchBlocks } as unknown as PeerClient,
        ports: {
          listGaps: () => left.slice(0, 1).map((n) => ({ thread: 0, childPeriod: 10 + n, missing: idOf(n) })),
          listPeers: () => peers,
          takeBlock: async (id) => {
            if (id !== idOf(left[0] ?? 0)) return 'left'
            left.shift()
            came.push((clock.monotonicMs() - beganMs) / 1_000)
            return 'taken'
          },
          onWrong: () => undefined,
        },
        clock,
        onFailure: () => undefined,
      },
    )
    const look = async (durationMs: number): Promise<void> => {
      while (left.length > 0 && clock.monotonicMs() - beganMs < durationMs) {
        await filler.fill()
        await clock.sleep(LOOK_MS)
      }
    }
    return { filler, asked, came, look, mostUnderWay: () => mostUnderWay }
  }
  const timesOf = (asked: readonly string[], name: string): number => asked.filter((one) => one === name).length

  it('hostile peer: 22 silent strangers cost one time-out each, some at a time, before an honest one is asked', async () => {
    const { filler, asked, came, mostUnderWay } = open([...silent, peer('honest')], { honest: 50 })
    assert.equal(await filler.fill(), 5)
    // Three at a time: the honest one is the second of the eighth three, which begin two seconds apart.
    assert.deepEqual(came, [212.05, 212.1, 212.15, 212.2, 212.25])
    assert.deepEqual(
      silent.filter(({ peer }) => timesOf(asked, peer) !== 1),
      [],
    )
    assert.equal(mostUnderWay(), 3)
  })

  it('hostile peer: what nobody gives is asked of silent strangers ever more seldom, up to once an hour', async () => {
    const { asked, look } = open(silent.slice(0, 3), {})
    await look(DAY_MS)
    for (const { peer } of silent.slice(0, 3)) assert.ok(timesOf(asked, peer) <= 32, `${timesOf(asked, peer)}`)
    assert.ok(asked.length >= 3 * 20)
  })

  it('one of the registry is asked before strangers; one that gave is asked before others', async () => {
    const { filler, asked } = open([...silent, peer('registered', true)], { registered: 50 })
    assert.equal(await filler.fill(), 5)
    assert.deepEqual(asked, new Array(5).fill('registered'))
    const silentOnes = silent.map((one) => ({ ...one, isRegistered: true }))
    const other = open([...silentOnes, peer('stranger')], { stranger: 50 })
    assert.equal(await other.filler.fill(), 5)
    assert.equal(timesOf(other.asked, 'stranger'), 5)
    assert.equal(other.asked.length, STRANGERS + 5)
  })

  it('of what does not come within two seconds another is asked, and next time first', async () => {
    const { filler, asked, came } = open([peer('slow', true), peer('fast', true)], { slow: 29_000, fast: 50 })
    assert.equal(await filler.fill(), 5)
    assert.deepEqual(came, [2.05, 2.1, 2.15, 2.2, 2.25])
    assert.deepEqual(asked, ['slow', ...new Array(5).fill('fast')])
  })
})
