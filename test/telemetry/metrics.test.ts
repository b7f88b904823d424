import assert from 'node:assert/strict'
import { createMetrics, listMetrics, renderMetrics } from '../../telemetry/index.ts'

describe('telemetry/metrics', () => {
  const create = () => createMetrics({ version: '1.2.3', processMetrics: false })

  it('follows the naming rule: prefix, unit last, counters end in _total', () => {
    for (const { name, type, unit } of listMetrics()) {
      assert.match(name, /^massa_storage_[a-z_]+$/)
      assert.equal(name.endsWith('_total'), type === 'counter', name)
      if (unit === 'bytes') assert.match(name, /_bytes(_total)?$/)
      if (unit === 'seconds') assert.match(name, /_seconds$/)
    }
    const names = listMetrics().map(({ name }) => name)
    assert.equal(new Set(names).size, names.length)
  })

  it('renders every metric of the table with help and type', async () => {
    const { text, contentType } = await renderMetrics(create())
    assert.match(contentType, /^text\/plain/)
    for (const { name, type, help } of listMetrics()) {
      assert.ok(text.includes(`# HELP ${name} ${help}`), name)
      assert.ok(text.includes(`# TYPE ${name} ${type}`), name)
    }
  })

  it('renders what handles were told', async () => {
    const metrics = create()
    metrics.archivedPeriod.set(100)
    metrics.blocksArchived.add(5)
    metrics.blocksArchived.add(2)
    metrics.nodeUp.set(1, { node: 0 })
    metrics.nodeCalls.add(1, { rpc: 'GetStatus', result: 'ok' })
    metrics.refusedBlocks.add(1, { code: 'ARCHIVER_SIGNATURE_INVALID', node: 1 })
    metrics.archiveSeconds.observe(0.2)
    metrics.damagedValues.add(1, { reason: 'scrub' })
    const lines = (await renderMetrics(metrics)).text.split('\n')
    for (const line of [
      'massa_storage_build_info{version="1.2.3"} 1',
      'massa_storage_archived_period 100',
      'massa_storage_archived_blocks_total 7',
      'massa_storage_node_up{node="0"} 1',
      'massa_storage_node_calls_total{rpc="GetStatus",result="ok"} 1',
      'massa_storage_refused_blocks_total{code="ARCHIVER_SIGNATURE_INVALID",node="1"} 1',
      'massa_storage_archive_seconds_bucket{le="0.1"} 0',
      'massa_storage_archive_seconds_bucket{le="0.25"} 1',
      'massa_storage_damaged_values_total{reason="scrub"} 1',
      'massa_storage_gap_slots 0',
    ]) {
      assert.ok(lines.includes(line), line)
    }
  })

  it('keeps two registries apart', async () => {
    const [first, second] = [create(), create()]
    first.gapSlots.set(3)
    assert.ok((await renderMetrics(second)).text.includes('massa_storage_gap_slots 0\n'))
  })

  it('brings event loop lag and memory of the process by default', async () => {
    const { text } = await renderMetrics(createMetrics({ version: '1' }))
    assert.match(text, /^massa_storage_nodejs_eventloop_lag_p99_seconds /m)
    assert.match(text, /^massa_storage_process_resident_memory_bytes /m)
  })

  it('error: a counter never goes down', () => {
    assert.throws(() => create().blocksArchived.add(-1))
  })
})
