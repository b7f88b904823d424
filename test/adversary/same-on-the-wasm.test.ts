import assert from 'node:assert/strict'
import { keepsOnlyHashes } from './behaviours/keeps-only-hashes.ts'
import { nonsenseChallenger } from './behaviours/nonsense-challenger.ts'
import { passesOnceAndLeaves } from './behaviours/passes-once-and-leaves.ts'
import { ModelChain } from './model-chain.ts'
import { PAGE_RUN } from './play-all.ts'
import { runAdversary } from './run-adversary.ts'
import { WasmChain } from './wasm-chain.ts'

// The rest: `npm run adversaries -- --wasm`.
const CASES = [
  [nonsenseChallenger, 'shipped'],
  [keepsOnlyHashes, 'production'],
  [passesOnceAndLeaves, 'production'],
] as const

describe('adversary: on the shipped wasm', () => {
  for (const [adversary, setting] of CASES) {
    it(`${adversary.name}, ${setting}: the contract pays, takes and returns what the model says, to the nanoMAS`, function () {
      this.timeout(120_000)
      const [onModel, onWasm] = [ModelChain.deploy, WasmChain.deploy].map((makeChain) =>
        runAdversary(adversary, { ...PAGE_RUN, setting, makeChain }),
      )
      assert.deepEqual(onWasm, onModel)
    })
  }
})
