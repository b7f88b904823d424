/** For messages: never longer than a line can be. */
export function shorten(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)}...` : text
}

/** On one line; numbers as TOML has them, so that 1.0 is seen not to be 1. */
export function formatValue(value: unknown): string {
  if (value === undefined) return '(absent)'
  if (typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return formatFloat(value)
  if (Array.isArray(value)) return `[${value.map(formatValue).join(',')}]`
  if (typeof value !== 'object' || value === null || value instanceof Date)
    return JSON.stringify(value) ?? String(value)
  const fields = Object.entries(value).map(([key, inner]) => `${JSON.stringify(key)}:${formatValue(inner)}`)
  return `{${fields.join(',')}}`
}

function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return String(value).replace('Infinity', 'inf').replace('NaN', 'nan')
  return /^-?\d+$/.test(String(value)) ? `${value}.0` : String(value)
}
