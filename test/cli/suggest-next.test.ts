import assert from 'node:assert/strict'
import { suggestNext } from '../../cli/suggest-next.ts'
import type { NetworkReport } from '../../devnet/up/index.ts'

const report = (...names: string[]) =>
  ({
    sidecars: names.map((name) => ({ name, address: `AU-${name}`, apiUrl: `http://${name}` })),
  }) as unknown as NetworkReport

describe('cli/suggest-next', () => {
  it('names the first sidecar and its address, and another one to kill', () => {
    const text = suggestNext(report('sidecar-2', 'sidecar-3'), 'net', ' --data-dir net').join('\n')
    assert.match(text, /open http:\/\/sidecar-2\/ in a browser/)
    assert.match(text, /status -c net\/sidecar-2\/config\.toml/)
    assert.match(text, /get_node_info \\\n +AU-sidecar-2 \\/)
    assert.match(text, /devnet kill sidecar-3 --data-dir net$/)
    assert.match(suggestNext(report('sidecar-2'), 'net', '').join('\n'), /devnet kill node$/)
  })

  it('names nothing that is not there where there are no sidecars', () => {
    assert.deepEqual(suggestNext(report(), 'net', ' --data-dir net'), [
      '  npx massa-storage devnet add --data-dir net',
      '  npx massa-storage devnet status --data-dir net',
    ])
  })
})
