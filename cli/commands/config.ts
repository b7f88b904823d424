import type { Context } from '../context.ts'
import { EXIT_CODES } from '../exit-codes.ts'

/** Every setting with its value, and with --origin where it comes from. */
export function configShow(context: Context, options: { readonly origin?: boolean }): number {
  const { settings, origins } = context.load()
  const rows = [...origins].map(([path, origin]) => ({ path, value: valueAt(settings, path), origin }))
  context.output.value(
    Object.fromEntries(
      rows.map(({ path, value, origin }) => {
        const plain = typeof value === 'bigint' ? value.toString() : value
        return [path, options.origin ? { value: plain, origin } : plain]
      }),
    ),
  )
  context.output.table(
    rows.map(({ path, value, origin }) => [path, formatSetting(value), ...(options.origin ? [origin] : [])]),
  )
  return EXIT_CODES.ok.code
}

/** Says whether the settings are usable; what is wrong is thrown by the loader. */
export function configCheck(context: Context): number {
  const { file } = context.load()
  context.output.value({ ok: true, file: file ?? null })
  context.output.line(
    file ? `${file} is fine.` : `No configuration file: defaults only. 'massa-storage config init' writes one.`,
  )
  return EXIT_CODES.ok.code
}

function valueAt(settings: object, path: string): unknown {
  let value: unknown = settings
  for (const key of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[key]
  return value
}

/** As the TOML has it. */
function formatSetting(value: unknown): string {
  return typeof value === 'bigint' ? value.toString() : JSON.stringify(value)
}
