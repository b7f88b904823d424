import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'

const CORE = new URL('../../core/', import.meta.url)

/** What would make a result depend on anything but its arguments, or keep core out of a browser. */
const IMPURE: readonly (readonly [string, RegExp])[] = [
  ['a module of Node', /(?:from|import|require)\s*\(?\s*['"]node:/],
  [
    'a bare module of Node',
    /(?:from|import)\s*\(?\s*['"](?:fs|os|path|crypto|process|child_process|net|worker_threads)['"]/,
  ],
  ['the clock', /\bDate\b|\bperformance\b|\bsetTimeout\b|\bsetInterval\b/],
  ['randomness', /\bMath\.random\b|\bgetRandomValues\b|\brandomBytes\b|\brandomUUID\b/],
  ['the process', /\bprocess\b/],
  ['Buffer', /\bBuffer\b/],
  ['another room', /from '\.\.\/(?:\.\.\/)?(?:archiver|config|telemetry|storage-worker|api|cli|daemon|devnet)\//],
  ['the network', /\bfetch\(|\bWebSocket\b|\bXMLHttpRequest\b/],
]

/** The files that may use Node: what `#crypto`, `#sha256` and `#crc32` resolve to outside a browser. */
const NODE_ONLY = ['crypto-node.ts', 'sha256-node.ts', 'crc32-node.ts']

describe('core', () => {
  const files = readdirSync(CORE, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

  it('has files, and those for Node among them', () => {
    assert(files.length > 20 && NODE_ONLY.every((file) => files.includes(file)))
  })

  for (const file of files) {
    if (NODE_ONLY.includes(file)) continue
    it(`${file} does no I/O, reads no clock, draws no randomness, needs no Node`, () => {
      const code = withoutComments(readFileSync(new URL(file, CORE), 'utf8'))
      for (const [what, pattern] of IMPURE) assert.doesNotMatch(code, pattern, what)
    })
  }

  it('the patterns find what they look for', () => {
    const samples = ["import { x } from 'node:fs'", "import fs from 'fs'", 'Date.now()', 'Math.random()', 'process.env']
    samples.push("Buffer.from('')", "import { x } from '../archiver/index.ts'", "fetch('x')")
    for (const [i, [what, pattern]] of IMPURE.entries()) assert.match(samples[i] ?? '', pattern, what)
  })
})

/** Words in comments and in texts for people are no code. */
function withoutComments(source: string): string {
  return source
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
    .replace(/^\s*(?:when|action):.*$/gm, '')
    .replace(/^\s*(?:when|action):\s*\n.*$/gm, '')
}
