import { parseArgs } from 'node:util'
import { playChallenges } from './many-challenges.ts'

/*
 * Four nodes challenge each other, on the shipped contract and on the model: `npm run challenges -- --count 1000 --seed 1`.
 * Prints what the chain said to whom; exits with 1 where that is not the truth.
 */

const { values } = parseArgs({
  options: { count: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
})
const startMs = performance.now()
const report = await playChallenges(BigInt(values.seed), Number(values.count))
for (const [what, counts] of [...report.results].sort()) {
  console.log(`${what}: ${[...counts].map(([result, count]) => `${count} ${result}`).join(', ')}`)
}
const { challenges, audits, operations, periods, falseAccepts, falseRejects } = report
const seconds = ((performance.now() - startMs) / 1000).toFixed(0)
console.log(
  `seed ${values.seed}: ${challenges} challenges in ${audits} audits, ${operations} operations by period ${periods}, the invariants ` +
    `hold behind each; ${falseAccepts.length} false accepts, ${falseRejects.length} false rejects; ${seconds} s`,
)
for (const line of [...falseAccepts, ...falseRejects]) console.log(line)
if (falseAccepts.length + falseRejects.length > 0) process.exitCode = 1
