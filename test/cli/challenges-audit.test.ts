import assert from 'node:assert/strict'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../api/index.ts'
import { challengesAudit } from '../../cli/commands/challenges-audit.ts'
import type { DrawAudit } from '../../storage-worker/challenge/audit-draws.ts'
import type { AuditedChallenge } from '../../storage-worker/challenge/judge-draw.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const AS_DRAWN: AuditedChallenge = {
  challengeId: 'ab'.repeat(32),
  issuer: 'AU12challenger',
  node: 'AU12node',
  chunkId: 'cd'.repeat(32),
  issuedPeriod: 201,
  verdict: 'asDrawn',
  differences: [],
  lacks: [],
}
const DIFFERS: AuditedChallenge = {
  ...AS_DRAWN,
  verdict: 'differs',
  differences: [{ field: 'node', expected: 'AU12other', found: 'AU12node' }],
}
const UNCHECKED: AuditedChallenge = { ...AS_DRAWN, verdict: 'unchecked', lacks: ['no signature was seen'] }
const BY_HAND: AuditedChallenge = { ...AS_DRAWN, challengeId: 'm-1', verdict: 'undrawn' }
const AUDIT: DrawAudit = {
  period: 200,
  frequencyPeriods: 100,
  isDue: true,
  isAnchored: true,
  lastIssuePeriod: 331,
  archivedTo: 400,
  challenges: [],
  notIssued: [],
  lacks: [],
}

describe('cli: challenges audit', () => {
  const folders = new TempFolders()
  const { signal } = new AbortController()
  let store: Store
  let api: FastifyInstance
  let audit: DrawAudit

  before(async () => {
    store = await openTestStore(await folders.make())
    api = createApi({
      dataDirNames: await listDataDirNames(store.dataDir),
      status: async () => ({ problems: [] }),
      query: { store, threads: 1 },
      challenges: {
        rehearse: () => assert.fail('asked'),
        issue: () => assert.fail('asked'),
        list: () => assert.fail('asked'),
        find: () => assert.fail('asked'),
        auditDraws: async (period) => ({ ...audit, period }),
      },
    })
    await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
  })
  after(async () => {
    await api.close()
    await store.close()
    await folders.clean()
  })

  async function run(change: Partial<DrawAudit>) {
    audit = { ...AUDIT, ...change }
    const { context, printed } = makeCommand(store.dataDir, {}, { json: false })
    return { code: await challengesAudit(context, 200, signal), ...printed }
  }

  it('ends with 0 when all are as drawn, 5 when one is not, 4 when none is known or one cannot be checked', async () => {
    const codes: [Partial<DrawAudit>, number][] = [
      [{ challenges: [AS_DRAWN] }, 0],
      [{ challenges: [AS_DRAWN, BY_HAND] }, 0],
      [{ challenges: [AS_DRAWN, DIFFERS, UNCHECKED], lacks: ['period 203 is not archived'] }, 5],
      [{ challenges: [AS_DRAWN, UNCHECKED] }, 4],
      [{ challenges: [AS_DRAWN], lacks: ['period 203 is not archived'] }, 4],
      [{ challenges: [BY_HAND] }, 4],
      [{}, 4],
      [{ isDue: false }, 4],
      [{ archivedTo: 199 }, 4],
      [{ archivedTo: null }, 4],
    ]
    for (const [change, code] of codes) assert.equal((await run(change)).code, code, JSON.stringify(change))
  })

  it('says which field differs and what lacks', async () => {
    const notIssued = [
      { issuer: 'AU12challenger', challengeId: 'ef'.repeat(32), node: 'AU12node', chunkId: '01'.repeat(32) },
    ]
    const challenges = [DIFFERS, UNCHECKED, { ...UNCHECKED, challengeId: 'ba'.repeat(32) }, BY_HAND]
    const { stdout } = await run({ challenges, notIssued, lacks: ['period 203 is not archived'] })
    for (const line of [
      'DIFFERS abababababab: node is AU12node, by the draw AU12other',
      'UNCHECKED abababababab, babababababa: no signature was seen',
      'LACKS period 203 is not archived',
      'not issued by AU12challenger: efefefefefef, chunk 010101010101 of AU12node',
      '0 of 3 challenges by draws of period 200 as drawn, 1 not, 2 unchecked, 1 by hand or after failed audits.',
    ]) {
      assert.ok(stdout.split('\n').includes(line), `${line}\n${stdout}`)
    }
  })

  it('says why there are none, and that more may come', async () => {
    assert.match((await run({ isDue: false })).stdout, /^No draw is due in period 200: one is every 100 periods\.$/m)
    assert.match((await run({ archivedTo: 199 })).stdout, /^Period 200 is not archived here\.$/m)
    assert.match((await run({})).stdout, /^No challenge by a draw of period 200 is known here\. None is issued where/m)
    assert.equal((await run({})).stderr, '')
    assert.match((await run({ archivedTo: 330 })).stderr, /may still come, up to period 331; 330 is archived/)
  })

  it('--json gives what the sidecar said', async () => {
    audit = { ...AUDIT, challenges: [DIFFERS] }
    const { context, printed } = makeCommand(store.dataDir)
    assert.equal(await challengesAudit(context, 300, signal), 5)
    assert.deepEqual(JSON.parse(printed.stdout), { ...audit, period: 300 })
  })
})
