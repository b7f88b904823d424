import { fastify } from 'fastify'
import { createApi } from '../../api/index.ts'
import { HistorySync } from '../../storage-worker/history/history-sync.ts'
import { HistoryAnswers, HistoryReader, openHistory } from '../../storage-worker/index.ts'
import { BENCH_IDENTITY, openBenchStore } from '../storage-worker/bench-archive.ts'

/*
 * The process that is asked: the archive in the folder of its argument, or, without one, bare fastify that answers
 * `/<bytes>` with so many. Tells its port; ends when its parent lets go of it.
 */

const [folder] = process.argv.slice(2)
const { server, close } = folder === undefined ? serveConstants() : await serveArchive(folder)
await server.listen({ port: 0, host: '127.0.0.1' })
const address = server.server.address()
process.send?.(typeof address === 'object' ? address?.port : undefined)
process.once('disconnect', async () => {
  await server.close()
  await close()
})

async function serveArchive(dataDir: string) {
  const store = await openBenchStore(dataDir)
  const { index } = await openHistory(dataDir, BENCH_IDENTITY)
  await new HistorySync({ store: store.chunks, index }).compare()
  const history = new HistoryAnswers({ reader: new HistoryReader({ store: store.chunks, index }), store: store.chunks })
  const server = createApi({
    dataDirNames: new Set(),
    status: async () => ({ problems: [] }),
    query: { store, threads: 1 },
    gateway: { history },
  })
  return {
    server,
    close: async () => {
      await index.close()
      await store.close()
    },
  }
}

function serveConstants() {
  const server = fastify()
  const constants = new Map<string, string>()
  server.get<{ Params: { bytes: string } }>('/:bytes', ({ params: { bytes } }, reply) => {
    const known = constants.get(bytes) ?? 'x'.repeat(Number(bytes))
    constants.set(bytes, known)
    return reply.type('application/json; charset=utf-8').send(known)
  })
  return { server, close: async () => undefined }
}
