import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { ArchiveError, isArchiveError } from '../../core/index.ts'
import { callLocalApi, type LocalApi, startLocalApi } from '../../devnet/local-api.ts'

const TOKEN = 'a token'

describe('devnet/local-api', () => {
  let api: LocalApi
  const access = () => ({ url: api.url, token: TOKEN })

  before(async () => {
    api = await startLocalApi(
      { port: 0, token: TOKEN },
      {
        'GET /network': () => ({ answer: 42 }),
        'POST /control/pause': () => {},
        'POST /control/speed': () => {
          throw new ArchiveError('DEVNET_COMMAND_REFUSED', 'too fast')
        },
        'POST /add': () => {
          throw new ArchiveError('DEVNET_SETTING_UP', 'not yet')
        },
      },
    )
  })

  after(() => api.close())

  it('answers what a route gives, and that it is done where that is nothing', async () => {
    assert.deepEqual(await callLocalApi(access(), 'GET /network'), { answer: 42 })
    assert.deepEqual(await callLocalApi(access(), 'POST /control/pause'), { done: true })
  })

  for (const [route, message] of [
    ['POST /control/Pause', "there is no 'Pause', only pause, speed"],
    ['POST /elsewhere/any', "there is no 'any'"],
    ['POST /control/speed', 'too fast'],
  ] as const) {
    it(`error: ${route} is refused: ${message}`, async () => {
      await assert.rejects(callLocalApi(access(), route), (error) => {
        assert(isArchiveError(error, 'DEVNET_COMMAND_REFUSED'))
        assert.equal(error.message, message)
        return true
      })
    })
  }

  it('error: says that a network is being set up by a code of its own', async () => {
    await assert.rejects(callLocalApi(access(), 'POST /add'), (error) => isArchiveError(error, 'DEVNET_SETTING_UP'))
  })

  it('error: tells nobody without the token what there is', async () => {
    const stranger = { url: api.url, token: 'another' }
    for (const route of ['POST /control/pause', 'POST /control/Pause']) {
      await assert.rejects(callLocalApi(stranger, route), (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
    }
  })

  it('error: takes what another server says for no answer of a devnet', async () => {
    for (const body of ['{"error":"Not Found","statusCode":404}', '{}', 'null', '<html>']) {
      const other = createServer((_request, response) => response.writeHead(404).end(body))
      await new Promise<void>((resolve) => other.listen({ host: '127.0.0.1', port: 0 }, resolve))
      const address = other.address()
      assert(typeof address === 'object' && address)
      const call = callLocalApi({ url: `http://127.0.0.1:${address.port}`, token: TOKEN }, 'GET /network')
      await assert.rejects(call, (error) => isArchiveError(error, 'DEVNET_NOT_RUNNING'))
      other.closeAllConnections()
      other.close()
    }
  })
})
