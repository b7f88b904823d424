import assert from 'node:assert/strict'
import { findReach, isLocal, mayDial, pickWidest } from '../../protocol-handler/index.ts'

describe('protocol-handler/address-reach', () => {
  it('tells machine, site and world apart', () => {
    for (const [host, reach] of [
      ['ip4/127.0.0.1', 'machine'],
      ['ip4/127.255.255.255', 'machine'],
      ['ip6/::1', 'machine'],
      ['ip4/10.0.0.1', 'site'],
      ['ip4/100.64.0.1', 'site'],
      ['ip4/169.254.169.254', 'site'],
      ['ip4/172.16.0.1', 'site'],
      ['ip4/172.31.255.255', 'site'],
      ['ip4/172.32.0.0', 'world'],
      ['ip4/192.168.1.1', 'site'],
      ['ip4/0.0.0.0', 'site'],
      ['ip6/fe80::1', 'site'],
      ['ip6/fd00::1', 'site'],
      ['ip6/::ffff:127.0.0.1', 'machine'],
      ['ip6/::ffff:10.0.0.1', 'site'],
      ['ip6/2001:db8::1', 'world'],
      ['ip4/203.0.113.7', 'world'],
      ['ip6/::', 'site'],
      ['dns4/storage.example.org', 'world'],
      ['dns4/localhost.example.org', 'world'],
      ['dns4/localhost', 'machine'],
      ['dns/LocalHost.', 'machine'],
      ['dns6/a.localhost', 'machine'],
    ] as const) {
      assert.equal(findReach(`/${host}/tcp/31500`), reach, host)
    }
  })

  it('only the widest addresses are told to others', () => {
    const [machine, site, world] = ['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/203.0.113.7/tcp/1'] as const
    assert.deepEqual(pickWidest([machine, site, world]), [world])
    assert.deepEqual(pickWidest([machine, site]), [site])
    assert.deepEqual(pickWidest([machine]), [machine])
    assert.deepEqual(pickWidest([]), [])
  })

  it('a node of the open network is not sent into its site or its machine, one of a site not into its machine', () => {
    const [machine, site, world] = ['/ip4/127.0.0.1/tcp/1', '/ip4/10.0.0.1/tcp/1', '/ip4/203.0.113.7/tcp/1'] as const
    assert.deepEqual(
      [world, site, machine].map((own) => [machine, site, world].map((told) => mayDial(told, [own]))),
      [
        [false, false, true],
        [false, true, true],
        [true, true, true],
      ],
    )
  })

  it('what is told in the local network leads there: out of it never, into this machine from this machine alone', () => {
    const all = [
      '/ip4/127.0.0.1/tcp/1',
      '/ip4/10.0.0.1/tcp/1',
      '/ip4/203.0.113.7/tcp/1',
      '/dns4/a.example/tcp/1',
    ] as const
    const [machine, site, world] = all
    const localTo = (own: string[]): string[] => all.filter((told) => isLocal(told, own))
    assert.deepEqual([[machine], [machine, site], [site], [world], [machine, world]].map(localTo), [
      [machine],
      [site],
      [site],
      [site],
      [site],
    ])
  })
})
