import { parseArgs } from 'node:util'
import { ADVERSARIES } from './adversaries.ts'
import { ModelChain } from './model-chain.ts'
import { listSurprises, PAGE_RUN, PAGE_SETTINGS, playAll } from './play-all.ts'
import { renderMatch } from './render-adversaries.ts'
import { WasmChain } from './wasm-chain.ts'

/*
 * Longer runs: `npm run adversaries -- --eras 200 --seed 7` plays so many eras with these draws, `--seeds 20` those of 20
 * seeds, `--wasm` on the shipped contract itself, `--only TEXT` the adversaries whose name has it. Prints tables, and what is not
 * as the tests expect it of 20 eras; then it exits with 1.
 */

const { values } = parseArgs({
  options: {
    eras: { type: 'string', default: String(PAGE_RUN.eras) },
    seed: { type: 'string', default: String(PAGE_RUN.seed) },
    seeds: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    wasm: { type: 'boolean', default: false },
  },
})

const first = Number(values.seed)
const adversaries = ADVERSARIES.filter(({ name }) => name.includes(values.only))
for (let seed = first; seed < first + Number(values.seeds); seed++) {
  for (const setting of PAGE_SETTINGS) {
    const makeChain = values.wasm ? WasmChain.deploy : ModelChain.deploy
    const match = playAll({ setting, seed, eras: Number(values.eras), makeChain }, adversaries)
    console.log([`seed ${seed}, ${setting}`, '', ...renderMatch(match, Number(values.eras)), ''].join('\n'))
    for (const surprise of match.rows.flatMap(listSurprises)) {
      console.log(surprise)
      process.exitCode = 1
    }
  }
}
