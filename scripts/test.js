// The whole gate, `npm test`. Each step prints its name and its time. Linter and compiler run at the same time, and then
// mocha and, one after another, all other steps: most of those keep one core busy. What runs beside another step prints
// when it ends. Nothing begins after a step that failed.
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

/**
 * One stage after another; in each of them its lanes at the same time, in each of these one step after another. A step
 * without `needs` always runs; one whose program is missing is skipped by name.
 */
const STAGES = [
  [
    [
      { name: 'tsc', command: ['tsc', '-b'] },
      { name: 'bundle', command: ['tsx', '-C', 'source', 'scripts/bundle.ts'] },
    ],
    [{ name: 'biome', command: ['biome', 'ci', ...(process.stdout.isTTY ? [] : ['--colors=off']), '.'] }],
  ],
  [
    [
      {
        name: 'mocha',
        // More files at a time than most machines here have cores: half of the tests wait for a child process or the disk.
        command: [
          'mocha',
          ...['--parallel', '--jobs', '4'],
          ...['--reporter', 'scripts/mocha-counts.cjs', '--reporter-option', `counts=${countsFile}`],
        ],
        readCounts: true,
      },
    ],
    [
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
        command: [
          'python3',
          'test/reference/massa_archive.py',
          'selftest',
          '--fixtures',
          'test/fixtures/massa-mainnet',
        ],
        needs: 'python3',
      },
      {
        name: 'python archive file',
        command: [
          ...['python3', 'test/reference/massa_archive.py', 'file'],
          ...['test/fixtures/archive-file/massa-chain77-39-41-0f9c26b9.mhs', '--flips', '300'],
        ],
        needs: 'python3',
      },
      { name: 'contract format', command: ['as-prettier', '--check', 'massa-storage-sc/assembly'] },
      { name: 'contract as shipped', command: ['node', 'scripts/check-contract.js'] },
      { name: 'contract units', command: ['npm', 'test', '--silent', '--workspace', 'massa-storage-sc'] },
      { name: 'knip', command: ['knip'] },
    ],
  ],
]

/** Resolves to the exit code, and to what was printed where that is kept; a signal counts as 1. */
function run([program, ...args], isKept) {
  return new Promise((resolve) => {
    const stdio = isKept ? ['ignore', 'pipe', 'pipe'] : 'inherit'
    const child = spawn(program, args, { cwd: root, env: { ...process.env, PATH: path }, stdio })
    let printed = ''
    for (const output of [child.stdout, child.stderr]) {
      output?.setEncoding('utf8').on('data', (text) => {
        printed += text
      })
    }
    child.once('error', (error) => {
      printed += `${program}: ${error.message}\n`
      if (!isKept) console.error(printed)
      resolve({ exitCode: 1, printed })
    })
    child.once('close', (code) => resolve({ exitCode: code ?? 1, printed }))
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

/** @param isKept - what the step prints comes at its end, in one piece */
async function runStep({ name, command, needs, readCounts }, isKept) {
  if (needs && !isInstalled(needs)) {
    console.log(`\n== ${name}: skipped, ${needs} is not installed`)
    return
  }
  if (!isKept) console.log(`\n== ${name}`)
  const startedMs = performance.now()
  const { exitCode, printed } = await run(command, isKept)
  const counts = readCounts
    ? readMochaCounts(exitCode)
    : { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1 }
  passed += counts.passed
  failed += counts.failed
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1)
  const result = `== ${name}: ${counts.failed === 0 ? 'passed' : 'FAILED'} in ${seconds} s`
  console.log(isKept ? `\n== ${name}\n${printed}${result}` : result)
}

async function runLane(steps, isKept) {
  for (const step of steps) if (failed === 0) await runStep(step, isKept)
}

try {
  for (const lanes of STAGES) await Promise.all(lanes.map((steps, i) => runLane(steps, i > 0)))
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
