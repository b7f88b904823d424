import type { OperationRow } from './export-operations.ts'

/** Columns of the table, in their order. */
const COLUMNS = [
  ['period', (row) => row.period],
  ['thread', (row) => row.thread],
  ['block', (row) => row.block],
  ['operation', (row) => row.operation],
  ['type', (row) => row.type],
  ['creator', (row) => row.creator],
  ['target', (row) => row.target],
  ['amount_nano_mas', (row) => row.amountNanoMas],
  ['rolls', (row) => row.rolls],
  ['fee_nano_mas', (row) => row.feeNanoMas],
  ['outcome', (row) => row.outcome],
  ['bound', (row) => (row.isBound ? 'yes' : 'no')],
] as const satisfies readonly (readonly [string, (row: OperationRow) => string | number | null])[]

const CSV_HEADER = COLUMNS.map(([name]) => name).join(',')

export function formatCsvRow(row: OperationRow): string {
  return COLUMNS.map(([, read]) => formatCsvField(String(read(row) ?? ''))).join(',')
}

/** How rows are written as text. */
export const ROW_FORMATS = {
  csv: { head: [CSV_HEADER], formatRow: formatCsvRow, lineEnd: '\r\n' },
  ndjson: { head: [], formatRow: (row: OperationRow) => JSON.stringify(row), lineEnd: '\n' },
} as const

/** As RFC 4180; a text that a spreadsheet would compute stands behind an apostrophe. */
export function formatCsvField(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
