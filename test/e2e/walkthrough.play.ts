import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findMissingLines, readPageSteps } from './walkthrough-page.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const LIMIT_MS = 400_000
const MARK = '@@ step'
/** Blocks that cost little: nothing on the page is about them. */
const CHEAP = '--node-option=--endorsements 0'

/** docs/WALKTHROUGH.md, played by bash as a reader would, in one network of three sidecars. */
describe('e2e/walkthrough', function () {
  this.timeout(LIMIT_MS)
  const steps = readPageSteps(readFileSync(join(root, 'docs/WALKTHROUGH.md'), 'utf8'))
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
    outputs = await play(bin)
  })

  after(() => rmSync(dir, { recursive: true, force: true }))

  /** What each command printed. However the page ends, so does the network. */
  async function play(bin: string): Promise<string[]> {
    const script = [
      'exec 2>&1',
      "trap 'massa-storage devnet down --data-dir walk > /dev/null' EXIT",
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

  for (const [i, { command, expected }] of steps.entries()) {
    it(`$ ${command.slice(0, 90)}`, () => {
      const output = outputs[i]
      assert.ok(output !== undefined, `the page ended before; the last output was ${outputs.at(-1)}`)
      assert.deepEqual(findMissingLines(output, expected), [], output)
    })
  }

  it('is paid what it says: the reward of each period, less the fee', () => {
    const printed = (part: string) => outputs[steps.findIndex(({ command }) => command.includes(part))] ?? ''
    const pending = Number(/pending_rewards=(\d+)/.exec(printed('get_node_info'))?.[1])
    assert.ok(pending > 0 && pending % 1_000_000 === 0, `${pending} nanoMAS for whole periods`)
    const claimed = printed('rewards claim')
    const masOf = (row: string) =>
      BigInt(Math.round(Number(new RegExp(`^${row}[ +-]+([\\d.]+) MAS`, 'm').exec(claimed)?.[1]) * 1e9))
    assert.ok(masOf('rewards') >= BigInt(pending), claimed)
    assert.equal(masOf('rewards') % 1_000_000n, 0n)
    // What else was sent meanwhile, such as a proof, is said.
    const rest = masOf('balance now') - masOf('balance before') - masOf('rewards') + masOf('fee')
    assert.ok(rest === 0n || claimed.includes('Something else came or went meanwhile.'), claimed)
  })
})
