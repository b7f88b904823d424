import assert from 'node:assert/strict'
import { ConnectionRates } from '../../protocol-handler/connection-rates.ts'
import { KnownHosts } from '../../protocol-handler/known-hosts.ts'
import {
  CONNECTIONS_PER_SECOND,
  CONNECTIONS_PER_SECOND_AND_HOST,
  MAX_CONNECTIONS_AT_ONCE,
  MAX_CONNECTIONS_AT_ONCE_AND_HOST,
} from '../../protocol-handler/limits.ts'
import { SetClock } from '../devnet/set-clock.ts'

describe('protocol-handler/connection-rates', () => {
  let clock: SetClock
  let rates: ConnectionRates
  beforeEach(() => {
    clock = new SetClock()
    rates = new ConnectionRates(clock)
  })

  function countLetIn(times: number, nextHost: () => string): number {
    let letIn = 0
    for (let i = 0; i < times; i++) if (rates.admit(nextHost())) letIn++
    return letIn
  }

  it('limit: 60 connections of a host at once, then one a second; another host is let in', () => {
    assert.equal(
      countLetIn(1_000, () => 'a'),
      MAX_CONNECTIONS_AT_ONCE_AND_HOST,
    )
    clock.timeMs += 1_000 / CONNECTIONS_PER_SECOND_AND_HOST - 1
    assert.equal(rates.admit('a'), false)
    clock.timeMs += 1
    assert.equal(rates.admit('a'), true)
    assert.equal(rates.admit('a'), false)
    assert.equal(rates.admit('b'), true)
  })

  it('limit: 200 connections of all hosts at once, then 50 a second', () => {
    let hosts = 0
    const next = () => `host ${hosts++}`
    assert.equal(countLetIn(1_000, next), MAX_CONNECTIONS_AT_ONCE)
    clock.timeMs += 1_000
    assert.equal(countLetIn(1_000, next), CONNECTIONS_PER_SECOND)
  })

  it('addresses of one /64 of IPv6 are one host, those of IPv4 are each their own however they are written', () => {
    let next = 0
    assert.equal(
      countLetIn(100, () => `2001:db8:1:2::${(next++).toString(16)}`),
      60,
    )
    for (const host of ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::']) assert.equal(rates.admit(host), false, host)
    for (const host of ['2001:db8:1:3::1', '::1', '192.0.2.1']) assert.equal(rates.admit(host), true, host)
    for (let i = 0; i < 59; i++) rates.admit('192.0.2.1')
    assert.deepEqual([rates.admit('::ffff:192.0.2.1'), rates.admit('::ffff:192.0.2.2')], [false, true])
  })

  it('hostile: sites without end of one network of IPv6 keep no other network out, and nobody who is expected', () => {
    const known = new KnownHosts(['/ip6/2001:db8:ffff::1/tcp/31500'], () => registered)
    const registered = [{ p2pAddrs: ['no address', '/ip4/198.51.100.7/tcp/31500'] }]
    rates = new ConnectionRates(clock, (site) => known.has(site))
    let sites = 0
    for (let second = 0; second < 60; second++) {
      countLetIn(250, () => `2001:db8:${(sites++).toString(16)}::1`)
      for (const host of ['198.51.100.7', '2001:db8:ffff::2', '203.0.113.1'])
        assert.equal(rates.admit(host), true, host)
      clock.timeMs += 1_000
    }
    // Whoever has many networks has all of what is for strangers, and no more.
    countLetIn(10_000, () => `2a${(sites++ % 256).toString(16).padStart(2, '0')}:${sites.toString(16)}::1`)
    assert.deepEqual([rates.admit('203.0.113.1'), rates.admit('198.51.100.7')], [false, true])
  })

  it('what a host tries too often takes nothing from the others', () => {
    countLetIn(10_000, () => 'a')
    assert.equal(
      countLetIn(60, () => 'b'),
      60,
    )
  })
})
