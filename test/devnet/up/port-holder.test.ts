import assert from 'node:assert/strict'
import { readHolder } from '../../../devnet/up/port-holder.ts'

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode'
const REST = '00000000:00000000 00:00000000 00000000     0        0 1050 1 0000000000000000 100 0 0 10 0'

/** @param rows - local address, and state */
const table = (...rows: readonly (readonly [string, string])[]): string =>
  [HEAD, ...rows.map(([local, state], i) => `   ${i}: ${local} 0100007F:01BB ${state} ${REST}`)].join('\n')

describe('devnet/up/port-holder', () => {
  const place = { host: '127.0.0.1', port: 0x810e }
  const CASES: Readonly<Record<string, readonly [string, ReturnType<typeof readHolder>]>> = {
    'who listens there': [table(['0100007F:810E', '0A']), 'listener'],
    'who listens at every address': [table(['00000000:810E', '0A']), 'listener'],
    'who listens at every address of IPv6': [table([`${'0'.repeat(32)}:810E`, '0A']), 'listener'],
    'who listens, beside his connections': [
      table(['0100007F:810E', '01'], ['0100007F:810E', '06'], ['0100007F:810E', '0A']),
      'listener',
    ],
    'an open connection': [table(['0100007F:810E', '06'], ['0100007F:810E', '01']), 'connection'],
    'a connection of IPv6': [table(['0000000000000000FFFF00000100007F:810E', '01']), 'connection'],
    'a closed connection': [table(['0100007F:810E', '06']), 'closed connection'],
    'nobody, where all are elsewhere': [table(['0200007F:810E', '0A'], ['0100007F:810F', '0A']), 'nobody'],
    'nothing where there is no table': ['', undefined],
  }
  for (const [name, [rows, holder]] of Object.entries(CASES)) {
    it(`finds ${name}`, () => assert.equal(readHolder(rows, place), holder))
  }
})
