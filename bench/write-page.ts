import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot } from '../config/index.ts'

const COMMAND = 'npm run docs'

/** First comment of a page that is made from `source`. */
export function makePageNote(source: string): string {
  return `<!-- Generated from ${source} by \`${COMMAND}\`. Do not edit. -->`
}

/** Writes a generated page; with --check it writes nothing, and the exit code is 1 when the page is stale. */
export function writePage(name: string, text: string): void {
  const page = join(findPackageRoot(), name)
  if (readIfPresent(page) === text) console.log('nothing to do')
  else if (process.argv.includes('--check')) {
    console.error(`stale: ${name}; run \`${COMMAND}\``)
    process.exitCode = 1
  } else {
    writeFileSync(page, text)
    console.log(`wrote ${name}`)
  }
}

function readIfPresent(page: string): string | undefined {
  try {
    return readFileSync(page, 'utf8')
  } catch {
    return undefined
  }
}
