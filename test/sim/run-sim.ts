import { parseArgs } from 'node:util'
import { MUTANTS } from './mutants.ts'
import { type SimulationReport, simulate } from './simulation.ts'

/*
 * Runs simulations: `npm run sim -- --seeds 1000` those of seeds 1 to 1000, `--seed 7` one and what it did, with
 * `--trace` each line of it. `--mutant NAME` breaks something that the rooms do before.
 */

const { values } = parseArgs({
  options: {
    seeds: { type: 'string' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    nodes: { type: 'string' },
    mutant: { type: 'string' },
    trace: { type: 'boolean', default: false },
  },
})

if (values.mutant !== undefined) breakRooms(values.mutant)
const nodes = values.nodes === undefined ? {} : { nodes: parseCount('nodes', values.nodes) }

if (values.seed !== undefined) {
  const onTrace = (atMs: number, line: string): void => console.log(`${atMs} ${line}`)
  const report = await simulate({ seed: parseCount('seed', values.seed), ...nodes, ...(values.trace && { onTrace }) })
  console.log(JSON.stringify(report, undefined, 2))
} else {
  await runMany(parseCount('from', values.from), parseCount('seeds', values.seeds ?? '20'))
}

function parseCount(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`--${name} is a whole number from 1 on, not '${text}'`)
  return Number(text)
}

function breakRooms(name: string): void {
  const mutate = MUTANTS[name]
  if (!mutate) throw new Error(`there is no mutant '${name}', but ${Object.keys(MUTANTS).join(', ')}`)
  mutate()
}

async function runMany(from: number, count: number): Promise<void> {
  const failed: number[] = []
  for (let seed = from; seed < from + count; seed++) {
    const before = process.cpuUsage()
    try {
      const report = await simulate({ seed, ...nodes })
      console.log(describe(report, cpuMsSince(before)))
    } catch (error) {
      failed.push(seed)
      console.log(error instanceof Error ? error.message : error)
    }
  }
  console.log(
    `${count - failed.length} passed, ${failed.length} failed${failed.length > 0 ? `: ${failed.join()}` : ''}`,
  )
  if (failed.length > 0) process.exitCode = 1
}

function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function describe(report: SimulationReport, cpuMs: number): string {
  const { seed, nodes, rogues, archives, letGo, periods, events, checks, traceHash } = report
  const faults = Object.entries(report.faults).map(([kind, count]) => `${count} ${kind}`)
  return [
    `seed ${seed}: ${nodes} nodes, ${archives} archives, ${rogues.join('+') || 'no'} rogues, ${periods} periods`,
    `faults: ${faults.join(' ') || 'none'}, ${letGo} chunks let go, ${events} events, ${checks} checks, ${Math.round(cpuMs)} ms of CPU, trace ${traceHash}`,
  ].join(', ')
}
