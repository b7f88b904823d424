/** What a massa-node answers instead of a result; codes and texts are its own. */
export class JsonRpcError extends Error {
  readonly code: number
  readonly data: string | undefined

  constructor(code: number, message: string, data?: string) {
    super(message)
    this.name = 'JsonRpcError'
    this.code = code
    this.data = data
  }
}

export function badRequest(text: string): JsonRpcError {
  return new JsonRpcError(-32000, `Bad request: ${text}`)
}

export function invalidParams(data: string): JsonRpcError {
  return new JsonRpcError(-32602, 'Invalid params', data)
}
