import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findMissingLines, type PageStep, readPageSteps } from './walkthrough-page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Of a part: it takes two or three minutes where nothing else runs. */
const LIMIT_MS = 900_000
const MARK = '@@ step'
/** Blocks that cost little: nothing on the page is about them. */
const CHEAP = '--node-option=--endorsements 0'

/** docs/WALKTHROUGH.md, played by bash as a reader would, each part in a network of three sidecars. */
describe('e2e/walkthrough', () => {
  const [first = '', second = ''] = readFileSync(join(root, 'docs/WALKTHROUGH.md'), 'utf8').split(
    /^(?=# With anchors)/m,
  )

  describe('as the seed has it', function () {
    this.timeout(LIMIT_MS)
    const printed = playPart(first, 'walk')

    it('is paid what it says: the reward of each period, less the fee', () => {
      const pending = Number(/pending_rewards=(\d+)/.exec(printed('get_node_info'))?.[1])
      assert.ok(pending > 0 && pending % 1_000_000 === 0, `${pending} nanoMAS for whole periods`)
      const claimed = printed('rewards claim')
      assert.ok(readNanoMas(claimed, 'rewards') >= BigInt(pending), claimed)
      assert.equal(readNanoMas(claimed, 'rewards') % 1_000_000n, 0n)
      checkBalance(claimed)
    })
  })

  describe('with anchors from the first era on', function () {
    this.timeout(LIMIT_MS)
    const printed = playPart(second, 'anchored')

    it('is paid by the utilisation that is explained, which is below 1, to the nanoMAS', () => {
      const explained = printed('rewards explain')
      const audits = [
        ...explained.matchAll(/ (\d+) periods x (\d+) nanoMAS x utilisation (\S+) x (\d+)\/\4 passed = (\d+)$/gm),
      ]
      let sum = 0n
      for (const [line, periods = '', rate = '', utilisation = '', , vested = ''] of audits) {
        const [part = '', whole = '1'] = utilisation.split('/')
        assert.ok(Number(part) < Number(whole), line)
        const full = Number(periods) * Number(rate)
        assert.ok(Math.abs((full * Number(part)) / Number(whole) - Number(vested)) < 1, line)
        sum += BigInt(vested)
      }
      assert.ok(sum > 0n, explained)
      const claimed = printed('rewards claim')
      assert.equal(readNanoMas(claimed, 'rewards'), sum, `${explained}\n${claimed}`)
      checkBalance(claimed)
    })
  })
})

/** Declares a test for each command. @returns what the first one with such a part printed */
function playPart(page: string, network: string): (part: string) => string {
  const steps = readPageSteps(page)
  let dir: string
  let outputs: string[]

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'massa-storage-walkthrough-'))
    const bin = join(dir, 'bin')
    mkdirSync(bin)
    for (const name of ['massa-storage', 'massa-cli']) {
      const file = join(bin, name)
      const command = `exec "${process.execPath}" "${join(root, 'bin', name)}.js" "$@"`
      writeFileSync(file, `#!/bin/sh\n[ "$1 $2" = "devnet up" ] && set -- "$@" '${CHEAP}'\n${command}\n`)
      chmodSync(file, 0o755)
    }
    outputs = await play(steps, { dir, bin, network })
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  for (const [i, { command, expected }] of steps.entries()) {
    it(`$ ${command.slice(0, 90)}`, () => {
      const output = outputs[i]
      assert.ok(output !== undefined, `the page ended before; the last output was ${outputs.at(-1)}`)
      assert.deepEqual(findMissingLines(output, expected), [], output)
    })
  }
  return (part) => outputs[steps.findIndex(({ command }) => command.includes(part))] ?? ''
}

/** What each command printed. However the page ends, so does the network. */
async function play(
  steps: readonly PageStep[],
  { dir, bin, network }: { readonly dir: string; readonly bin: string; readonly network: string },
): Promise<string[]> {
  const script = [
    'exec 2>&1',
    `trap 'massa-storage devnet down --data-dir ${network} > /dev/null' EXIT`,
    ...steps.map(({ command }, i) => `echo "${MARK} ${i}"\n${command}`),
    'wait',
  ]
  const { MASSA_STORAGE_PASSWORD: _, ...env } = process.env
  const path = [bin, env.PATH ?? ''].join(delimiter)
  const bash = spawn('bash', ['-c', script.join('\n')], { cwd: dir, env: { ...env, PATH: path, NO_COLOR: '1' } })
  const limit = setTimeout(() => bash.kill('SIGTERM'), LIMIT_MS - 30_000)
  let text = ''
  bash.stdout.on('data', (part) => {
    text += part
  })
  await new Promise((resolve) => bash.once('close', resolve))
  clearTimeout(limit)
  return text.split(new RegExp(`^${MARK} \\d+\\n`, 'm')).slice(1)
}

/** Of a row of `rewards claim`. */
function readNanoMas(claimed: string, row: string): bigint {
  return BigInt(Math.round(Number(new RegExp(`^${row}[ +-]+([\\d.]+) MAS`, 'm').exec(claimed)?.[1]) * 1e9))
}

/** What else was sent meanwhile, such as a proof, is said. */
function checkBalance(claimed: string): void {
  const nanoMas = (row: string) => readNanoMas(claimed, row)
  const rest = nanoMas('balance now') - nanoMas('balance before') - nanoMas('rewards') + nanoMas('fee')
  assert.ok(rest === 0n || claimed.includes('Something else came or went meanwhile.'), claimed)
}
