import { connect } from 'node:net'

const HEAD_END = Buffer.from('\r\n\r\n')

/**
 * Answers in a second over keep-alive connections that each ask for one path after the other, from where the last one
 * stopped: less work than an HTTP client, so that the server is what is measured.
 *
 * @throws Error for an answer that is not 200
 */
export async function measureRequests(
  port: number,
  paths: readonly string[],
  options: { readonly connections: number; readonly seconds: number },
): Promise<number> {
  const requests = paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`))
  const started = performance.now()
  const until = started + options.seconds * 1_000
  let next = 0
  let answers = 0
  const ask = (): Buffer => requests[next++ % requests.length] as Buffer
  await Promise.all(
    Array.from({ length: options.connections }, () =>
      converse(port, () => {
        if (performance.now() >= until) return undefined
        answers++
        return ask()
      }),
    ),
  )
  return (answers / (performance.now() - started)) * 1_000
}

/** Sends what `ask` gives, each time an answer is whole, until it gives nothing. */
function converse(port: number, ask: () => Buffer | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let head = Buffer.alloc(0)
    let left = -1
    const goOn = (): void => {
      const request = ask()
      if (request) socket.write(request)
      else socket.end(() => resolve())
    }
    socket.on('error', reject)
    socket.on('connect', goOn)
    socket.on('data', (data) => {
      let rest = data
      if (left < 0) {
        head = Buffer.concat([head, rest])
        const end = head.indexOf(HEAD_END)
        if (end < 0) return
        const text = head.toString('latin1', 0, end)
        const length = /content-length: (\d+)/i.exec(text)?.[1]
        if (!text.startsWith('HTTP/1.1 200') || length === undefined) return reject(new Error(text))
        left = Number(length)
        rest = head.subarray(end + HEAD_END.length)
        head = Buffer.alloc(0)
      }
      left -= rest.length
      if (left > 0) return
      left = -1
      goOn()
    })
  })
}
