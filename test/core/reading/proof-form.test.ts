import assert from 'node:assert/strict'
import {
  type AnswerProofJson,
  buildBlockProof,
  buildPeriodProof,
  type ErrorCode,
  MAX_BLOCK_OPERATIONS,
  verifyProof,
} from '../../../core/index.ts'
import { MAX_PROOF_CHARACTERS, parseProofJson } from '../../../core/reading/json-form.ts'
import { formatProof, parseProof } from '../../../core/reading/proof-form.ts'
import { assertCode, bend, call, MadeHistory, type MutableProof, makePeriod } from './made-history.ts'

const history = new MadeHistory([makePeriod(9, { 2: [call(2, 10)] })])
const honest = await buildBlockProof(history, { period: 9, thread: 2 })
const bare = await buildPeriodProof(history, 9)
const HASH = '00'.repeat(32)

type Change = (proof: MutableProof) => unknown

/** A value of another type in place of each field, at every depth. */
function listChanges(value: unknown, path: readonly (string | number)[] = []): Change[] {
  const changes = [7.5, -1, 'x', null, true, {}, []].map(
    (other): Change =>
      (proof) => {
        const last = path.at(-1)
        if (last === undefined) return
        const holder = path.slice(0, -1).reduce<unknown>((at, name) => Reflect.get(Object(at), name), proof)
        Reflect.set(Object(holder), last, other)
      },
  )
  if (typeof value !== 'object' || value === null) return changes
  const inner = Object.entries(value).slice(0, 9)
  return [...changes, ...inner.flatMap(([name, one]) => listChanges(one, [...path, name]))]
}

const MALFORMED: Readonly<Record<string, Change>> = {
  'another format': (proof) => Object.assign(proof, { format: 'massa-storage/proof/2' }),
  'a field too many': (proof) => Object.assign(proof, { note: '' }),
  'a field too many deep inside': ({ chunks }) => Object.assign(chunks[0]?.runs[0] ?? {}, { note: '' }),
  'a chain id with a zero before it': (proof) => Object.assign(proof, { chainId: '077' }),
  'a chain id with a sign': (proof) => Object.assign(proof, { chainId: '+77' }),
  'a chain id past u64': (proof) => Object.assign(proof, { chainId: '18446744073709551616' }),
  'a chain id as a number': (proof) => Object.assign(proof, { chainId: 77 }),
  'a period past 2^53': (proof) => Object.assign(proof, { period: 2 ** 53 }),
  'a thread of 32': (proof) => Object.assign(proof, { thread: 32 }),
  'a bitmap in upper case': (proof) => Object.assign(proof, { bitmap: '0000000A' }),
  'a bitmap of 7 digits': (proof) => Object.assign(proof, { bitmap: '0000004' }),
  'a chunk id in upper case': ({ chunkIds }) => chunkIds.splice(0, 1, HASH.replace('0', 'A')),
  'a chunk id a digit short': ({ chunkIds }) => chunkIds.splice(0, 1, HASH.slice(1)),
  'a chunk of more than 1 MiB': ({ chunks }) => Object.assign(chunks[0] ?? {}, { byteLength: 1_048_577 }),
  'leaves that are no base64': ({ chunks }) => Object.assign(chunks[0]?.runs[0] ?? {}, { bytes: 'A' }),
  'no leaves in a run': ({ chunks }) => Object.assign(chunks[0]?.runs[0] ?? {}, { bytes: '' }),
  'a signature of 63 bytes': ({ seals }) => Object.assign(seals ?? {}, { header: '00'.repeat(63) }),
}

const TOO_LARGE: Readonly<Record<string, Change>> = {
  '16,385 chunk ids': (proof) => Object.assign(proof, { chunkIds: new Array(16_385).fill(HASH) }),
  '16,385 chunks': (proof) => Object.assign(proof, { chunks: new Array(16_385).fill(proof.chunks[0]) }),
  '1,025 runs': ({ chunks: [chunk] }) => Object.assign(chunk ?? {}, { runs: new Array(1025).fill(chunk?.runs[0]) }),
  '1,025 siblings': ({ chunks: [chunk] }) => Object.assign(chunk ?? {}, { siblings: new Array(1025).fill(HASH) }),
  'more than a chunk in a run': ({ chunks }) =>
    Object.assign(chunks[0]?.runs[0] ?? {}, { bytes: 'A'.repeat(4 * (Math.ceil(1_048_576 / 3) + 1)) }),
  'more signatures than a block has operations': ({ seals }) =>
    Object.assign(seals ?? {}, { operations: new Array(MAX_BLOCK_OPERATIONS + 1).fill('00'.repeat(64)) }),
}

function refuse(code: ErrorCode, proof: unknown): Promise<void> {
  return assertCode(code, () => verifyProof(proof, { kind: 'block-at', slot: { period: 9, thread: 2 } }))
}

describe('core/reading/proof-form', () => {
  it('writes what it read', () => {
    for (const proof of [honest, bare]) {
      assert.deepEqual(formatProof(parseProof(JSON.stringify(proof))), proof)
      assert.equal(JSON.stringify(formatProof(parseProof(proof))), JSON.stringify(proof))
    }
  })

  it('takes no field for anything but what it is', async () => {
    const changes = listChanges(honest)
    assert(changes.length > 200)
    for (const change of changes) {
      const bent = bend(honest, change)
      if (JSON.stringify(bent) === JSON.stringify(honest)) continue
      try {
        parseProof(bent)
        assert(isOtherProof(bent), JSON.stringify(bent).slice(0, 400))
      } catch (error) {
        await refuse('CORE_READING_MALFORMED', bent).catch(() => assert.fail(error instanceof Error ? error : 'odd'))
      }
    }
  })

  /** Of the values put in, `null` may stand for what is not there, and an empty list is one. */
  function isOtherProof({ thread, era, seals, chunks }: AnswerProofJson): boolean {
    const isEmpty = chunks.some(({ runs, siblings }) => runs.length === 0 || siblings.length === 0)
    return (
      thread === null ||
      era === null ||
      seals === null ||
      seals.operations.length === 0 ||
      chunks.length === 0 ||
      isEmpty
    )
  }

  for (const [name, change] of Object.entries(MALFORMED)) {
    it(`refuses ${name}`, () => refuse('CORE_READING_MALFORMED', bend(honest, change)))
  }
  for (const [name, change] of Object.entries(TOO_LARGE)) {
    it(`limit: refuses ${name}`, () => refuse('CORE_READING_TOO_LARGE', bend(honest, change)))
  }

  it('refuses what is no object, and text that is no JSON', async () => {
    for (const proof of [undefined, null, 7, [], 'null', '', '{', '{}', '"x', '{"format":', '[1]']) {
      await refuse('CORE_READING_MALFORMED', proof)
    }
    await refuse('CORE_READING_MALFORMED', JSON.stringify(honest).replace('massa', '\\u006dassa'))
    await refuse('CORE_READING_MALFORMED', `${JSON.stringify(honest)}x`)
    await refuse('CORE_READING_MALFORMED', JSON.stringify(honest).replace('"format"', '"__proto__"'))
  })

  it('limit: depth 8, and not 9', async () => {
    assert.deepEqual(parseProofJson(`${'['.repeat(8)}${']'.repeat(8)}`), [[[[[[[[]]]]]]]])
    await assertCode('CORE_READING_TOO_LARGE', () => parseProofJson(`${'['.repeat(9)}${']'.repeat(9)}`))
    await assertCode('CORE_READING_TOO_LARGE', () => parseProofJson('['.repeat(1_000_000)))
  })

  it('limit: a MiB of characters outside of texts, and not one more', async () => {
    const most = 1024 * 1024
    assert.equal(JSON.stringify(parseProofJson(`[0${' '.repeat(most - 3)}]`)), '[0]')
    await assertCode('CORE_READING_TOO_LARGE', () => parseProofJson(`[0${' '.repeat(most - 2)}]`))
  })

  it('limit: 32 MiB in all, and not one character more', async () => {
    const most = `"${'A'.repeat(MAX_PROOF_CHARACTERS - 2)}"`
    assert.equal(parseProofJson(most), most.slice(1, -1))
    await assertCode('CORE_READING_TOO_LARGE', () => parseProofJson(`${most} `))
  })
})
