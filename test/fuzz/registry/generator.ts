import { slotIndex, slotOfIndex } from '../../../core/index.ts'
import { ArgsWriter } from '../../reference/args-writer.ts'
import { type Config, writeConfig } from '../../reference/registry-model/config.ts'
import { actors } from './actors.ts'
import { changeConfig, drawConfig } from './draw-config.ts'
import { adminMoves } from './moves-admin.ts'
import { auditMoves } from './moves-audit.ts'
import { eraMoves } from './moves-era.ts'
import { nodeMoves } from './moves-node.ts'
import { readMoves } from './moves-read.ts'
import { timeMoves } from './moves-time.ts'
import type { SeededRandom } from './random.ts'
import type { Move, Scene } from './scene.ts'
import type { CallStep, Start, Step } from './step.ts'

const MOST_TRIES = 50
/** Bytes of a call that are spoilt: everything must be refused or understood alike. */
const SPOILT = 0.03
/** Length of the code and the header that every code has. */
const CODE_START_BYTES = 12

const MOVES: readonly (readonly [weight: number, move: Move])[] = [
  ...nodeMoves,
  ...auditMoves,
  ...eraMoves,
  ...adminMoves,
  ...timeMoves,
  ...readMoves,
]

export function drawStart(random: SeededRandom): Start & { readonly hostility: number } {
  const config: Config = random.chance(0.05) ? changeConfig(random, drawConfig(random)) : drawConfig(random)
  const fields = random.chance(0.8) ? 22 : 6 + random.int(17)
  const admin = random.chance(0.02) ? random.pick(['', 'nobody', 'AU12']) : (actors[0]?.address ?? '')
  return {
    slot: slotOfIndex(
      random.pickWeighted([
        [3, random.int(32 * 300)],
        [3, 32 * 128 * (1 + random.int(5)) - 1 + random.int(3)],
        [1, 32 * (100_000 + random.int(1_000_000))],
      ]),
    ),
    genesisTimestampMs: random.pick([0n, 1_795_246_964_000n]),
    balanceNanoMas: random.pickWeighted([
      [3, 10n ** 16n],
      [1, 10n ** 17n],
    ]),
    deployCoinsNanoMas: random.chance(0.03) ? random.between(0n, 10n ** 8n) : 10n ** 9n,
    parameter: writeConfig(new ArgsWriter().string(admin), config, fields).finish(),
    hostility: random.pick([0.05, 0.1, 0.25]),
  }
}

export function drawStep(scene: Scene): Step {
  const { random } = scene
  for (let i = 0; i < MOST_TRIES; i++) {
    const step = random.pickWeighted(MOVES)(scene)
    if (step) return step.kind === 'call' && random.chance(SPOILT) ? spoil(random, step) : step
  }
  return { kind: 'slot', slot: slotOfIndex(slotIndex(scene.world.slot) + 1) }
}

function spoil(random: SeededRandom, step: CallStep): CallStep {
  const bytes = step.parameter
  // Another byte of the code would make a contract that the model knows nothing of.
  const spoilable = step.functionName === 'upgrade' ? Math.min(bytes.length, CODE_START_BYTES) : bytes.length
  const spoilt = random.pickWeighted<() => Uint8Array>([
    [1, () => new Uint8Array()],
    [2, () => bytes.slice(0, random.int(bytes.length + 1))],
    [2, () => Buffer.concat([bytes, random.bytes(1 + random.int(3))])],
    [
      3,
      () => {
        const copy = Uint8Array.from(bytes)
        if (spoilable > 0) copy[random.int(spoilable)] = random.int(256)
        return copy
      },
    ],
    [1, () => Buffer.concat([bytes, new Uint8Array(8)])],
  ])()
  return { ...step, parameter: Uint8Array.from(spoilt) }
}
