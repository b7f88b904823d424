import assert from 'node:assert/strict'
import { rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { ChallengesPort } from '../../api/challenges.ts'
import { createApi, listen } from '../../api/index.ts'
import { challengesList, challengesShow } from '../../cli/commands/challenges.ts'
import { issueChallenge } from '../../cli/commands/issue-challenge.ts'
import { ArchiveError } from '../../core/index.ts'
import { writeApiToken } from '../../storage-worker/api-token.ts'
import type { ChallengeEntry } from '../../storage-worker/challenge/challenge-history.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const CHUNK = 'cd'.repeat(32)
const ENTRY: ChallengeEntry = {
  challengeId: 'm-0123456789abcdef',
  kind: 'rehearsal',
  node: 'AU12mXoMP5xsGcYK8QDTkQ5PrwRWd2sCtD1yQgH9X4mSjLBjJg5Bj',
  chunkId: CHUNK,
  nonce: '7',
  issuedAtMs: Date.UTC(2026, 10, 22),
  durationMs: 12,
  result: 'valid',
  reason: '',
}

describe('cli: issue-challenge, challenges', () => {
  const folders = new TempFolders()
  let store: Store
  let api: FastifyInstance
  let challenges: ChallengesPort
  const { signal } = new AbortController()
  const asked: unknown[] = []

  before(async () => {
    store = await openTestStore(await folders.make())
    const token = await writeApiToken(store.dataDir)
    api = createApi(
      {
        dataDirNames: await listDataDirNames(store.dataDir),
        status: async () => ({ problems: [] }),
        query: { store, threads: 1 },
        token,
        challenges: {
          rehearse: (...names) => challenges.rehearse(...names),
          issue: (...names) => challenges.issue(...names),
          list: (limit) => challenges.list(limit),
          find: (prefix) => challenges.find(prefix),
          auditDraws: (period) => challenges.auditDraws(period),
        },
      },
      { heartbeatMs: 5 },
    )
    await store.announce(await listen(api, { host: '127.0.0.1', port: 0 }))
  })
  after(async () => {
    await api.close()
    await store.close()
    await folders.clean()
  })
  beforeEach(() => {
    asked.length = 0
    challenges = {
      rehearse: async (...names) => {
        asked.push(names)
        return ENTRY
      },
      issue: async (...names) => {
        asked.push(['on chain', ...names])
        return { ...ENTRY, kind: 'challenge' }
      },
      list: async (limit) => {
        asked.push(limit)
        return [ENTRY, { ...ENTRY, challengeId: 'm-fe', result: 'noAnswer', reason: 'gone' }]
      },
      find: async (prefix) => (ENTRY.challengeId.startsWith(prefix) ? ENTRY : undefined),
      auditDraws: async () => assert.fail('audited'),
    }
  })

  const people = () => makeCommand(store.dataDir, {}, { json: false })
  const programs = () => makeCommand(store.dataDir)
  const OPTIONS = { node: ENTRY.node, chunk: CHUNK, rehearse: true }

  it('shows what a node proved; the exit code says whether', async () => {
    const { context, printed } = people()
    assert.equal(await issueChallenge(context, OPTIONS, signal), 0)
    assert.deepEqual(asked, [[ENTRY.node, CHUNK]])
    assert.match(printed.stdout, /^challenge +m-0123456789abcdef, a rehearsal: off chain$/m)
    assert.match(printed.stdout, /^result +valid$/m)
    const codes = { valid: 0, invalid: 5, notHeld: 5, refused: 5, noAnswer: 8, busy: 8 } as const
    for (const [result, code] of Object.entries(codes)) {
      const entry = { ...ENTRY, result, reason: 'why' }
      challenges = { ...challenges, rehearse: async () => entry }
      const each = programs()
      assert.equal(await issueChallenge(each.context, OPTIONS, signal), code)
      assert.deepEqual(JSON.parse(each.printed.stdout), entry)
    }
  })

  it('without --rehearse the registry is asked, and what nobody can be blamed for is no failure of the node', async () => {
    const { context, printed } = people()
    assert.equal(await issueChallenge(context, { node: ENTRY.node, chunk: CHUNK }, signal), 0)
    assert.deepEqual(asked, [['on chain', ENTRY.node, CHUNK, false]])
    assert.match(printed.stdout, /^challenge +m-0123456789abcdef$/m)
    const codes = { invalid: 5, noAnswer: 8, void: 8 } as const
    for (const [result, code] of Object.entries(codes)) {
      challenges = { ...challenges, issue: async () => ({ ...ENTRY, kind: 'challenge', result, reason: 'why' }) }
      assert.equal(await issueChallenge(programs().context, { ...OPTIONS, rehearse: false }, signal), code)
    }
  })

  it('waits as long as the sidecar does, and says what it fails with in the end', async () => {
    const { context, printed } = programs()
    const wait = () => new Promise((resolve) => setTimeout(resolve, 20))
    challenges = { ...challenges, issue: () => wait().then(() => ENTRY) }
    assert.equal(await issueChallenge(context, { ...OPTIONS, rehearse: false }, signal), 0)
    assert.deepEqual(JSON.parse(printed.stdout), ENTRY)
    const expired = new ArchiveError('CHAIN_OPERATION_EXPIRED', 'made')
    challenges = { ...challenges, issue: () => wait().then(() => Promise.reject(expired)) }
    await assert.rejects(issueChallenge(context, { ...OPTIONS, rehearse: false }, signal), {
      code: 'CHAIN_OPERATION_EXPIRED',
    })
  })

  it('says that it waits once the sidecar does, and not before what is refused at once', async () => {
    const later = people()
    const wait = () => new Promise((resolve) => setTimeout(resolve, 20))
    challenges = { ...challenges, issue: () => wait().then(() => ENTRY) }
    await issueChallenge(later.context, { ...OPTIONS, rehearse: false }, signal)
    assert.equal(later.printed.stderr.match(/Waiting until the registry has judged/g)?.length, 1)
    const refused = people()
    challenges = { ...challenges, issue: () => Promise.reject(new ArchiveError('API_CHUNK_UNCLAIMED', 'made')) }
    await assert.rejects(issueChallenge(refused.context, { ...OPTIONS, rehearse: false }, signal))
    assert.equal(refused.printed.stderr, '')
  })

  it('says when it was answered where it was, and where not when it was over, if it is', async () => {
    const times = { valid: 'answered', notHeld: 'answered', noAnswer: 'over', void: 'over', open: undefined } as const
    for (const [result, word] of Object.entries(times)) {
      const entry = { ...ENTRY, result }
      challenges = { ...challenges, find: async () => entry }
      const { context, printed } = people()
      await challengesShow(context, 'm-01', signal)
      const row = printed.stdout.match(/^(\w+) +after 12 ms$/m)
      assert.equal(row?.[1], word, result)
    }
  })

  it('lists challenges and shows one', async () => {
    const { context, printed } = people()
    assert.equal(await challengesList(context, { limit: 5_000 }, signal), 0)
    assert.deepEqual(asked, [1_000])
    assert.match(printed.stdout, /^2026-11-22T00:00:00.000Z +m-0123456789 .* valid +12 ms$/m)
    assert.match(printed.stdout, /^1 of 2 challenges passed$/m)
    const one = people()
    assert.equal(await challengesShow(one.context, 'm-01', signal), 0)
    assert.match(one.printed.stdout, new RegExp(`^chunk +${CHUNK}$`, 'm'))
    await assert.rejects(challengesShow(people().context, 'm-9', signal), { code: 'CLI_NOT_FOUND', message: /m-9/ })
  })

  it('error: no peers, no registry, what is named badly', async () => {
    const { context } = people()
    const issue = (change: object = {}) => issueChallenge(context, { ...OPTIONS, ...change }, signal)
    await assert.rejects(issue({ node: '' }), { code: 'API_QUERY_INVALID' })
    await assert.rejects(challengesShow(context, 'm 1', signal), { code: 'API_QUERY_INVALID' })
    assert.deepEqual(asked, [])
    const failing = async () => {
      throw new ArchiveError('API_PEER_UNCONNECTED', 'made')
    }
    const off = async () => {
      throw new ArchiveError('API_CHAIN_OFF', 'made')
    }
    challenges = { ...challenges, rehearse: failing, issue: off }
    await assert.rejects(issue(), { code: 'API_PEER_UNCONNECTED' })
    await assert.rejects(issue({ rehearse: false }), { code: 'API_CHAIN_OFF' })
  })

  it('error: a sidecar that meets no others', async () => {
    const alone = await openTestStore(await folders.make())
    const server = createApi({
      dataDirNames: await listDataDirNames(alone.dataDir),
      status: async () => ({ problems: [] }),
      query: { store: alone, threads: 1 },
      token: await writeApiToken(alone.dataDir),
    })
    try {
      await alone.announce(await listen(server, { host: '127.0.0.1', port: 0 }))
      const { context } = makeCommand(alone.dataDir)
      await assert.rejects(issueChallenge(context, OPTIONS, signal), { code: 'API_PEERS_OFF' })
      await assert.rejects(challengesList(context, { limit: 1 }, signal), { code: 'API_PEERS_OFF' })
    } finally {
      await server.close()
      await alone.close()
    }
  })

  it('adversary: nobody challenges without the token, which the owner alone may read', async () => {
    const path = join(store.dataDir, 'api.token')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    const { context } = people()
    for (const wrong of ['', 'ab'.repeat(32)]) {
      writeFileSync(path, wrong)
      await assert.rejects(issueChallenge(context, OPTIONS, signal), { code: 'API_TOKEN_WRONG' })
    }
    rmSync(path)
    await assert.rejects(issueChallenge(context, OPTIONS, signal), { code: 'API_TOKEN_WRONG' })
    assert.deepEqual(asked, [])
    assert.equal(await challengesList(context, { limit: 1 }, signal), 0)
  })
})
