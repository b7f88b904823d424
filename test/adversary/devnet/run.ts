import { parseArgs } from 'node:util'
import { ModelChain } from '../model-chain.ts'
import { PAGE_RUN, playAll } from '../play-all.ts'
import { groupRoles, ROLES } from './casting.ts'
import { playOnDevnet } from './play.ts'
import { renderDevnet } from './render.ts'
import { type DevnetResult, dropOutdated, readDevnetResult, writeDevnetResult } from './result.ts'

/*
 * Adversaries as sidecars of devnets: `npm run adversaries:devnet -- --eras 3` plays so many eras with audits, `--only TEXT` those
 * whose name has it (repeatable), `--together 6` so many in one network. Prints a table; `--save` keeps it for docs/THREATS.md,
 * which `npm run docs` writes, and with `--add` what was kept before, too, but for networks whose adversaries all did so since.
 * Exits with 1 when one of them did not do what it is named for.
 */

const { values } = parseArgs({
  options: {
    eras: { type: 'string', default: '3' },
    together: { type: 'string', default: '6' },
    only: { type: 'string', multiple: true, default: [''] },
    save: { type: 'boolean', default: false },
    add: { type: 'boolean', default: false },
  },
})

const eras = Number(values.eras)
const roles = ROLES.filter(({ adversary }) => values.only.some((text) => adversary.name.includes(text)))
const kept = values.add ? readDevnetResult().networks : []
const result: DevnetResult = { networks: [] }
for (const group of groupRoles(roles, Number(values.together))) {
  const startedMs = performance.now()
  const { periods, rows } = await playOnDevnet(group, eras, console.log)
  const seconds = Math.round((performance.now() - startedMs) / 1_000)
  result.networks.push({ date: new Date().toISOString(), eras, periods, seconds, rows: [...rows] })
  // As far as it came.
  if (values.save) writeDevnetResult({ networks: dropOutdated([...kept, ...result.networks]) })
}
const adversaries = roles.map(({ adversary }) => adversary)
const match = playAll({ ...PAGE_RUN, setting: 'shipped', makeChain: ModelChain.deploy }, adversaries)
console.log(renderDevnet(result, [match]).join('\n'))
for (const { name, deeds, lastDeed } of result.networks.flatMap(({ rows }) => rows)) {
  if (name === null) continue
  console.log(`${name}: ${lastDeed ?? 'did not do what it is named for'}`)
  if (deeds === 0) process.exitCode = 1
}
