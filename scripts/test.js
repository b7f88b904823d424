// The whole gate, `npm test`. Each step prints its name and its time; the first one that fails ends the run.
// The last line is `N passed, N failed`: mocha's tests, and every other step as one.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const scratch = mkdtempSync(join(tmpdir(), 'massa-storage-test-'))
const countsFile = join(scratch, 'mocha.json')
const path = [join(root, 'node_modules', '.bin'), process.env.PATH ?? ''].join(delimiter)

/** A step without `needs` always runs; one whose program is missing is skipped by name. */
const STEPS = [
  { name: 'biome', command: ['biome', 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.'] },
  { name: 'tsc', command: ['tsc', '-b'] },
  {
    name: 'mocha',
    // More files at a time than most machines here have cores: half of the tests wait for a child process or the disk.
    command: [
      'mocha',
      ...['--parallel', '--jobs', '3'],
      ...['--reporter', 'scripts/mocha-counts.cjs', '--reporter-option', `counts=${countsFile}`],
    ],
    readCounts: true,
  },
  { name: 'generated docs', command: ['tsx', '-C', 'source', 'scripts/generate-docs.ts', '--check'] },
  {
    name: 'python vectors',
    command: ['python3', 'test/reference/massa_archive.py', 'vectors', 'test/vectors', '--check'],
    needs: 'python3',
  },
  {
    name: 'python messages',
    command: ['python3', 'test/reference/protocol_messages.py', 'test/vectors/protocol', '--check'],
    needs: 'python3',
  },
  {
    name: 'python fixtures',
    command: ['python3', 'test/reference/massa_archive.py', 'selftest', '--fixtures', 'test/fixtures/massa-mainnet'],
    needs: 'python3',
  },
  { name: 'contract format', command: ['as-prettier', '--check', 'massa-storage-sc/assembly'] },
  { name: 'contract as shipped', command: ['node', 'scripts/check-contract.js'] },
  { name: 'contract units', command: ['npm', 'test', '--silent', '--workspace', 'massa-storage-sc'] },
  { name: 'knip', command: ['knip'] },
]

/** Resolves to the exit code; a signal counts as 1. */
function run([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, env: { ...process.env, PATH: path }, stdio: 'inherit' })
    child.once('error', (error) => {
      console.error(`${program}: ${error.message}`)
      resolve(1)
    })
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

function isInstalled(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
}

/** What mocha counted; a run that died before its end is one failure. */
function readMochaCounts(exitCode) {
  try {
    const { passes, failures } = JSON.parse(readFileSync(countsFile, 'utf8'))
    return { passed: passes, failed: exitCode !== 0 && failures === 0 ? 1 : failures }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

let passed = 0
let failed = 0
try {
  for (const { name, command, needs, readCounts } of STEPS) {
    if (needs && !isInstalled(needs)) {
      console.log(`\n== ${name}: skipped, ${needs} is not installed`)
      continue
    }
    console.log(`\n== ${name}`)
    const startedMs = performance.now()
    const exitCode = await run(command)
    const counts = readCounts
      ? readMochaCounts(exitCode)
      : { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1 }
    passed += counts.passed
    failed += counts.failed
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
    console.log(`== ${name}: ${counts.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
    if (counts.failed > 0) break
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
