import { decodeRecord, LAYOUTS, type Layout } from '../../reference/registry-model/layout.ts'

const LAYOUT_OF_PREFIX: Readonly<Record<string, Layout>> = {
  config: LAYOUTS.config,
  pconfig: LAYOUTS.pending,
  pcode: LAYOUTS.pending,
  state: LAYOUTS.state,
  node: LAYOUTS.node,
  nidx: LAYOUTS.index,
  chlr: LAYOUTS.challenger,
  chal: LAYOUTS.challenge,
  period: LAYOUTS.period,
  era: LAYOUTS.era,
  vote: LAYOUTS.vote,
}

/** Fields of a stored record, for messages; what no layout fits as hex. */
export function describeRecord(key: string, bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  const parts = key.split('_')
  const isPage = parts[0] === 'vote' && parts.length > 3
  const layout = isPage ? LAYOUTS.votePage : LAYOUT_OF_PREFIX[parts[0] ?? '']
  if (!layout) return hex
  try {
    return JSON.stringify(decodeRecord(layout, bytes), (_, value: unknown) => {
      if (typeof value === 'bigint') return String(value)
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value
    })
  } catch (error) {
    return `${String(error)} ${hex}`
  }
}
