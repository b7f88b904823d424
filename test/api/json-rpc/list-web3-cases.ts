import { isDeepStrictEqual } from 'node:util'
import { CASES } from './web3-cases.ts'
import { openWeb3Stage, outcomeOf } from './web3-stage.ts'

/*
 * `npm run web3`: what massa-web3 gives for each case at a node and, at the same moment, at an archive. Of long answers the
 * beginning; ends with 1 where two differ.
 */

const SHOWN_CHARACTERS = 100

const stage = await openWeb3Stage()
let different = 0
try {
  for (const [name, ask] of CASES) {
    const [ofNode, ofArchive] = await Promise.all([
      outcomeOf(ask, stage.atNode, stage.known),
      outcomeOf(ask, stage.atArchive, stage.known),
    ])
    const isEqual = isDeepStrictEqual(ofArchive, ofNode)
    if (!isEqual) different++
    console.log(`${name}: ${isEqual ? 'equal' : 'DIFFERENT'}`)
    console.log(`  node    ${show(ofNode)}`)
    console.log(`  archive ${show(ofArchive)}`)
  }
} finally {
  await stage.close()
}
console.log(`${CASES.length} cases, ${different} different`)
process.exitCode = different === 0 ? 0 : 1

function show(outcome: { value: unknown } | { error: string }): string {
  if ('error' in outcome) return outcome.error
  const text =
    JSON.stringify(outcome.value, (_, value) => (typeof value === 'bigint' ? `${value}n` : value)) ?? 'undefined'
  return text.length <= SHOWN_CHARACTERS ? text : `${text.slice(0, SHOWN_CHARACTERS)}... (${text.length} characters)`
}
