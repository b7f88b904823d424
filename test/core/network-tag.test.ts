import assert from 'node:assert/strict'
import { computeNetworkTag } from '../../core/index.ts'

const CASES: readonly (readonly [string, readonly string[], string])[] = [
  ['an IPv4 address stands for its /16', ['/ip4/203.0.113.9/tcp/4001'], 'ip4:203.0'],
  ['an IPv6 address stands for its /32', ['/ip6/2001:DB8:1::9/tcp/4001'], 'ip6:2001:db8'],
  ['leading zeros of an IPv6 group do not count', ['/ip6/2001:0db8::/tcp/1'], 'ip6:2001:db8'],
  ['a double colon fills up with zeros', ['/ip6/::1/tcp/1'], 'ip6:0:0'],
  ['a full IPv6 address needs no double colon', ['/ip6/1:2:3:4:5:6:7:8/tcp/1'], 'ip6:1:2'],
  ['a dotted quad may end an IPv6 address', ['/ip6/64:ff9b::192.0.2.1/tcp/1'], 'ip6:64:ff9b'],
  ['the first literal address decides', ['/ip4/10.1.2.3/tcp/1', '/ip4/203.0.113.9/tcp/1'], 'ip4:10.1'],
  ['a literal address goes before a DNS name', ['/dns4/a.example/tcp/1', '/ip4/10.1.2.3/tcp/1'], 'ip4:10.1'],
  ['a DNS name stands for itself, in lower case', ['/dns4/Node.Example/tcp/1'], 'dns:node.example'],
  ['the first DNS name decides', ['/dns/a.example/tcp/1', '/dns6/b.example/tcp/1'], 'dns:a.example'],
  ['without addresses a node stands alone', [], 'node:AU1'],
  ['malformed IPv4 addresses are passed over', ['/ip4/1.2.3/tcp/1', '/ip4/256.1.1.1', '/ip4/01.1.1.1'], 'node:AU1'],
  [
    'malformed IPv6 addresses are passed over',
    ['/ip6/1::2::3', '/ip6/1:2:3:4:5:6:7', '/ip6/12345::', '/ip6/x::'],
    'node:AU1',
  ],
  ['an IPv6 address with nothing for the double colon is malformed', ['/ip6/1:2:3:4::5:6:7:8'], 'node:AU1'],
  ['a text that is no multiaddr is passed over', ['203.0.113.9:4001', '', '/', '/tcp/1', 'x/ip4/1.2.3.4'], 'node:AU1'],
]

describe('core/network-tag', () => {
  for (const [title, addrs, tag] of CASES) {
    it(title, () => assert.equal(computeNetworkTag(addrs, 'AU1'), tag))
  }
})
