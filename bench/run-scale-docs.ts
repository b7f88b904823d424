// Writes docs/SCALE.md from placement, messages and limits as they are, called for up to 1,000 nodes. With --check it writes
// nothing and exits 1 when the page is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'
import { renderScale } from '../test/sim/scale/render-scale.ts'

const COMMAND = 'npm run docs'
const page = join(findPackageRoot(), 'docs/SCALE.md')

function readIfPresent(): string | undefined {
  try {
    return readFileSync(page, 'utf8')
  } catch {
    return undefined
  }
}

const text = await renderScale(`<!-- Generated from test/sim/scale by \`${COMMAND}\`. Do not edit. -->`, [5, 30, 1_000])
if (readIfPresent() === text) console.log('nothing to do')
else if (process.argv.includes('--check')) {
  console.error(`stale: docs/SCALE.md; run \`${COMMAND}\``)
  process.exitCode = 1
} else {
  writeFileSync(page, text)
  console.log('wrote docs/SCALE.md')
}
