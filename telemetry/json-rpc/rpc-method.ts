import { invalidParams, JsonRpcError } from './json-rpc-error.ts'
import { isOptional } from './shapes.ts'
import { quote, type Shape, TypedJson } from './typed-json.ts'

/** A method with its parameter read: `run` is given what the texts of the request say. */
export interface RpcMethod<C> {
  readonly name: string
  readonly parameter: string | undefined
  /**
   * @param context - what it is asked of
   * @param params - JSON text as it came
   * @returns the result, or a promise of it
   * @throws JsonRpcError
   */
  run(context: C, params: string | undefined): unknown
}

/** A method without parameters takes whatever comes. */
export function plainMethod<C>(name: string, run: (context: C) => unknown): RpcMethod<C> {
  return { name, parameter: undefined, run }
}

export function method<C, T>(
  name: string,
  [parameter, shape]: readonly [name: string, shape: Shape<T>],
  run: (context: C, argument: T) => unknown,
): RpcMethod<C> {
  return { name, parameter, run: (context, params) => run(context, readParameter(params, { parameter, shape })) }
}

/** A method whose parameter is a list of any length: it is read a part at a time. */
export function listMethod<C, T>(
  name: string,
  [parameter, item]: readonly [name: string, item: Shape<T>],
  run: (context: C, items: readonly T[]) => unknown,
): RpcMethod<C> {
  const shape: Shape<Promise<T[]>> = (json) => json.listInTurns(item)
  return {
    name,
    parameter,
    run: async (context, params) => run(context, await readParameter(params, { parameter, shape })),
  }
}

/** An OpenRPC document with names alone: a node's says more of what goes in and comes out. */
export function describeMethods(
  methods: Iterable<Pick<RpcMethod<never>, 'name' | 'parameter'>>,
  info: { readonly title: string; readonly version: string },
): unknown {
  return {
    openrpc: '1.2.4',
    info,
    methods: Array.from(methods, ({ name, parameter }) => ({
      name,
      params: parameter === undefined ? [] : [{ name: parameter, schema: {} }],
      result: { name: 'result', schema: {} },
    })),
  }
}

/** By place or by name. */
function readParameter<T>(params: string | undefined, wanted: { parameter: string; shape: Shape<T> }): T {
  const text = params?.trim() ?? ''
  const { shape } = wanted
  if (text.startsWith('{')) return readNamed(text, wanted)
  if (text !== '' && !text.startsWith('[')) {
    throw invalidParams(`Invalid params. Expected one of '[', ']' or ',' but found ${quote(text)}`)
  }
  const json = new TypedJson(text.slice(1))
  if (text === '' || json.peek() === ']') return readAbsent(shape, () => invalidParams('No more params'))
  return shape(json)
}

function readNamed<T>(text: string, { parameter, shape }: { parameter: string; shape: Shape<T> }): T {
  const json = new TypedJson(text)
  let found: number | undefined
  json.eachMember((key) => {
    if (key === parameter) found = json.offset
    return false
  })
  if (found !== undefined) return shape(new TypedJson(text, found))
  return readAbsent(shape, () => json.fail(`missing field \`${parameter}\``))
}

function readAbsent<T>(shape: Shape<T>, fail: () => Error): T {
  if (!isOptional(shape)) throw fail()
  return shape(new TypedJson('null'))
}

/** One that a node's other port has. */
export function refuseHere(): never {
  throw new JsonRpcError(-32019, 'The wrong API (either Public or Private) was called')
}
