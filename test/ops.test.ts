import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findPackageRoot, readBaseSettings } from '../config/index.ts'
import { createMetrics, listMetrics, renderMetrics } from '../telemetry/index.ts'

const read = (path: string): string => readFileSync(join(findPackageRoot(), 'ops', path), 'utf8')

/** Names of ours in a text. */
function namedMetrics(text: string): Set<string> {
  return new Set(text.match(/\bmassa_storage_\w+/g) ?? [])
}

interface Panel {
  readonly id: number
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}

const dashboard = JSON.parse(read('grafana/massa-storage.json')) as {
  readonly __inputs: readonly { readonly name: string }[]
  readonly panels: readonly Panel[]
}
const shown = dashboard.panels.flatMap((panel) => panel.targets.map(({ expr }) => expr)).join('\n')
const alerts = [...read('prometheus/alerts.yml').matchAll(/^ +expr: (.+)$/gm)].map(([, expr]) => expr ?? '')

describe('ops', () => {
  it('the service leaves no core dump: the key that signs is in memory', () => {
    assert.match(read('systemd/massa-storage.service'), /^LimitCORE=0$/m)
  })

  it('dashboard and alerts name no metric that does not exist', async () => {
    const { text } = await renderMetrics(createMetrics({ version: 'test' }))
    const exported = new Set<string>()
    for (const [, name, type] of text.matchAll(/^# TYPE (\w+) (\w+)$/gm)) {
      exported.add(name ?? '')
      if (type === 'histogram') for (const suffix of ['bucket', 'sum', 'count']) exported.add(`${name}_${suffix}`)
    }
    assert.ok(exported.size > listMetrics().length)
    for (const name of namedMetrics(`${shown}\n${alerts.join('\n')}`)) assert.ok(exported.has(name), name)
  })

  it('every metric of the table is on the dashboard or in an alert', () => {
    const named = new Set(
      [...namedMetrics(`${shown}\n${alerts.join('\n')}`)].map((name) => name.replace(/_bucket$/, '')),
    )
    for (const { name } of listMetrics()) assert.ok(named.has(name), name)
  })

  it('every alert has a severity, a summary and a description', () => {
    const rules = read('prometheus/alerts.yml').split('- alert: ').slice(1)
    assert.equal(rules.length, alerts.length)
    for (const rule of rules) {
      assert.match(rule, /severity: (page|ticket)$/m, rule)
      assert.match(rule, /summary: \S/, rule)
      assert.match(rule, /description: \S/, rule)
    }
  })

  it('panels have ids of their own and do not overlap', () => {
    const { panels } = dashboard
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length)
    const cells = new Set<string>()
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.x + gridPos.w <= 24, title)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          assert.ok(!cells.has(`${x},${y}`), title)
          cells.add(`${x},${y}`)
        }
      }
    }
  })

  it('Prometheus scrapes the default address of the metrics', () => {
    const bind = JSON.parse(readBaseSettings().get('metrics.bind')?.defaultText ?? '')
    assert.ok(read('prometheus/scrape.yml').includes(bind), bind)
  })
})
