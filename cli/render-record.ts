/** Indented `key value` lines; lists of objects one per line. */
export function renderRecord(value: unknown, indent = ''): string[] {
  if (Array.isArray(value)) return value.map((item) => `${indent}${renderItem(item)}`)
  if (typeof value !== 'object' || value === null) return [`${indent}${String(value)}`]
  const entries = Object.entries(value).filter(([, field]) => field !== undefined)
  const width = Math.max(...entries.map(([key]) => key.length))
  return entries.flatMap(([key, field]) => renderField(key, field, { indent, width }))
}

function renderField(key: string, field: unknown, layout: { indent: string; width: number }): string[] {
  const { indent, width } = layout
  if (Array.isArray(field)) {
    return field.length === 0
      ? [`${indent}${key.padEnd(width)}  none`]
      : [`${indent}${key}`, ...renderRecord(field, `${indent}  `)]
  }
  if (typeof field === 'object' && field !== null) return [`${indent}${key.padEnd(width)}  ${renderItem(field)}`]
  return [`${indent}${key.padEnd(width)}  ${String(field)}`]
}

function renderItem(item: unknown): string {
  if (typeof item !== 'object' || item === null) return String(item)
  return Object.entries(item)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join('  ')
}
