import assert from 'node:assert/strict'
import { ERROR_CODES, type ErrorCode } from '../../core/index.ts'
import { recordRefusal } from '../../daemon/refusals.ts'
import { createMetrics, REFUSAL_CODES, renderMetrics } from '../../telemetry/index.ts'

describe('daemon/refusals', () => {
  it('are counted by code and node; what comes from the disk has no node', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false })
    const record = recordRefusal(metrics)
    record('ARCHIVER_BLOCK_ID_MISMATCH', 0)
    record('ARCHIVER_BLOCK_ID_MISMATCH', 0)
    record('ARCHIVER_BLOCK_UNPARSABLE', undefined)
    const { text } = await renderMetrics(metrics)
    for (const line of [
      '{code="ARCHIVER_BLOCK_ID_MISMATCH",node="0"} 2',
      '{code="ARCHIVER_BLOCK_UNPARSABLE",node="disk"} 1',
    ])
      assert.ok(text.includes(`massa_storage_refused_blocks_total${line}\n`), line)
  })

  it('limit: whatever codes come, the label has the values of the table', async () => {
    const metrics = createMetrics({ version: '1', processMetrics: false })
    const record = recordRefusal(metrics)
    for (const code of Object.keys(ERROR_CODES)) record(code as ErrorCode, 0)
    const { text } = await renderMetrics(metrics)
    const codes = [...text.matchAll(/^massa_storage_refused_blocks_total\{code="(\w+)"/gm)].map(([, code]) => code)
    assert.deepEqual(codes.sort(), [...REFUSAL_CODES].sort())
  })
})
