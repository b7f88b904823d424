import type { ModelOutcome } from '../../reference/registry-model.ts'
import { describeRecord } from './describe-record.ts'

/** Contract and model disagree. */
export class Difference extends Error {
  /** What differs, without the values: two differences of one cause have the same. */
  readonly topic: string

  constructor(topic: string, detail: string) {
    super(`${topic}: ${detail}`)
    this.topic = topic
  }
}

/** The node's words, before those of its compiler. */
const NO_MODULE = 'Cache error: Load error: invalid module: compilation of module'

/** Code that an error of the engine carries. */
export function findCode(error: string | undefined): string | undefined {
  return /REGISTRY_[A-Z_]+/.exec(error ?? '')?.[0]
}

/** @throws Difference */
export function compareOutcome(
  topic: string,
  wanted: ModelOutcome,
  got: {
    readonly success: boolean
    readonly error?: string
    readonly returned: Uint8Array
    readonly events: readonly { readonly data: string }[]
  },
): void {
  const { error } = got
  if (!wanted.success) {
    if (got.success) throw new Difference(`${topic} accepted`, `the model says ${wanted.code}`)
    const code = findCode(error)
    if (code !== wanted.code)
      throw new Difference(`${topic} refused with ${code} instead of ${wanted.code}`, `${error}`)
    if (code === undefined && !error?.includes(NO_MODULE)) throw new Difference(`${topic} ran`, `${error}`)
    return
  }
  if (!got.success) throw new Difference(`${topic} refused`, `${error}`)
  const events = got.events.map(({ data }) => data)
  expectEqual(`${topic}: events`, events, wanted.events)
  expectEqual(`${topic}: returned`, hex(got.returned), hex(wanted.returned))
}

/** @throws Difference */
export function compareRecord(
  topic: string,
  key: string,
  record: { readonly stored: Uint8Array | undefined; readonly wanted: Uint8Array },
): void {
  const { stored, wanted } = record
  if (stored && Buffer.compare(stored, wanted) === 0) return
  const [got, model] = [stored, wanted].map((bytes) => (bytes ? describeRecord(key, bytes) : 'absent'))
  const [kind] = key.split('_')
  throw new Difference(`${topic}: record ${kind}`, `${key}\n  contract ${got}\n  model    ${model}`)
}

/** @throws Difference */
export function expectEqual(topic: string, got: unknown, wanted: unknown): void {
  const [gotText, wantedText] = [show(got), show(wanted)]
  if (gotText !== wantedText) throw new Difference(topic, `\n  contract ${gotText}\n  model    ${wantedText}`)
}

function show(value: unknown): string {
  return Array.isArray(value) ? JSON.stringify(value) : String(value)
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
