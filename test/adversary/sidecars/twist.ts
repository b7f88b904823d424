import { main } from '../../../cli/index.ts'

/** How a line of the log begins that tells of what no honest sidecar does. */
export const DEED = 'adversary: '

type Method = (...args: never[]) => unknown

/** Replaces a method of a class of the sidecar, which may be a private one. @throws Error when it has none of this name */
export function twist<T extends object, M extends Method>(
  type: { readonly name: string; readonly prototype: T },
  method: string,
  change: (original: M, self: T) => M,
): void {
  const prototype = type.prototype as Record<string, unknown>
  const original = prototype[method]
  if (typeof original !== 'function') throw new Error(`${type.name} has no method ${method}`)
  prototype[method] = function (this: T, ...args: never[]): unknown {
    return change(original.bind(this) as M, this)(...args)
  }
}

/** What an object of the sidecar was made with. */
export function partsOf<P>(self: object): P {
  return self as unknown as P
}

export function tellDeed(text: string): void {
  console.log(`${DEED}${text}`)
}

/** Runs our own command line with the arguments of this process, and settings such as `p2p.enabled=true`. */
export async function runTwisted(...settings: readonly string[]): Promise<void> {
  const more = settings.flatMap((setting) => ['--set', setting])
  process.exitCode = await main([...process.argv.slice(2), ...more])
}
