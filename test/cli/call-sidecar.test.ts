import assert from 'node:assert/strict'
import { rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { createApi, listen } from '../../api/index.ts'
import { callSidecar, type Sidecar, streamSidecar } from '../../cli/call-sidecar.ts'
import { locateChunk } from '../../cli/commands/chunk-locate.ts'
import { clusterCheck } from '../../cli/commands/cluster-check.ts'
import { inspect } from '../../cli/commands/inspect.ts'
import { listChunks } from '../../cli/commands/list-chunks.ts'
import { peers, peersBan } from '../../cli/commands/peers.ts'
import { prune } from '../../cli/commands/prune.ts'
import { status } from '../../cli/commands/status.ts'
import { verify } from '../../cli/commands/verify.ts'
import type { Context } from '../../cli/context.ts'
import { isArchiveError } from '../../core/index.ts'
import { listDataDirNames, type Store } from '../../storage-worker/index.ts'
import type { StartTimer } from '../../telemetry/patience.ts'
import { makePeriod } from '../storage-worker/synthetic-period.ts'
import { openTestStore, TempFolders } from '../storage-worker/temp-store.ts'
import { makeCommand } from './command-place.ts'

const LAST_PERIOD = 63

/** Each command that asks a sidecar, as a user of the archive runs it. */
const COMMANDS: Readonly<Record<string, (context: Context, signal: AbortSignal) => Promise<number>>> = {
  status: (context, signal) => status(context, {}, signal),
  'list-chunks': (context, signal) => listChunks(context, {}, signal),
  inspect: (context, signal) =>
    inspect(context, { name: 'period 1', request: { kind: 'inspect-period', period: 1 } }, signal),
  verify: (context, signal) => verify(context, {}, signal),
  prune: (context, signal) => prune(context, {}, signal),
  'chunk locate': (context, signal) => locateChunk(context, 'ababab', signal),
  'cluster check': (context, signal) => clusterCheck(context, signal),
  peers: (context, signal) => peers(context, signal),
  'peers ban': (context, signal) => peersBan(context, 'x', { forMs: 1 }, signal),
}

const isUnreachable = (error: unknown) => isArchiveError(error, 'CLI_SIDECAR_UNREACHABLE')

describe('cli/call-sidecar', () => {
  const folders = new TempFolders()
  const signal = new AbortController().signal
  let own: Store
  let other: Store
  /** Of the sidecar that has the other archive open. */
  let api: FastifyInstance
  let apiUrl = ''
  let asked = 0
  const programs: Server[] = []

  before(async () => {
    own = await openTestStore(await folders.make())
    other = await openTestStore(await folders.make())
    for (let period = 0; period <= LAST_PERIOD; period++) {
      await other.chunks.writePeriod(makePeriod(period, { blocks: 1, operations: 0 }))
    }
    api = createApi({
      dataDirNames: await listDataDirNames(other.dataDir),
      status: async () => {
        asked++
        return { problems: [], pid: 1, archived: null, nodes: [], gaps: [] }
      },
      query: { store: other, threads: 1 },
      peers: {
        report: () => assert.fail('asked'),
        ban: () => assert.fail('asked'),
        unban: () => assert.fail('asked'),
      },
    })
    apiUrl = await listen(api, { host: '127.0.0.1', port: 0 })
  })
  afterEach(() => {
    for (const program of programs.splice(0)) {
      program.closeAllConnections()
      program.close()
    }
  })
  after(async () => {
    await api.close()
    await own.close()
    await other.close()
    await folders.clean()
  })

  /** Another program. @returns where it listens */
  async function serve(listener: RequestListener): Promise<string> {
    const program = createServer(listener)
    programs.push(program)
    await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(program.address() as { port: number }).port}`
  }

  for (const [name, run] of Object.entries(COMMANDS)) {
    it(`error: ${name} is not answered by the sidecar of another archive, nor does it change that one`, async () => {
      asked = 0
      await own.announce(apiUrl)
      const { context, printed } = makeCommand(own.dataDir, { retention_periods: 1 })
      await assert.rejects(run(context, signal), isUnreachable)
      assert.equal(printed.stdout, '')
      assert.equal(asked, 0)
      assert.deepEqual(await other.chunks.readRange(), { first: 0, last: LAST_PERIOD })
    })
  }

  it('error: status takes no note of a sidecar that was killed for the word of who listens there now', async () => {
    const dataDir = await folders.make()
    await writeFile(join(dataDir, 'daemon.json'), JSON.stringify({ pid: 999_999, apiUrl }))
    await assert.rejects(status(makeCommand(dataDir).context, {}, signal), isUnreachable)
  })

  it('error: the note of an archive that was copied while it was open says nothing of the copy', async () => {
    const copy = await folders.make()
    await other.announce(apiUrl)
    await writeFile(join(copy, 'daemon.json'), JSON.stringify({ pid: process.pid, apiUrl }))
    await assert.rejects(status(makeCommand(copy).context, {}, signal), isUnreachable)
  })

  it('a command is answered by the sidecar of its own archive, by whichever name', async () => {
    await other.announce(apiUrl)
    const link = join(own.dataDir, 'link')
    await symlink(other.dataDir, link)
    for (const dataDir of [other.dataDir, link]) {
      const { context, printed } = makeCommand(dataDir)
      assert.equal(await listChunks(context, {}, signal), 0)
      assert.match(printed.stdout, /"total":\{"chunks":64,/)
    }
    await rm(link)
  })

  it('error: no answer is taken that is handed on to another address', async () => {
    let followed = 0
    const target = await serve((_request, response) => {
      followed++
      response.end('{}')
    })
    await own.announce(
      await serve(({ headers }, response) => {
        const name = headers['massa-storage-data-dir']
        response.writeHead(307, { location: target, ...(name ? { 'massa-storage-data-dir': name } : {}) }).end()
      }),
    )
    const { context } = makeCommand(own.dataDir)
    await assert.rejects(listChunks(context, {}, signal), isUnreachable)
    assert.equal(followed, 0)
  })

  /** A sidecar of this archive, as far as it says so. */
  async function serveOwn(listener: RequestListener): Promise<Sidecar> {
    const url = await serve((request, response) => {
      response.setHeader('massa-storage-data-dir', String(request.headers['massa-storage-data-dir']))
      listener(request, response)
    })
    await own.announce(url)
    return { url, dataDir: own.dataDir }
  }

  /** Timers that end when they are told to, and whether each of them still runs. */
  function makeTimers() {
    const timers: { readonly limitMs: number; end: () => void; runs: boolean }[] = []
    const startTimer: StartTimer = (limitMs, end) => {
      const timer = { limitMs, end, runs: true }
      timers.push(timer)
      return () => {
        timer.runs = false
      }
    }
    return { timers, limits: { answerMs: 1, silenceMs: 2, startTimer } }
  }

  for (const [name, run] of Object.entries(COMMANDS)) {
    it(`${name} ends with the user's signal while the sidecar says nothing`, async () => {
      const ending = new AbortController()
      await serveOwn(() => ending.abort(new DOMException('SIGTERM', 'AbortError')))
      await assert.rejects(run(makeCommand(own.dataDir).context, ending.signal), { name: 'AbortError' })
    })
  }

  it('limit: a sidecar that listens and does not answer is given up', async () => {
    const { timers, limits } = makeTimers()
    const end = () => timers.at(-1)?.end()
    const sidecar = await serveOwn(end)
    await assert.rejects(callSidecar(sidecar, '/v1/status', {}, limits), isUnreachable)
    await assert.rejects(streamSidecar(sidecar, '/v1/query', {}, limits).next(), isUnreachable)
    assert.deepEqual(
      timers.map(({ limitMs, runs }) => [limitMs, runs]),
      [
        [1, false],
        [1, false],
      ],
    )
  })

  it('limit: half an answer is given up, too', async () => {
    const { timers, limits } = makeTimers()
    const sidecar = await serveOwn((_request, response) => {
      response.write('{', () => timers.at(-1)?.end())
    })
    await assert.rejects(callSidecar(sidecar, '/v1/status', {}, limits), isUnreachable)
  })

  it('limit: rows may take as long as they like when they come, and are given up when they stop', async () => {
    const { timers, limits } = makeTimers()
    const answers: ServerResponse[] = []
    const sidecar = await serveOwn((_request, response) => {
      answers.push(response)
      response.write('{"row":1}\n')
    })
    const rows = streamSidecar(sidecar, '/v1/query', {}, limits)
    for (const row of [1, 2, 3]) {
      assert.deepEqual((await rows.next()).value, { row })
      answers[0]?.write(`{"row":${row + 1}}\n`)
    }
    assert.deepEqual((await rows.next()).value, { row: 4 })
    // Each wait had a time of its own, and none runs while nothing is waited for.
    assert.deepEqual(
      timers.map(({ limitMs, runs }) => [limitMs, runs]),
      [1, 2, 2, 2, 2].map((limitMs) => [limitMs, false]),
    )
    const silent = rows.next()
    timers.at(-1)?.end()
    await assert.rejects(silent, isUnreachable)
  })

  it('limit: by itself it gives up after the time that it is given', async () => {
    const sidecar = await serveOwn(() => {})
    const limits = { answerMs: 20, silenceMs: 20 }
    await assert.rejects(callSidecar(sidecar, '/v1/status', {}, limits), isUnreachable)
  })

  it('error: a sidecar that dies while it answers is no bug', async () => {
    const die: RequestListener = (_request, response) => {
      response.write('{"progress":{}}\n', () => response.destroy())
    }
    await serveOwn(die)
    for (const [name, run] of Object.entries(COMMANDS)) {
      await assert.rejects(run(makeCommand(own.dataDir).context, signal), isUnreachable, name)
    }
  })

  it('what a sidecar says to be heard is no answer', async () => {
    await serveOwn((_request, response) => response.end('{"working":true}\n'.repeat(3)))
    const { context, printed } = makeCommand(own.dataDir)
    await assert.rejects(listChunks(context, {}, signal), isUnreachable)
    assert.equal(printed.stdout, '')
  })

  it('list-chunks shows roles with totals, and the reason where a sidecar cannot tell them', async () => {
    const row = { period: 1, index: 0, bytes: 10 }
    const rows = [
      { ...row, chunkId: 'aa', role: 'primary' },
      { ...row, chunkId: 'bb', role: 'extra' },
      { ...row, chunkId: 'cc', role: 'extra' },
    ]
    const answer = (result: object) => [...rows.map((each) => ({ row: each })), { result }]
    let next: readonly object[] = answer({ address: 'AU1', era: 3 })
    await serveOwn((_request, response) => response.end(`${next.map((line) => JSON.stringify(line)).join('\n')}\n`))
    const json = makeCommand(own.dataDir)
    assert.equal(await listChunks(json.context, {}, signal), 0)
    const lines = json.printed.stdout.trimEnd().split('\n')
    assert.deepEqual(
      lines.slice(0, 3).map((line) => JSON.parse(line) as object),
      rows,
    )
    const roles = { primary: { chunks: 1, bytes: 10 }, extra: { chunks: 2, bytes: 20 } }
    const total = { chunks: 3, periods: 1, bytes: 30, roles, address: 'AU1', era: 3 }
    assert.deepEqual(JSON.parse(lines[3] ?? ''), { total })
    const people = makeCommand(own.dataDir, {}, { json: false })
    assert.equal(await listChunks(people.context, {}, signal), 0)
    assert.match(people.printed.stdout, /^bb.* 10 {2}extra$/m)
    assert.match(people.printed.stdout, /^3 chunks of 1 period, 30 B: 1 primary, 2 extra$/m)
    assert.equal(people.printed.stderr, 'Roles of AU1 in era 3.\n')

    rows.splice(0, 3, { ...row, chunkId: 'dd', role: 'none' })
    next = answer({ why: 'no registry' })
    const without = makeCommand(own.dataDir, {}, { json: false })
    assert.equal(await listChunks(without.context, {}, signal), 0)
    assert.match(without.printed.stdout, /^dd.* 10 {2}-$/m)
    assert.match(without.printed.stdout, /^1 chunk of 1 period, 10 B$/m)
    assert.equal(without.printed.stderr, 'No roles: no registry.\n')
    next = [{ result: { why: 'no registry' } }]
    await assert.rejects(listChunks(makeCommand(own.dataDir).context, { role: 'primary' }, signal), (error) =>
      isArchiveError(error, 'CLI_ROLES_UNKNOWN'),
    )
  })

  const FOREIGN: readonly (readonly [number, string])[] = [
    ...['', '{}', 'null', '[]', '5', '"up"', '<html>', '{"version":1,"gaps":"none"}', '{"result":5}\n', '{"row"'].map(
      (text) => [200, text] as const,
    ),
    [404, '{}'],
    [500, 'null'],
    [503, '[]'],
  ]

  for (const [name, run] of Object.entries(COMMANDS)) {
    it(`error: ${name} takes nothing that another program answers, nor one that repeats what it is sent`, async () => {
      let next = FOREIGN[0]
      const answer: RequestListener = (_request, response) => response.writeHead(next?.[0] ?? 0).end(next?.[1])
      const { context, printed } = makeCommand(own.dataDir)
      for (const repeats of [false, true]) {
        if (repeats) await serveOwn(answer)
        else await own.announce(await serve(answer))
        for (next of FOREIGN) {
          await assert.rejects(run(context, signal), isUnreachable, `${next}`)
        }
      }
      assert.equal(printed.stdout, '')
    })
  }

  it('error: a refusal under a code that is none of ours is no answer', async () => {
    for (const code of ['toString', 'NEW_CODE', 5]) {
      await serveOwn((_request, response) =>
        response.writeHead(400).end(JSON.stringify({ error: { code, message: 'x' } })),
      )
      await assert.rejects(status(makeCommand(own.dataDir).context, {}, signal), isUnreachable)
    }
  })
})
