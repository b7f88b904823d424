import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { Output } from '../../cli/output.ts'
import { formatSuccessRate, renderValue, summariseNode, toPlain } from '../../cli/render-value.ts'
import type { RegistryNode } from '../../core/index.ts'

function render(value: unknown): string {
  const stdout = new PassThrough()
  const stream = stdout as unknown as NodeJS.WriteStream
  renderValue(new Output({ json: false, quiet: false, noColor: true, stdout: stream, stderr: stream }), value)
  return String(stdout.read() ?? '')
}

const nodeOf = (totalChallenges: bigint, passedChallenges: bigint, openChallenges: number) =>
  ({ allocatedGb: 1n, pendingRewards: 5n, totalChallenges, passedChallenges, openChallenges }) as RegistryNode

describe('cli/render-value', () => {
  it('what goes to programs has no bigint and no bytes in it', () => {
    const value = { a: (1n << 64n) - 1n, b: Uint8Array.of(0, 255), c: [1n, { d: undefined }], e: true, f: 7, g: 'x' }
    assert.deepEqual(toPlain(value), {
      a: '18446744073709551615',
      b: '00ff',
      c: ['1', { d: null }],
      e: true,
      f: 7,
      g: 'x',
    })
    assert.equal(toPlain(undefined), null)
  })

  it('people get one value, a list as JSON, or a table in snake_case', () => {
    assert.equal(render(7n), '7\n')
    assert.equal(render(false), 'false\n')
    assert.equal(render(Uint8Array.of(1)), '01\n')
    assert.equal(render(undefined), '-\n')
    assert.equal(render([1n, 2n]), '["1","2"]\n')
    assert.equal(
      render({ allocatedGb: 1n, lastChallenger: undefined, items: [{ a: 1n }] }),
      'allocated_gb     1\nlast_challenger  -\nitems            [{"a":"1"}]\n',
    )
  })

  it('a node is one line, with the share of its challenges that it passed among those that are over', () => {
    assert.equal(summariseNode(nodeOf(8n, 8n, 0)), 'allocated_gb=1, success_rate=1.0, pending_rewards=5')
    const cases: readonly (readonly [bigint, bigint, number, string])[] = [
      [0n, 0n, 0, '1.0'],
      [3n, 0n, 3, '1.0'],
      [3n, 0n, 2, '0.0'],
      [3n, 2n, 1, '1.0'],
      [4n, 3n, 0, '0.75'],
      [2n, 1n, 0, '0.5'],
      [3n, 2n, 0, '0.666'],
      [100_000n, 99_999n, 0, '0.999'],
      [1_000n, 1n, 0, '0.001'],
    ]
    for (const [total, passed, open, wanted] of cases) {
      assert.equal(formatSuccessRate(nodeOf(total, passed, open)), wanted)
    }
  })
})
