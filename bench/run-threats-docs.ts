// Writes the sections of docs/THREATS.md that tell what adversaries of the registry earn: on the model from playing them, on a
// devnet from what `npm run adversaries:devnet -- --save` measured. With --check it writes nothing and exits 1 when the page is
// stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { renderDevnet } from '../test/adversary/devnet/render.ts'
import { readDevnetResult } from '../test/adversary/devnet/result.ts'
import { ModelChain } from '../test/adversary/model-chain.ts'
import { PAGE_RUN, PAGE_SETTINGS, playAll } from '../test/adversary/play-all.ts'
import { renderAdversaries } from '../test/adversary/render-adversaries.ts'
import { putSection } from '../test/adversary/threats-section.ts'

const COMMAND = 'npm run docs'
const page = join(findPackageRoot(), 'docs/THREATS.md')

const matches = PAGE_SETTINGS.map((setting) => playAll({ ...PAGE_RUN, setting, makeChain: ModelChain.deploy }))
const before = readFileSync(page, 'utf8')
const model = putSection(before, 'adversaries', renderAdversaries(matches, PAGE_RUN.eras))
const after = putSection(model, 'adversaries on a devnet', renderDevnet(readDevnetResult(), matches))
if (after !== before && process.argv.includes('--check')) {
  console.error(`stale: docs/THREATS.md; run \`${COMMAND}\``)
  process.exitCode = 1
} else {
  if (after !== before) writeFileSync(page, after)
  console.log(after === before ? 'nothing to do' : 'wrote docs/THREATS.md')
}
