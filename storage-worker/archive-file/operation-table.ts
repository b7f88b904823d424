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

export const CSV_HEADER = COLUMNS.map(([name]) => name).join(',')

export function formatCsvRow(row: OperationRow): string {
  return COLUMNS.map(([, read]) => formatCsvField(String(read(row) ?? ''))).join(',')
}

/** As RFC 4180; a text that a spreadsheet would compute stands behind an apostrophe. */
export function formatCsvField(text: string): string {
  const harmless = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}
