import type { Node } from '../../reference/registry-model/state.ts'
import { Difference } from './difference.ts'
import { checkExits, leaveEverybody } from './drain.ts'
import { drawStart, drawStep } from './generator.ts'
import { SeededRandom } from './random.ts'
import type { Scene } from './scene.ts'
import type { Sequence, Start, Step } from './step.ts'
import { NotDeployed, type Sabotage, type StepResult, World } from './world.ts'

/** How often what was called, and with what result: `accepted`, or the code of the refusal. */
export type Coverage = Map<string, Map<string, number>>

interface Failure {
  readonly sequence: Sequence
  readonly difference: Difference
}

/** Of operations that call the contract, accepted or refused; views, donations and jumps in time come on top. */
const LEAST_CALLS = 50
const MOST_CALLS = 300
/** Nobody can pay for a call any more when it takes so many. */
const MOST_STEPS_PER_CALL = 40
/** With a code that does not compile, every call is refused alike: no more than it takes to be a sequence. */
const STEPS_AFTER_DEATH = 5

/**
 * Draws a sequence and runs it on both sides. Whether every node could leave (invariant 7) is asked after each accepted
 * call, of a copy of the model, whose state and balance were just found equal to the contract's; in the end every node
 * does leave, on both sides. What was refused changed nothing, and time alone keeps nobody: it is passed over.
 */
export function runSeed(
  seed: bigint,
  coverage: Coverage,
  options: { readonly sabotage?: Sabotage } = {},
): { readonly steps: number; readonly calls: number; readonly failure?: Failure } {
  const random = new SeededRandom(seed)
  let start = drawStart(random)
  const steps: Step[] = []
  let calls = 0
  try {
    let world = deploy(start, coverage, options.sabotage)
    while (!world) {
      start = drawStart(random)
      world = deploy(start, coverage, options.sabotage)
    }
    const scene: Scene = {
      random,
      world,
      eras: new Map(),
      lastConfig: undefined,
      lastCode: undefined,
      challengeCount: 0,
      hostility: start.hostility,
    }
    const count = LEAST_CALLS + random.int(MOST_CALLS - LEAST_CALLS + 1)
    const seen = world
    const apply = (step: Step): StepResult => {
      steps.push(step)
      const result = seen.apply(step)
      noteCoverage(coverage, step, result)
      if (step.kind !== 'call') return result
      noteSights(coverage, seen, result)
      if (result.outcome) calls++
      if (result.outcome?.success && seen.model.isAlive) {
        checkExits(seen)
        note(coverage, 'exits', 'checked')
      }
      return result
    }
    for (let i = 0; calls < count && world.model.isAlive; i++) {
      if (i > count * MOST_STEPS_PER_CALL) throw new RangeError(`${calls} calls in ${i} steps`)
      apply(drawStep(scene))
    }
    if (world.model.isAlive) leaveEverybody(world, apply)
    else for (let i = 0; i < STEPS_AFTER_DEATH || calls < LEAST_CALLS; i++) apply(drawStep(scene))
    world.compareLedger()
    return { steps: steps.length, calls }
  } catch (error) {
    const difference =
      error instanceof Difference
        ? error
        : new Difference('crash', String(error instanceof Error ? error.stack : error))
    return { steps: steps.length, calls, failure: { sequence: { start, steps }, difference } }
  }
}

function deploy(start: Start, coverage: Coverage, sabotage: Sabotage | undefined): World | undefined {
  try {
    const world = new World(start, sabotage)
    note(coverage, 'constructor', 'accepted')
    return world
  } catch (error) {
    if (!(error instanceof NotDeployed)) throw error
    note(coverage, 'constructor', error.code)
    return undefined
  }
}

/** The difference that a sequence shows, if any. */
export function replay({ start, steps }: Sequence, sabotage?: Sabotage): Difference | undefined {
  try {
    const world = new World(start, sabotage)
    for (const step of steps) world.apply(step)
    if (world.model.isAlive) checkExits(world)
    world.compareLedger()
    return undefined
  } catch (error) {
    if (error instanceof Difference) return error
    if (error instanceof NotDeployed) return undefined
    return new Difference('crash', String(error instanceof Error ? error.stack : error))
  }
}

function noteCoverage(coverage: Coverage, step: Step, { outcome }: StepResult): void {
  if (!outcome || (step.kind !== 'call' && step.kind !== 'read')) return
  note(coverage, step.functionName, outcome.success ? 'accepted' : (outcome.code ?? 'no module'))
}

/** Where rare things are: a slice that never comes there tests nothing of it. */
function noteSights(coverage: Coverage, { model }: World, { outcome }: StepResult): void {
  if (!outcome?.success) return
  note(coverage, 'exits', model.isAlive ? 'to be checked' : 'of dead code')
  for (const event of outcome.events) {
    const [name = '', fields = ''] = event.split(':')
    const reason = name === 'CHALLENGE_FAILED' ? ` ${fields.split(',').at(-1)}` : ''
    note(coverage, 'events', name + reason)
    if (name === 'AUDIT_CLOSED') {
      const [, , total, vested, returned] = fields.split(',')
      const money = `${vested === '0' ? '' : ' vested'}${returned === '0' ? '' : ' returned'}`
      note(coverage, 'audits closed', total === '0' ? `all void${money}` : `judged${money}`)
    }
  }
  const { state } = model
  const sights: Readonly<Record<string, boolean>> = {
    'anchors required, weight': state.config.requireAnchors === 1n && state.weight > 0n,
    'anchors required, index moves': state.config.requireAnchors === 1n && state.index > 0n,
    'anchors required, open challenge':
      state.config.requireAnchors === 1n && state.nodes.some((n) => n.openChallenges > 0n),
    'weight below allocation': state.nodes.some((node) => node.weightGb > 0n && node.weightGb < node.allocatedGb),
    'weight waits above zero': state.nodes.some((node) => node.weightGb > 0n && node.nextWeightGb > 0n),
    'replicas above 1': state.eraReplicas > 1n,
    'pool short': state.shortSince,
    remainder: state.indexRemainder > 0n,
    strikes: state.nodes.some((node) => node.strikePoints > 0n),
    'leaving with a challenge open': state.nodes.some((node) => node.leaving && node.openChallenges > 0n),
    'under audit with money': state.nodes.some((node) => node.underAudit > 0n),
    'vote open': state.votes.size > 0,
    switched: state.switched !== undefined,
    'switched, records of before': state.switched !== undefined && state.records.some((node) => isOfBefore(node)),
    'switched, money of before':
      state.switched !== undefined && state.nodes.some((n) => n.rules === 0n && n.unvested > 0n),
    'switched, weight': state.switched !== undefined && state.weight > 0n,
    'switched, index moves': state.switched !== undefined && state.index > state.switched.index,
    'vote without a moved node': state.nodes.some(
      (node) => state.totalVotes.era > 0n && node.movedEra === state.sampledEra && node.vote.value > 0n,
    ),
    'profile of two eras': [...state.metadata.values()].some(({ previous }) => previous.endpoint !== ''),
    'six nodes': state.nodes.length >= 6,
    'owed above 10^16': state.owed > 10n ** 16n,
  }
  for (const [name, isSo] of Object.entries(sights)) if (isSo) note(coverage, 'calls that leave', name)
}

/** Not yet read by a call that writes since. */
function isOfBefore({ rules, weightGb }: Node): boolean {
  return rules === 0n && weightGb > 0n
}

function note(coverage: Coverage, functionName: string, result: string): void {
  const counts = coverage.get(functionName) ?? new Map<string, number>()
  counts.set(result, (counts.get(result) ?? 0) + 1)
  coverage.set(functionName, counts)
}
