import { status } from '@grpc/grpc-js'

/** What a call ends with instead of an answer: a gRPC code and its text. */
export class RpcError extends Error {
  readonly code: number
  readonly details: string

  constructor(code: number, details: string) {
    super(details)
    this.name = 'RpcError'
    this.code = code
    this.details = details
  }
}

export function invalidArgument(details: string): RpcError {
  return new RpcError(status.INVALID_ARGUMENT, details)
}

/** What a node says of its own kind of errors, that have no gRPC code of theirs. */
export function internalError(details: string): RpcError {
  return new RpcError(status.INTERNAL, details)
}

export function unimplemented(details: string): RpcError {
  return new RpcError(status.UNIMPLEMENTED, details)
}
