import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('mdns-child.ts', import.meta.url))
/** A network that ends at this machine's loopback: what is multicast there reaches nobody else. */
const NETWORK = 'ip link set lo up && ip link set lo multicast on && ip route add 224.0.0.0/4 dev lo'

describe('multicast DNS', () => {
  it('sidecars that know nobody find and dial those of their own chain', function () {
    this.timeout(120_000)
    const [unshare, ...shell] = ['unshare', process.getuid?.() === 0 ? '-n' : '-rn', 'sh', '-c'] as const
    if (spawnSync(unshare, [...shell, NETWORK]).status !== 0) {
      console.log('      skipped: this machine lets nobody make a network namespace')
      this.skip()
    }
    const script = `${NETWORK} && exec '${process.execPath}' --conditions=source --import=tsx '${CHILD}'`
    const { stdout, stderr } = spawnSync(unshare, [...shell, script], { encoding: 'utf8', timeout: 110_000 })
    assert.equal(stdout.trim(), '[[1],[0],[3],[2]]', stderr)
  })
})
